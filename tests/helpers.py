"""What tests of nodes and graphs share: frames, pictures, a device, sessions, sources and sinks made by hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from pipeline.card_fields import Picture as RecipeOfPicture
from pipeline.device import Device
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.graph import Graph
from pipeline.letterbox import content_size
from pipeline.lineage import Lineage
from pipeline.node import Context, Node, NodeConfig, Source, SourceItem
from pipeline.ports import config_of
from pipeline.streams import StreamConfig
from pipeline.values import Value


def picture(size_wh: tuple[int, int] = (64, 36), bgr: tuple[int, int, int] = (0, 0, 0)) -> Picture:
    """Return a picture of one colour."""
    return Picture((np.full((size_wh[1], size_wh[0], 3), bgr, np.uint8),), "bgr")


def frames(
    count: int = 1,
    stream: str | Sequence[str] = "shop",
    *,
    start_s: float = 0.0,
    step_s: float = 0.04,
    pts_s: Sequence[float] | None = None,
    generation: int | Sequence[int] = 0,
    size_wh: tuple[int, int] = (640, 360),
    pictures: bool | Sequence[Picture] = False,
    live: bool = False,
    config: Mapping[str, Mapping[str, Any]] | None = None,
) -> FrameBatch:
    """Return `count` frames, `step_s` apart or at `pts_s`, of one stream or of the stream named for each row.

    `pictures=True` gives each frame a black picture; `config` holds `streams.<id>` blocks without their url.
    """
    times_s = start_s + step_s * np.arange(count) if pts_s is None else np.asarray(pts_s, np.float64)
    rows = (stream,) * len(times_s) if isinstance(stream, str) else tuple(stream)
    known = dict.fromkeys([stream] if isinstance(stream, str) else rows)
    blocks = config or {}
    if isinstance(pictures, bool):
        pictures = [picture(size_wh) for _ in rows] if pictures else []
    pts_ns = np.round(times_s * 1e9).astype(np.int64)
    return FrameBatch(
        stream_id=rows,
        generation=np.broadcast_to(np.asarray(generation, np.int64), (len(rows),)).copy(),
        frame_index=np.round(times_s / step_s).astype(np.int64),
        pts_ns=pts_ns,
        arrived_ns=np.zeros(len(rows), np.int64),
        size_wh=np.tile(np.asarray(size_wh, np.int32), (len(rows), 1)),
        pictures=tuple(pictures),
        streams={id: Stream(id, StreamConfig(url=f"{id}.mp4", **blocks.get(id, {})), live) for id in known},
    )


def table(kind: type[Value], /, **columns: Any) -> Any:
    """Return a value from plain lists; columns left out are zeros, `NaN` for boxes, "" for names."""
    from pipeline.values import columns as declared

    count = max((len(content) for content in columns.values()), default=0)
    made: dict[str, Any] = {}
    for spec in declared(kind):
        given = columns.pop(spec.name, None)
        if "names" in spec.metadata:
            made[spec.name] = ("",) * count if given is None else tuple(given)
            continue
        shape = (count, *(extent or 1 for extent in spec.metadata["shape"]))
        if given is None:
            made[spec.name] = np.full(shape, np.nan if spec.name.endswith("_box") else 0, spec.metadata["dtype"])
        else:
            array = np.asarray(given, spec.metadata["dtype"])
            made[spec.name] = array if count else array.reshape(0, *shape[1:])
    if columns:
        raise TypeError(f"table: {kind.__name__} has no columns {sorted(columns)!r}")
    return kind(**made)


class FakeDevice:
    """A CPU device in plain numpy that picks the nearest pixel of `bgr` pictures. Calls are kept."""

    kind: ClassVar[str] = "cpu"
    memory: ClassVar[str] = "cpu"
    xp: ClassVar[Any] = np

    def __init__(self) -> None:
        self.calls: list[tuple[int, tuple[int, int]]] = []

    def decoding(self) -> None:
        """Decode nothing."""

    def model_input(
        self,
        frames: FrameBatch,
        size_wh: tuple[int, int],
        colour: str = "bgr",
        layout: str = "nchw",
        dtype: str = "float32",
        how: str = "stretch",
        shrink: str = "area",
        fill: int = 0,
        mean: Sequence[float] = (0, 0, 0),
        std: Sequence[float] = (1, 1, 1),
    ) -> np.ndarray:
        """Return `(B, 3, H, W)`, or `(B, H, W, 3)` for layout `nhwc`, 1 channel for `grey`, values 0 to 255."""
        whole = np.tile([0.0, 0.0, 1.0, 1.0], (len(frames), 1))
        if how == "letterbox":
            whole[:, 2:] = [
                np.divide(size_wh, content_size(tuple(frame), size_wh)) for frame in frames.size_wh.tolist()
            ]
        made = self.crops(frames, np.arange(len(frames)), whole, size_wh, colour, layout, dtype)
        channels = made if layout == "nhwc" else np.moveaxis(made, 1, 3)
        for picture, (_, _, right, low) in zip(channels, whole, strict=True):
            picture[round(size_wh[1] / low) :], picture[:, round(size_wh[0] / right) :] = fill, fill
        if any(mean) or set(std) != {1}:
            channels[:] = (channels - np.array(mean)) / np.array(std)
        return made

    def crops(
        self,
        frames: FrameBatch,
        frame_row: np.ndarray,
        boxes: np.ndarray,
        size_wh: tuple[int, int],
        colour: str = "bgr",
        layout: str = "nchw",
        dtype: str = "float32",
    ) -> np.ndarray:
        """Return the same of boxes of frames."""
        self.calls.append((len(boxes), size_wh))
        made = np.empty((len(boxes), size_wh[1], size_wh[0], 3), dtype)
        for k, (row, (x1, y1, x2, y2)) in enumerate(zip(frame_row, np.asarray(boxes, np.float64), strict=True)):
            full = frames.pictures[row].planes[0]
            height, width = full.shape[:2]
            xs = np.floor((x1 + (x2 - x1) * np.arange(size_wh[0]) / size_wh[0]) * width + 1e-6).astype(int)
            ys = np.floor((y1 + (y2 - y1) * np.arange(size_wh[1]) / size_wh[1]) * height + 1e-6).astype(int)
            made[k] = full[ys.clip(0, height - 1)][:, xs.clip(0, width - 1)]
        made = made[..., ::-1] if colour == "rgb" else made.mean(axis=3, keepdims=True) if colour == "grey" else made
        made = made.transpose(0, 3, 1, 2) if layout == "nchw" else made
        return np.ascontiguousarray(made, dtype)

    def to_host(self, array: Any) -> np.ndarray:
        """Return the array: it is on the host."""
        return np.asarray(array)

    all_to_host, beside, mark, reading = Device.all_to_host, Device.beside, Device.mark, Device.reading


class FakeSession:
    """A model that is a function of its inputs. What it was asked is kept in `calls`."""

    def __init__(
        self,
        answer: Callable[[dict[str, Any]], dict[str, Any]],
        inputs: Mapping[str, tuple[Any, ...]],
        outputs: Mapping[str, tuple[Any, ...]],
        **card: Any,
    ) -> None:
        self.answer = answer
        self.inputs = {name: (shape, "float32") for name, shape in inputs.items()}
        self.outputs = {name: (shape, "float32") for name, shape in outputs.items()}
        contract = SimpleNamespace(inputs=inputs, outputs=outputs)
        usual = {
            "name": "fake",
            "input_size_wh": None,
            "box_cell_px": None,
            "classes": {},
            "contract": contract,
            "picture": RecipeOfPicture(),
            "face_to_head": None,
        }
        self.card = SimpleNamespace(**{**usual, **card})
        self.calls: list[dict[str, Any]] = []

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to the inputs."""
        self.calls.append(inputs)
        return self.answer(inputs)

    def close(self) -> None:
        """Let go of nothing."""


