"""One pass of the graph: frames, marks, and every value computed from them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from pipeline.frames import FrameBatch, Stream
from pipeline.marks import Mark
from pipeline.values import Value

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Slot:
    """A value, where it lies, and when it may be read."""

    value: Value
    device: str = "cpu"
    ready: Any = None
    """None on the host; on a device, the event after which the value may be read."""


@dataclass
class Tick:
    """What travels through the stages; a stage adds a slot for each of its nodes.

    A filled slot is never changed, except that rows are taken out of the whole tick at once.
    """

    number: int
    frames: FrameBatch
    marks: tuple[Mark, ...] = ()
    slots: dict[str, Slot] = field(default_factory=dict)
    entered_ns: int = 0
    """When the tick was let into the graph, on the engine's clock."""

    def without_streams(self, dropped: Collection[str]) -> Tick:
        """Return the tick without the frames of some streams, and without all that was computed from them."""
        return self.keep(np.array([stream_id not in dropped for stream_id in self.frames.stream_id], bool))

    def keep(self, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> Tick:
        """Return the tick with only the frames of a mask (B,), and what was computed from them."""
        slots = {
            name: replace(slot, value=restrict(slot.value, self.frames, kept)) for name, slot in self.slots.items()
        }
        return replace(self, frames=self.frames.take(kept), slots=slots)


def restrict(value: V, frames: FrameBatch, kept: np.ndarray[Any, np.dtype[np.bool_]]) -> V:
    """Return the rows of a value that belong to the kept frames; `frame_row` then counts those frames alone.

    Args:
        value: computed from `frames`, or `frames` itself.
        frames: the B frames of the tick.
        kept: (B,) which frames stay.
    """
    if isinstance(value, FrameBatch):
        return value.take(kept)
    if hasattr(value, "frame_row"):
        part = value.take(kept[value.frame_row])
        new_row = np.cumsum(kept) - 1
        return with_rows(part, new_row)
    if hasattr(value, "stream_id"):
        names = {name for name, keep in zip(frames.stream_id, kept, strict=True) if keep}
        return value.take(np.array([name in names for name in value.stream_id], bool))
    return value


def with_rows(value: V, new_row: np.ndarray[Any, np.dtype[Any]]) -> V:
    """Return a value whose `frame_row` r became `new_row[r]`."""
    changes: dict[str, Any] = {"frame_row": new_row[value.frame_row].astype(np.int64)}  # type: ignore[attr-defined]
    return replace(value, **changes)


def no_frames(*streams: Stream) -> FrameBatch:
    """Return a batch of no frames that still knows its streams: what a tick of marks carries."""
    return replace(FrameBatch.empty(), streams={stream.id: stream for stream in streams})
