"""One pass of the graph: frames, marks, and every value computed from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pipeline.cuda.riders import Rider
from pipeline.frames import FrameBatch, Stream
from pipeline.marks import Mark
from pipeline.values import Value, on_device

if TYPE_CHECKING:
    from pipeline.device import Device

V = TypeVar("V", bound=Value)
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Slot:
    """A value, where it lies, and when it may be read."""

    value: Value
    device: Device | None = None
    """Where the columns are that are not on the host; None where all are."""
    ready: Any = None
    """On a device, what `Device.mark` returned to who made the value."""

    @classmethod
    def of(cls, value: Value, device: Device) -> Slot:
        """Return the slot of a value that the calling thread has just made, on some device."""
        return cls(value, device, device.mark()) if on_device(value) else cls(value)

    @cached_property
    def on_host(self) -> Value:
        """The value with all its columns on the host: one copy, made when it is first asked for."""
        if self.device is None:
            return self.value
        there = on_device(self.value)
        with self.device.reading((self.value, self.ready)):
            here = self.device.all_to_host(*there.values())
        return replace(self.value, **dict(zip(there, here, strict=True)))

    @property
    def is_on_host(self) -> bool:
        """Tell whether `on_host` needs no copy any more."""
        return self.device is None or "on_host" in self.__dict__

    def rider(self) -> Rider:
        """Return what lets the columns come to the host with another copy, so that `on_host` needs none."""
        there = on_device(self.value)

        def arrive(here: Sequence[Any]) -> None:
            self.__dict__["on_host"] = replace(self.value, **dict(zip(there, here, strict=True)))

        return Rider(list(there.values()), arrive)

    def restricted(self, kept: Mask, keeps: Callable[[str], bool]) -> Slot:
        """Return the slot with the rows that `restrict` leaves."""
        if self.device is None:
            return replace(self, value=restrict(self.value, kept, keeps))
        with self.device.reading((self.value, self.ready)):
            return Slot.of(restrict(self.value, kept, keeps), self.device)


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

    def read(self, edge: str, kind: type[Value]) -> Value:
        """Return what a port of some kind gets of an edge, on the host: of a source with values of its own, either."""
        value = self.slots[edge].on_host
        return self.frames if kind is FrameBatch and not isinstance(value, FrameBatch) else value

    def streams(self) -> list[str]:
        """Return the ids of the streams whose frames are in the tick or to which something happens, in their order.

        A mark that tells of changed values is not about what happens to a stream.
        """
        happened = (mark.stream_id for mark in self.marks if mark.kind != "configured")
        return list(dict.fromkeys([*self.frames.stream_id, *happened]))

    def of_stream(self, stream_id: str) -> Tick:
        """Return the tick of one stream: its frames, its marks, and what was computed from them."""
        kept = np.array([name == stream_id for name in self.frames.stream_id], bool)
        marks = tuple(mark for mark in self.marks if mark.stream_id == stream_id)
        return replace(self._part(kept, lambda name: name == stream_id), marks=marks)

    def without_streams(self, dropped: Collection[str]) -> Tick:
        """Return the tick without the frames of some streams and their rows; what belongs to no frame stays."""
        return self._part(np.array([name not in dropped for name in self.frames.stream_id], bool), lambda name: True)

    def keep(self, kept: Mask) -> Tick:
        """Return the tick with only the frames of a mask (B,) and their rows; streams that lose all lose all rows."""
        rows = list(zip(self.frames.stream_id, kept.tolist(), strict=True))
        dropped = {name for name, _ in rows} - {name for name, keep in rows if keep}
        return self._part(kept, lambda name: name not in dropped)

    def _part(self, kept: Mask, keeps: Callable[[str], bool]) -> Tick:
        slots = {name: slot.restricted(kept, keeps) for name, slot in self.slots.items()}
        return replace(self, frames=self.frames.take(kept), slots=slots)


def restrict(value: V, kept: Mask, keeps: Callable[[str], bool]) -> V:
    """Return the rows of a value that belong to the kept frames; `frame_row` then counts those frames alone.

    Args:
        value: computed from the B frames of a tick, or those frames themselves.
        kept: (B,) which frames stay.
        keeps: tells of which streams rows stay that belong to a stream but to no frame.
    """
    if isinstance(value, FrameBatch):
        return value.take(kept)
    if hasattr(value, "frame_row"):
        return with_rows(value.take(kept[value.frame_row]), np.cumsum(kept) - 1)
    if hasattr(value, "stream_id"):
        return value.take(np.array([keeps(name) for name in value.stream_id], bool))
    return value


def with_rows(value: V, new_row: np.ndarray[Any, np.dtype[Any]]) -> V:
    """Return a value whose `frame_row` r became `new_row[r]`."""
    changes: dict[str, Any] = {"frame_row": new_row[value.frame_row].astype(np.int64)}  # type: ignore[attr-defined]
    return replace(value, **changes)


def no_frames(*streams: Stream) -> FrameBatch:
    """Return a batch of no frames that still knows its streams: what a tick of marks carries."""
    return replace(FrameBatch.empty(), streams={stream.id: stream for stream in streams})
