"""Arrays of other libraries, held for as long as the device reads them."""

from __future__ import annotations

import threading
from typing import Any

from pipeline.cuda.streams import ThreadStreams


class Lent:
    """Holds arrays that others lent until what was begun on the device by then is over.

    Args:
        streams: of the threads that are lent arrays.
    """

    def __init__(self, streams: ThreadStreams) -> None:
        self._streams = streams
        self._held: list[tuple[Any, Any]] = []
        self._lock = threading.Lock()

    def hold(self, array: Any) -> None:
        """Hold an array until the device has done all that the calling thread has begun so far."""
        with self._lock:
            self._held = [(event, held) for event, held in self._held if not event.done]
            self._held.append((self._streams.mark(), array))

    def __len__(self) -> int:
        """Return how many arrays are held."""
        return len(self._held)
