"""Pictures with their times: one picture, and the frames of one tick."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np

from pipeline.streams import StreamConfig
from pipeline.values import Value, attached, column, items, names


@dataclass(frozen=True)
class Picture:
    """One decoded picture as the decoder left it.

    Planes are not copied and never written to. A full BGR picture is made only by who asks for one.
    """

    planes: tuple[Any, ...]
    """In host memory, unless the picture was decoded on the device: to read them on the host, ask `on_host` first.
    `i420`: Y (H, W), U and V (⌈H/2⌉, ⌈W/2⌉) u8; `nv12`: Y (H, W), UV (⌈H/2⌉, ⌈W/2⌉, 2) u8; `bgr`: one (H, W, 3) u8.
    BT.601 unless `bgr`, of limited range unless `full_range`."""
    layout: Literal["i420", "nv12", "bgr"]
    rotation_deg: Literal[0, 90, 180, 270] = 0
    """Clockwise turn that makes the picture upright; not yet applied to the planes."""
    full_range: bool = False
    """Whether planes have 0 to 255 for black to white, as only those on the device may; on the host they never have."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels of the upright picture."""
        height, width = self.planes[0].shape[:2]
        return (height, width) if self.rotation_deg in (90, 270) else (width, height)

    def on_host(self) -> Picture:
        """Return the picture with its planes in host memory: this one, unless it was decoded on the device."""
        return self


@dataclass(frozen=True)
class Stream:
    """What is known of the camera or file that a frame comes from."""

    id: str
    config: StreamConfig
    live: bool = False
    """True for cameras and network streams: late frames are dropped. False for files: nothing is."""


@dataclass(frozen=True, eq=False)
class FrameBatch(Value):
    """The B frames of one tick: rows ordered by (pts, stream order); several frames of one stream oldest first."""

    stream_id: tuple[str, ...] = names()
    generation: np.ndarray = column(np.int64)
    """Rises by one at each discontinuity of its stream (reconnect, seek); state never crosses it. From 0 for files,
    from the unix time at which the run began for live streams."""
    frame_index: np.ndarray = column(np.int64)
    """Count within the stream, from 0; for humans, never for time."""
    pts_ns: np.ndarray = column(np.int64)
    """Presentation time in its stream, strictly rising within a generation."""
    arrived_ns: np.ndarray = column(np.int64)
    """When the frame reached us on the engine's monotonic clock; 0 for files, so that results do not depend on it."""
    size_wh: np.ndarray = column(np.int32, 2)
    """Width and height in pixels of the upright frame."""
    pictures: tuple[Picture, ...] = attached(())
    """B pictures, or none when the tick comes from a recording, or from a source that gives none."""
    streams: dict[str, Stream] = attached(None)
    """By stream id: every stream of the tick, also of a tick that carries only marks."""
    _bgr: dict[int, np.ndarray] = field(
        default_factory=dict, init=False, compare=False, repr=False, metadata={"attached": True}
    )

    def take(self, rows: Any) -> Self:
        """Return the frames picked by an index array `(M,) int` or a mask `(B,) bool`, in that order, pictures too."""
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        made: dict[str, Any] = {
            name: tuple(content[row] for row in index) if isinstance(content, tuple) else content[index]
            for name, content in items(self)
        }
        pictures = tuple(self.pictures[row] for row in index) if self.pictures else ()
        return type(self)(**made, pictures=pictures, streams=self.streams)

    def stream(self, row: int) -> Stream:
        """Return the stream that row comes from, with its configuration."""
        return self.streams[self.stream_id[row]]

    def bgr(self, row: int) -> np.ndarray:
        """Return the upright frame as (H, W, 3) u8 BGR on the host; made at most once a tick. Do not write into it.

        Raises:
            ValueError: the tick comes from a recording and has no pictures.
        """
        if row not in self._bgr:
            if not self.pictures:
                raise ValueError(
                    "FrameBatch.bgr: this tick was replayed from a recording, which holds no pictures; "
                    "replay an edge further down, or leave out the nodes that draw"
                )
            from pipeline.pictures import to_bgr

            self._bgr[row] = to_bgr(self.pictures[row])
        return self._bgr[row]
