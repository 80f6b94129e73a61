"""Even steps for frames whose times are only roughly known."""

from __future__ import annotations

NEAR_NS = 250_000_000
"""Times this near to the even ones are made even; others are a gap or a burst, and stand as they are."""
PART = 16
"""How slowly steps follow: by one part in so many of what they are wrong by, with each frame."""
LONGEST_NS = 1_000_000_000
"""Longer steps, back or forth, say nothing of the period."""


class EvenSteps:
    """Follow times that jitter in steps of their mean.

    Args:
        period_ns: what the step is taken for at first.
    """

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        """Mean step of late."""
        self._seen_ns: int | None = None
        self._even_ns = 0

    def next(self, time_ns: int) -> int:
        """Return the even time of a frame of which only a rough one is known."""
        if self._seen_ns is None:
            self.follow(time_ns)
            return time_ns
        self._learn(time_ns - self._seen_ns)
        even_ns = self._even_ns + self.period_ns
        wrong_ns = time_ns - even_ns
        even_ns = even_ns + wrong_ns // PART if abs(wrong_ns) <= NEAR_NS else time_ns
        self._seen_ns, self._even_ns = time_ns, even_ns
        return even_ns

    def follow(self, time_ns: int) -> None:
        """Go on from a frame whose time is known."""
        if self._seen_ns is not None:
            self._learn(time_ns - self._seen_ns)
        self._seen_ns = self._even_ns = time_ns

    def _learn(self, step_ns: int) -> None:
        if -LONGEST_NS <= step_ns <= LONGEST_NS:
            self.period_ns = max(1, self.period_ns + (step_ns - self.period_ns) // PART)
