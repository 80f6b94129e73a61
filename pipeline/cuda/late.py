"""A device on which races show: memory holds rubbish, and what is made in it is late."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.cuda.streams import ThreadStreams

RUBBISH = 0xA5
CYCLES = 2_000_000
"""A millisecond or two on any GPU: much longer than any kernel of ours takes."""


class LateMemory:
    """Hands out memory whose next content is late; results are the same, in many times the time.

    Args:
        cupy: the package, or what stands for it.
        streams: of the threads that ask.
        be_late: the kernel that keeps a stream busy.
    """

    def __init__(self, cupy: Any, streams: ThreadStreams, be_late: Any) -> None:
        self._cupy, self._streams, self._be_late = cupy, streams, be_late
        streams.own()
        self._cycles = cupy.asarray(np.array([CYCLES], np.int64))
        self._ready = streams.mark()

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Return an array of rubbish on the device; what the calling thread begins next is late."""
        stream = self._streams.own()
        made = self._cupy.empty(shape, dtype)
        stream.wait_event(self._ready)
        made.data.memset_async(RUBBISH, made.nbytes, stream)
        self._be_late((1, 1, 1), (1, 1, 1), (self._cycles,))
        return made
