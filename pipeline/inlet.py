"""One stream's side of the door: what waits there, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from pipeline.frames import Stream
from pipeline.marks import Mark, MarkKind
from pipeline.node import Frame

LONGEST_WAIT_NS = 1_000_000_000
"""Longest wait for more frames of a tick, however far apart the frames of a stream were."""


@dataclass(frozen=True)
class Admitted:
    """A frame with what the engine knows of it."""

    stream: Stream
    frame: Frame
    frame_index: int
    generation: int
    arrived_ns: int
    """On the engine's clock: when it was taken as far as is known, or else when it came; 0 for files."""


@dataclass(frozen=True)
class Marked:
    """A mark that is let in, and the streams it is about with their values."""

    mark: Mark
    streams: tuple[Stream, ...]


@dataclass
class Inlet:
    """Frames and marks of a stream that wait to be let in."""

    stream: Stream
    order: int
    generation: int
    queue: deque[Admitted | Mark] = field(default_factory=deque)
    frames_waiting: int = 0
    next_index: int = 0
    pts_ns: int = 0
    period_ns: int = 40_000_000
    admitted_ns: int | None = None
    """When a frame was let in last, on the engine's clock."""
    turn: int = 0
    """When it was served last, in turns of the door."""
    began: bool = False
    """Whether a frame of this generation has come."""
    open: bool = True

    @property
    def waits(self) -> bool:
        """Tell whether its source waits for room, so that nothing is dropped."""
        policy = self.stream.config.when_full
        return policy == "wait" or (policy == "auto" and not self.stream.live)

    def push(self, frame: Frame, index: int, arrived_ns: int) -> None:
        """Let a frame wait behind the others."""
        if self.next_index:
            self.period_ns = min(max(frame.pts_ns - self.pts_ns, 1), LONGEST_WAIT_NS)
        self.queue.append(Admitted(self.stream, frame, index, self.generation, arrived_ns))
        self.next_index, self.pts_ns = index + 1, frame.pts_ns
        self.frames_waiting += 1
        self.began = True

    def mark(self, kind: MarkKind) -> None:
        """Let a mark wait behind the frames."""
        self.queue.append(Mark(kind, self.stream.id, self.generation, self.pts_ns))

    def break_off(self) -> bool:
        """Begin a new generation, if this one has begun; tell whether it had."""
        if not self.began:
            return False
        self.mark("discontinuity")
        self.generation += 1
        self.began = False
        return True

    def pop(self) -> Admitted | Mark:
        """Take what came first."""
        item = self.queue.popleft()
        self.frames_waiting -= isinstance(item, Admitted)
        return item

    def refuse_oldest(self) -> Admitted:
        """Take the oldest frame out of the middle of the marks."""
        oldest = next(item for item in self.queue if isinstance(item, Admitted))
        self.queue.remove(oldest)
        self.frames_waiting -= 1
        return oldest

    def empty(self) -> int:
        """Take all frames out and leave the marks; return how many there were."""
        kept = [item for item in self.queue if isinstance(item, Mark)]
        gone = len(self.queue) - len(kept)
        self.queue, self.frames_waiting = deque(kept), 0
        return gone

    def head(self) -> Admitted | None:
        """Return the frame that is next, if it is one."""
        return self.queue[0] if self.queue and isinstance(self.queue[0], Admitted) else None

    def reconfigure(self, stream: Stream) -> None:
        """Take up other values, for the frames that wait, too."""
        self.stream = stream
        self.queue = deque(replace(item, stream=stream) if isinstance(item, Admitted) else item for item in self.queue)
