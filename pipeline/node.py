"""What a stage of a graph is: a class with a configuration and a method `process()`, whose signature is its ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from pipeline.context import Context as Context  # nodes are made with one
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.packet_gate import PacketGate
from pipeline.values import Value


class NodeConfig(BaseModel):
    """Base of every node's `Config`: frozen, unknown keys refused, each field documented by the string below it.

    A field made with `Field(..., json_schema_extra={"live": True})` may be replaced between two ticks; the node's
    `reconfigured()` is then called. One that names a model card, or a tuple of them, is made with
    `json_schema_extra={"card": True}`: their checksums are then part of the lineage of what the node makes.
    A switch made with `{"second_pass": True}` asks, where it is on, for files to be run in two passes, between which
    the node's `revised()` is called.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def problems(self, root: Path) -> dict[str, list[str]]:
        """Return, by field, what is wrong beyond what types tell, such as a model missing below `root`.

        Asked before a run, and for `--check`.
        """
        return {}


C = TypeVar("C", bound=NodeConfig)


class Node(Generic[C]):
    """Base of every stage. Subclass as `class SmoothGaze(Node[Config])` and write `process()`.

    Parameters of `process()` are input ports, `X | None = None` an optional one; the return type is the output,
    `-> None` makes a sink. `process()` is called for one tick at a time, always by the same thread, with all values
    of the tick; zero rows (of frames, too) are an ordinary input. No method needs `super()`.
    """

    reads_on_device: ClassVar[frozenset[str]] = frozenset()
    """Ports whose values may come as they lie on the device, with columns that the host cannot read. What is made of
    such columns is made where they are; they are read within the tick, not kept. All other ports get host arrays."""
    begins_stage: ClassVar[bool] = False
    """True for a node heavy enough for a thread of its own: one that opens a Session, or an encoder."""
    reads_pictures: ClassVar[bool] = False
    """True when `process()` looks at pixels, so that the node cannot run from a recording alone."""
    sink_policy: ClassVar[Literal["keep", "drop"]] = "keep"
    """A sink of a live graph that cannot keep up: `keep` (events: spilled, nothing lost) or `drop` (video)."""

    reaches_out: ClassVar[bool] = False
    """True when others hear of what passes, on a network: a replay leaves the node out unless told to publish."""
    in_place_of_model: ClassVar[str | None] = None
    """Optional port that brings what a model would find: connected just where the values leave out the model."""

    def __init__(self, config: C, context: Context) -> None:
        self.config = config
        self.context = context

    @classmethod
    def without_model(cls, config: C) -> bool:
        """Tell whether this configuration leaves out the model; the node then begins no stage and reads no pictures.

        For nodes that run a model only where one is configured: `begins_stage` and `reads_pictures` speak of them with
        the model, and a port of frames that only the model needs is an optional one.
        """
        return False

    def open(self) -> None:
        """Load models, bind sockets. Called once before the first tick, on the thread that will call `process()`."""

    def process(self, *args: Any, **kwargs: Any) -> Any:
        """Compute one tick. Replaced by every node with typed ports."""
        raise NotImplementedError

    def stream_ended(self, stream_id: str) -> Any:
        """Hand out what is still held for a stream, in the type `process()` returns, and forget the stream."""
        return None

    def stream_broken(self, stream_id: str) -> Any:
        """Do the same where frames will follow that do not continue those before; unless replaced, as at the end."""
        return self.stream_ended(stream_id)

    def revised(self, ticks: Iterable[tuple[FrameBatch, Any]]) -> Iterable[Any]:
        """Return what `process()` put out as it should have been, now that the streams are known to their ends.

        Called on an instance of its own, which is never opened.

        Args:
            ticks: frames without pictures, and what was put out for them, in order. They are read from disk each time
                they are gone through, and that may be several times.

        Returns:
            For each tick what stands in place of that value.
        """
        raise NotImplementedError

    def reconfigured(self) -> None:
        """Take up `self.config` after its live fields were replaced."""

    def close(self) -> None:
        """Let go of files, sockets and sessions; finish what was written. Called once, also after an error."""


@dataclass(frozen=True)
class Stamp:
    """What the sender of a live stream says of the time of a frame: it may be missing, stand still, or jump."""

    pts_ns: int | None
    """Presentation time on a clock of the sender's; None where it gives none."""
    wall_ns: int | None = None
    """Unix time by the sender's reports, nanoseconds; None without."""


@dataclass(frozen=True)
class Frame:
    """One frame as a source yields it; the engine adds what it knows (stream, generation, arrival)."""

    picture: Picture | None
    """None in a source that gives no pictures."""
    pts_ns: int = 0
    """Strictly rising but for discontinuities. Without meaning where there is a `stamp`."""
    size_wh: tuple[int, int] | None = None
    """Width and height in pixels of the upright frame; None: those of the picture."""
    value: Value | None = None
    """What a source with values of its own knows of this frame: of the type that its `process()` returns, with
    `frame_row` 0 in every row. None where that type is FrameBatch."""
    index: int | None = None
    """Number of the frame in its stream, from 0 and rising, where the source knows it; None: one more than before."""
    stamp: Stamp | None = None
    """For a live stream: the engine makes of it a time that rises strictly and is right on the wall clock."""


@dataclass(frozen=True)
class Dropped:
    """Frames that a source refused before decoding them, by cause (`decoder_late`, `rate_limit`, `corrupt`)."""

    cause: str
    count: int = 1


@dataclass(frozen=True)
class Discontinuity:
    """Frames that follow do not continue those before: the engine begins a new generation of the stream."""


SourceItem = Frame | Dropped | Discontinuity | None


class Source(Node[C]):
    """A node without inputs that reads one stream. The engine makes one per stream and runs it on its own thread.

    `process()` is never called; its return type names what the source puts out. A type other than FrameBatch is one of
    the source's own, such as people that somebody else detected: each frame brings its part of it, and the edge can be
    read both as that type and as the FrameBatch of the tick.
    """

    gives_pictures: ClassVar[bool] = True
    """False when frames come without pictures; a graph with a node that reads pictures is then refused."""
    duration_ns: int | None = None
    """Length of what is read, once it is open; None while unknown and for live streams."""
    gate: PacketGate = PacketGate()
    """Asked about each packet before it is decoded."""

    def __init__(self, config: C, context: Context, stream: Stream) -> None:
        super().__init__(config, context)
        self.stream = stream

    @classmethod
    def is_live(cls, url: str) -> bool:
        """Tell whether a URL names a camera or network stream rather than something that waits for us."""
        return False

    def frames(self) -> Iterator[SourceItem]:
        """Yield the stream; returning ends it. Each step returns within its deadline, yielding None when nothing came.

        Called again on the same object after a live stream was lost. A live stream that ends is lost: that is an error.

        Raises:
            SourceError: the stream cannot be opened or read on; the engine tries again if it is live.
        """
        raise NotImplementedError

    @classmethod
    def files_beside(cls, url: str) -> list[Path]:
        """Return the files that are read beside that of a URL: when one changes, earlier results are out of date."""
        return []

    def process(self) -> Value:
        """Name the output port; a source is read through `frames()`."""
        raise NotImplementedError
