"""Read one stream on a thread of its own, hand its frames to the door, and connect again when it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from pipeline.admission import Admission
from pipeline.clock import Clock
from pipeline.entrance import Entrance
from pipeline.epoch import epoch_ns
from pipeline.errors import PipelineError, SourceError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import NodeSpec
from pipeline.life import Life
from pipeline.live_time import LiveTime
from pipeline.node import Context, Discontinuity, Dropped, Frame, Source, SourceItem
from pipeline.rate_limit import RateLimit
from pipeline.running import Meter, checked, said
from pipeline.settings import EngineConfig
from pipeline.shedding import Gate, limit_ns

logger = logging.getLogger(__name__)

DAMAGED = 10
"""Damaged packets without a frame between them that tell of a sender which changed what it sends."""


class Reader:
    """Makes the source object of a stream and drives it until it ends or is stopped.

    A file that breaks is given up, and what went wrong is kept. A live stream that breaks is lost: its source is asked
    for frames again after a while, for ever.
    """

    def __init__(
        self,
        spec: NodeSpec,
        context: Context,
        stream: Stream,
        admission: Admission,
        max_frames: int | None,
        settings: EngineConfig | None = None,
        clock: Clock | None = None,
        keep: Callable[[], float] = lambda: 1.0,
    ) -> None:
        """Make a reader; a live stream's time begins now.

        Args:
            spec: the source node.
            context: what it is lent.
            stream: what to read.
            admission: the door.
            max_frames: frames after which the stream is ended.
            settings: how to deal with losses.
            clock: tells the time.
            keep: tells which share of the packets of a live stream is worth decoding.
        """
        assert issubclass(spec.cls, Source)
        self.stream = stream
        self.error: PipelineError | None = None
        self.meter = Meter()
        self.engine_cpu_ns = 0
        self._clock = clock or Clock()
        self._settings = settings or EngineConfig()
        self._source: Source[object] = spec.cls(spec.config, context, stream)  # type: ignore[type-var]
        self._kind = spec.ports.output or FrameBatch
        self._admission, self._door = admission, Entrance(admission, stream.id)
        self._max_frames = max_frames
        self._changed = threading.Condition()
        self._stopped = self._paused = False
        self._zero_ns = self._clock.now_ns()
        self._plays = stream.live and stream.config.realtime
        """Whether a file is played as if it were a camera."""
        self._played_from_ns: int | None = None
        self._limit = RateLimit()
        self._corrupt = 0  # damaged packets since the last frame
        self.times = LiveTime(start_unix_ns=epoch_ns(stream.config.start_time))
        self.life = Life(stream.id, self._settings, self._clock)
        if stream.live:
            self._source.gate = Gate(self._clock, self._late_ns, lambda: limit_ns(self.stream.config), keep)

    def start(self) -> threading.Thread:
        """Begin to read; return the thread that does."""
        # That of a live stream may sit in a call until its deadline; nobody waits for it that long at the end.
        thread = threading.Thread(target=self._read, name=f"source-{self.stream.id}", daemon=self.stream.live)
        thread.start()
        return thread

    def stop(self) -> None:
        """End after the item that is being read."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self.stream.live:
            self._admission.end(self.stream.id)  # at once: the source may be in a call until its deadline

    def remove(self) -> None:
        """End at once, and refuse what waits at the door."""
        self._admission.remove(self.stream.id)
        self.stop()
        self._door.shut()
        self.life.became("removed")

    def pause(self) -> None:
        """Let go of the source until `resume()`."""
        with self._changed:
            self._paused = True
            self.life.became("paused")
            self._changed.notify_all()
        self._admission.pause(self.stream.id)

    def resume(self) -> None:
        """Read on."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def watch(self) -> None:
        """Notice that a live stream has stalled; called now and then by another thread."""
        if self.stream.live and self.life.stalls():
            fields = {"stream": self.stream.id, "state": "stalled"}
            stall_s = self._settings.stall_s
            logger.warning("stream %r: no frame for %g s", self.stream.id, stall_s, extra={"fields": fields})
            self._admission.stalled(self.stream.id)

    def duration_ns(self) -> int | None:
        """Return the length of the stream; None while unknown and for live ones."""
        return self._source.duration_ns

    # on its thread

    def _read(self) -> None:
        began_ns = time.thread_time_ns()
        try:
            self._source.open()
            while self._connect():
                pass
        except BaseException as error:
            self._give_up(error)
        try:
            self._source.close()
        except BaseException as error:
            self._give_up(error)
        self._door.end()
        if self.life.state != "removed":
            self.life.became("failed" if self.error else "ended")
        self.engine_cpu_ns = time.thread_time_ns() - began_ns - self.meter.cpu_ns

    def _connect(self) -> bool:
        """Read until the stream ends, is lost, paused or stopped; tell whether to connect again."""
        with self._changed:
            while self._paused and not self._stopped:
                self._clock.wait(self._changed, None)
            if self._stopped:
                return False
            self.life.became("connecting" if self.stream.live else "reading")
        self.times.connected()
        self._corrupt = 0
        try:
            self._drive()
            if self._paused:  # a frame that was being read meanwhile belongs before the pause
                self._door.pause()
            return self._paused
        except Exception as error:
            if not self.stream.live or self._plays:
                raise
            self._lose(error)
            return True

    def _drive(self) -> None:
        items = iter(self._source.frames())
        try:
            while not self._stopped and not self._paused:
                item = self._next(items)
                if item is _END or not self._hand_over(item):
                    break
        finally:
            if isinstance(items, Generator):
                items.close()  # now and on this thread, not when it is found to be garbage

    def _lose(self, error: Exception) -> None:
        """Say that the stream is lost, and wait until it is time to try again."""
        if self._stopped or self._paused:
            return
        if not isinstance(error, SourceError):
            logger.debug("stream=%s failed", self.stream.id, exc_info=error)
            error = SourceError(f"stream {self.stream.id!r}: {said(error)}")
        wait_s = self.life.lost(error)
        self._door.lost()
        until_ns = self._clock.now_ns() + round(wait_s * 1e9)
        with self._changed:
            while not (self._stopped or self._paused) and (left_ns := until_ns - self._clock.now_ns()) > 0:
                self._clock.wait(self._changed, left_ns / 1e9)

    def _next(self, items: Iterator[SourceItem]) -> SourceItem:
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        try:
            return next(items, _END)
        finally:
            self.meter.wall_ns += time.perf_counter_ns() - wall_ns
            self.meter.cpu_ns += time.thread_time_ns() - cpu_ns

    def _hand_over(self, item: SourceItem) -> bool:
        """Pass one item on; tell whether to go on reading."""
        if isinstance(item, Frame):
            self._check(item)
            self.meter.frames += 1
            self._corrupt = 0
            self.life.frame_came()
            return self._offer(item) and self.meter.frames != self._max_frames
        if isinstance(item, Dropped):
            self._door.dropped(item.cause, item.count)
            self._corrupt += item.count if item.cause == "corrupt" else 0
        elif isinstance(item, Discontinuity):
            self._door.discontinuity()
        elif item is not None:
            raise TypeError(f"expected a Frame, Dropped, Discontinuity or None from the source, got {item!r}")
        if self.stream.live:
            limit_s = self._settings.stall_s if self._corrupt >= DAMAGED else self._settings.give_up_s
            if self.life.silent_s() > limit_s:
                raise self._silent(limit_s)
        return True

    def _offer(self, frame: Frame) -> bool:
        """Give a frame its time and hand it over, unless it comes too soon after the one before."""
        taken_ns = None
        if frame.stamp is not None:
            placed = self.times.place(frame.stamp, self._now_ns())
            frame = replace(frame, pts_ns=placed.pts_ns, stamp=None)
            taken_ns = self._zero_ns + placed.taken_ns
            if placed.breaks:
                self._door.discontinuity()
                self._limit.begin_anew()
            if not self._limit.admits(frame.pts_ns, self.stream.config.max_fps):
                self._door.dropped("rate_limit")
                return True
        elif self._plays:
            taken_ns = self._wait_until_due(frame.pts_ns)
        return self._door.offer(frame, taken_ns)

    def _wait_until_due(self, pts_ns: int) -> int:
        """Wait for the moment at which a frame of a file that is played would be taken; return that moment."""
        if self._played_from_ns is None:
            self._played_from_ns = self._clock.now_ns() - pts_ns
        due_ns = self._played_from_ns + pts_ns
        with self._changed:
            while not (self._stopped or self._paused) and (left_ns := due_ns - self._clock.now_ns()) > 0:
                self._clock.wait(self._changed, left_ns / 1e9)
        return due_ns

    def _silent(self, limit_s: float) -> SourceError:
        silent = f"{limit_s:g} s"
        if self._corrupt:
            return SourceError(
                f"stream {self.stream.id!r}: expected frames, got none in {silent} that can be decoded, and "
                f"{self._corrupt} damaged packets; check codec and settings of the sender",
                "corrupt",
            )
        return SourceError(
            f"stream {self.stream.id!r}: expected frames, got data without a whole one for {silent}; have the sender "
            "send key frames more often, or raise engine.give_up_s",
            "timeout",
        )

    def _now_ns(self) -> int:
        """Return the time since the stream's time began."""
        return self._clock.now_ns() - self._zero_ns

    def _late_ns(self, pts_ns: int | None) -> int:
        return self.times.late_ns(pts_ns, self._now_ns())

    def _check(self, frame: Frame) -> None:
        """Hold a frame to what the class of the source promises.

        Raises:
            TypeError, ValueError: it brings something else.
        """
        if (frame.picture is not None) != self._source.gives_pictures:
            wanted = "a picture" if self._source.gives_pictures else "no picture"
            raise TypeError(f"Frame.picture: expected {wanted}, got {type(frame.picture).__name__}")
        if frame.picture is None and frame.size_wh is None:
            raise ValueError("Frame.size_wh: expected width and height of a frame without a picture, got none")
        if self._kind is not FrameBatch:
            checked(frame.value, self._kind, frames=1)
        elif frame.value is not None:
            raise TypeError(f"Frame.value: expected none, got {type(frame.value).__name__}; name it in process()")

    def _give_up(self, error: BaseException) -> None:
        if self.error is None:
            named = SourceError(f"stream {self.stream.id!r}: {said(error)}")
            self.error = error if isinstance(error, PipelineError) else named
        logger.debug("stream=%s gave up", self.stream.id, exc_info=error)


_END = Dropped("end", 0)
"""What stands for the end of a source: an object no source can yield."""
