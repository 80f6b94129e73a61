"""Read one stream on a thread of its own and hand its frames to the door of the graph."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator

from pipeline.admission import Admission
from pipeline.errors import PipelineError, SourceError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import NodeSpec
from pipeline.node import Context, Discontinuity, Dropped, Frame, Source, SourceItem
from pipeline.running import Meter, checked, said

logger = logging.getLogger(__name__)


class Reader:
    """Makes the source object of a stream, drives it until it ends or is stopped, and keeps what went wrong."""

    def __init__(
        self, spec: NodeSpec, context: Context, stream: Stream, admission: Admission, max_frames: int | None
    ) -> None:
        assert issubclass(spec.cls, Source)
        self.stream = stream
        self.error: PipelineError | None = None
        self.meter = Meter()
        self.engine_cpu_ns = 0
        self._source: Source[object] = spec.cls(spec.config, context, stream)  # type: ignore[type-var]
        self._kind = spec.ports.output or FrameBatch
        self._admission = admission
        self._max_frames = max_frames
        self._stopped = threading.Event()

    def start(self) -> threading.Thread:
        """Begin to read; return the thread that does."""
        thread = threading.Thread(target=self._read, name=f"source-{self.stream.id}")
        thread.start()
        return thread

    def stop(self) -> None:
        """End after the item that is being read."""
        self._stopped.set()

    def duration_ns(self) -> int | None:
        """Return the length of the stream; None while unknown and for live ones."""
        return self._source.duration_ns

    def _read(self) -> None:
        began_ns = time.thread_time_ns()
        try:
            self._source.open()
            items = iter(self._source.frames())
            try:
                while not self._stopped.is_set():
                    item = self._next(items)
                    if item is _END or not self._hand_over(item):
                        break
            finally:
                if isinstance(items, Generator):
                    items.close()  # now and on this thread, not when it is found to be garbage
        except BaseException as error:
            self._give_up(error)
        try:
            self._source.close()
        except BaseException as error:
            self._give_up(error)
        self._admission.end(self.stream.id)
        self.engine_cpu_ns = time.thread_time_ns() - began_ns - self.meter.cpu_ns

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
            goes_on = self._admission.offer(self.stream.id, item)
            return goes_on and self.meter.frames != self._max_frames
        if isinstance(item, Dropped):
            self._admission.dropped(item.cause, item.count)
        elif isinstance(item, Discontinuity):
            self._admission.discontinuity(self.stream.id)
        elif item is not None:
            raise TypeError(f"expected a Frame, Dropped, Discontinuity or None from the source, got {item!r}")
        return True

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
