"""How far the building of an engine is, told at intervals."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

EVERY_S = 10.0
"""Seconds between two lines about one engine."""


@dataclass
class _Phase:
    steps: int
    done: int = 0
    inside: dict[str, _Phase] = field(default_factory=dict)

    def share(self) -> float:
        """Return what is done of it, 0 to 1; a phase within counts for the step that it is part of."""
        within = sum(one.share() for one in self.inside.values()) / len(self.inside) if self.inside else 0.0
        return min(1.0, (self.done + min(within, 0.999)) / max(self.steps, 1))


class BuildProgress:
    """Told of phases within phases, from any thread, as TensorRT tells them; says how far all of it is.

    Args:
        name: of the model.
        cancelled: set when nobody waits any more.
        clock_s: tells the time, seconds.
        every_s: seconds between two lines.
    """

    def __init__(
        self,
        name: str,
        cancelled: threading.Event,
        clock_s: Callable[[], float] = time.monotonic,
        every_s: float = EVERY_S,
    ) -> None:
        self._name, self._cancelled, self._clock_s, self._every_s = name, cancelled, clock_s, every_s
        self._began_s = self._told_s = clock_s()
        self._root = _Phase(1)
        self._running = {"": self._root}
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        """Tell whether nobody waits any more."""
        return self._cancelled.is_set()

    @property
    def spent_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock_s() - self._began_s

    def started(self, phase: str, parent: str | None, steps: int) -> None:
        """A phase of some steps began, within another one."""
        with self._lock:
            one = self._running[phase] = _Phase(steps)
            self._running.get(parent or "", self._root).inside[phase] = one

    def stepped(self, phase: str, step: int) -> bool:
        """A step of a phase, counted from 0, is over; return False when the building is to end."""
        with self._lock:
            if one := self._running.get(phase):
                one.done = max(one.done, step + 1)
                one.inside.clear()
            now_s = self._clock_s()
            if now_s - self._told_s >= self._every_s:
                self._told_s = now_s
                percent, spent_s = 100 * self._root.share(), now_s - self._began_s
                logger.info("model %s: building its engine, %.0f %% after %.0f s", self._name, percent, spent_s)
        return not self._cancelled.is_set()

    def finished(self, phase: str) -> None:
        """A phase is over, perhaps before its last step."""
        with self._lock:
            if one := self._running.pop(phase, None):
                one.done = one.steps
