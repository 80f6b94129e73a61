"""What others will want on the host rides along with the next copy that goes there: one copy waits as long as two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 64 << 10
"""Of one rider. What is larger takes longer to be put beside other things than to wait for, and whose copy it is should
show."""


@dataclass(frozen=True)
class Rider:
    """Arrays on the device, and what takes them on the host."""

    arrays: Sequence[Any]
    arrive: Callable[[Sequence[Any]], None]
    """Is given copies in host memory, in the order of the arrays."""


class Riders:
    """Those that wait for a copy, by thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def waiting(self, riders: Sequence[Rider]) -> Iterator[None]:
        """Let small riders wait inside a `with`; who finds no copy to ride with by its end is let go."""
        self._local.waiting = [one for one in riders if sum(array.nbytes for array in one.arrays) <= MOST_BYTES]
        try:
            yield
        finally:
            self._local.waiting = ()

    def board(self) -> Sequence[Rider]:
        """Return the riders of the calling thread, which wait no longer."""
        waiting, self._local.waiting = getattr(self._local, "waiting", ()), ()
        return waiting