class FakeContext(Context):
    """A context that hands out the given sessions by card name, or one session whatever the name."""

    def __init__(
        self,
        out_dir: Path | None = None,
        session: Any = None,
        sessions: Mapping[str, Any] | None = None,
        device: Any = None,
    ) -> None:
        super().__init__(
            "node", device or FakeDevice(), out_dir or Path("out"), Path("."), Graph("graphs/retail.yaml", ())
        )
        self._session = session
        self._sessions = sessions or {}

    def card(self, card: str) -> Any:
        """Return the card of the session given for it."""
        return self._sessions.get(card, self._session).card

    def open_session(self, card: str, outputs: Collection[str] = (), size_wh: tuple[int, int] | None = None) -> Any:
        """Return the session given for the card; where outputs or a size are asked for, one like it with those."""
        session = self._sessions.get(card, self._session)
        if outputs or size_wh:
            session = copy(session)
        if outputs:
            session.outputs = {name: tensor for name, tensor in session.outputs.items() if name in outputs}
        if size_wh:
            session.card = SimpleNamespace(**{**vars(session.card), "input_size_wh": size_wh})
        return session

    def lineage(self, port: str) -> Lineage:
        """Return that of made-up nodes in a graph called `retail`, the same for every port."""
        return Lineage("retail", {"gaze-shop-480": "sha256:0123456789ab"}, "[]")


def make_node(cls: type[Node[Any]], context: Context | None = None, *, session: Any = None, **config: Any) -> Any:
    """Return a node of the class with a configuration from keywords, not opened yet."""
    return cls(config_of(cls)(**config), context or FakeContext(session=session))


def run_node(node: Node[Any], ticks: Iterable[Sequence[Value]], ended: Sequence[str] = ()) -> list[Any]:
    """Open, process each tick (the values of the ports in order), end the streams named, close; return all outputs."""
    node.open()
    outputs = [node.process(*tick) for tick in ticks]
    outputs += [node.stream_ended(stream_id) for stream_id in ended]
    node.close()
    return outputs


def list_source(items: Mapping[str, Sequence[SourceItem]], live: bool = False) -> type[Source[Any]]:
    """Return a source class that yields, for each stream id, the items given."""

    class ListSource(Source[NodeConfig]):
        """Yield items from a list."""

        @classmethod
        def is_live(cls, url: str) -> bool:
            return live

        def frames(self) -> Iterator[SourceItem]:
            yield from items[self.stream.id]

        def process(self) -> FrameBatch:
            raise NotImplementedError

    return ListSource


def list_sink(kind: type[Value]) -> type[Node[Any]]:
    """Return a sink class that keeps what it gets of one kind in its class attribute `got`."""

    def process(self: Any, values: Value) -> None:
        type(self).got.append(values)

    process.__annotations__ = {"values": kind, "return": type(None)}
    return type("ListSink", (Node,), {"__orig_bases__": (Node[NodeConfig],), "process": process, "got": []})
