"""When frames are due: frame k of n at every time t where floor(t · fps) % n is k, in Unix time."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable


class Pace:
    """Shows one slot after another on an event loop; slot s is due at s / fps, a little later with jitter."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fps: float,
        show: Callable[[int], None],
        jitter_s: float = 0.0,
        seed: int = 0,
    ) -> None:
        """Begin with the next slot; `late_s` says how much later than due one was shown at most.

        Args:
            loop: that runs in the thread that calls.
            fps: slots a second.
            show: is called with the number of each slot, in order; none is left out, however late it is.
            jitter_s: each is shown later by up to so much, but never before the one ahead of it.
            seed: of the jitter.
        """
        self._loop, self._fps, self._show, self._jitter_s = loop, fps, show, jitter_s
        self._random = random.Random(seed)
        self._slot = current_slot(fps) + 1
        self.late_s = 0.0
        self._timer = self._wait()

    @property
    def shown(self) -> int:
        """The slot that was shown last: behind the clock while frames are late, a wink ahead when a timer is early."""
        return self._slot - 1

    def stop(self) -> None:
        """Show nothing more."""
        self._timer.cancel()

    def _wait(self) -> asyncio.TimerHandle:
        jitter_s = self._random.uniform(0, self._jitter_s) if self._jitter_s else 0.0
        self._due_s = self._slot / self._fps + jitter_s
        return self._loop.call_later(max(0.0, self._due_s - time.time()), self._now)

    def _now(self) -> None:
        self.late_s = max(self.late_s, time.time() - self._due_s)
        slot, self._slot = self._slot, self._slot + 1
        self._timer = self._wait()
        self._show(slot)


def current_slot(fps: float) -> int:
    """Return the slot that is shown now."""
    return math.floor(time.time() * fps)
