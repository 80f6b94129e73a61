"""One CUDA stream for each thread, so that stages run side by side on the device as they do on the host."""

from __future__ import annotations

import threading
from typing import Any


class ThreadStreams:
    """Gives each thread a stream of its own, and makes it the one that cupy uses there.

    Args:
        cupy: the package, or what stands for it.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._local = threading.local()

    def own(self) -> Any:
        """Return the stream of the calling thread, which is current there from now on."""
        stream = getattr(self._local, "stream", None)
        if stream is None:
            # Non-blocking: the default stream of the process must not make stages wait for each other.
            stream = self._local.stream = self._cupy.cuda.Stream(non_blocking=True)
            stream.use()
        return stream

    def mark(self, stream: Any = None) -> Any:
        """Return an event that is over when all that was begun on a stream so far is; None: that of this thread."""
        event = self._cupy.cuda.Event(disable_timing=True)
        event.record(self.own() if stream is None else stream)
        return event
