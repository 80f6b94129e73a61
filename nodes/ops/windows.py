"""Windows of time in which attention is measured: which there are, what was added up, and which are to be reported.

Pure logic of one generation of one stream; times are pts in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from nodes.ops.attention import Fact
from nodes.ops.attention_measures import Figure, Tally, figures
from nodes.ops.presence import Interval, overlap

Span = Literal["window", "whole"]


@dataclass(frozen=True)
class Report:
    """The measures of a window, as they were known at `known_ns`."""

    span: Span
    start_ns: int
    end_ns: int
    revision: int
    known_ns: int
    figures: list[Figure]


@dataclass
class Window:
    """A window of time: what was added up, and what was reported of it."""

    span: Span
    start_ns: int
    end_ns: int
    until_ns: int
    """Its end, or that of the stream when the window is all of the stream."""
    filmed_until_ns: int
    """End of what its last frame so far stands for."""
    covered_ns: int = 0
    """For how much of it there are frames."""
    settled: Tally = field(default_factory=Tally)
    due: bool = True
    """It was not reported yet, or may have changed since."""
    revision: int = -1
    told: list[Figure] = field(default_factory=list)

    @property
    def bounds(self) -> Interval:
        """Start and end."""
        return self.start_ns, self.end_ns

    def report(self, facts: Iterable[Fact], targets: Collection[str], known_ns: int) -> Report | None:
        """Return the measures with facts that are not settled yet; None when they are what was reported last."""
        self.due = False
        tally = self.settled.plus(facts, self.bounds, self.filmed_until_ns)
        made = figures(tally, targets, self.covered_ns)
        if made == self.told:
            return None
        self.told = made
        self.revision += 1
        return Report(self.span, self.start_ns, self.until_ns, self.revision, known_ns, made)


class Windows:
    """Windows of one length that follow each other, and windows of the whole stream; there are those with frames."""

    def __init__(self, first_ns: int, start_time_ns: int, window_ns: int, whole_ns: int) -> None:
        """Begin at the first frame.

        Args:
            first_ns: its time; all of the stream begins here.
            start_time_ns: wall-clock time of pts 0; windows begin at multiples of their length on the wall clock.
            window_ns: length of windows; 0 for none but those of the whole stream.
            whole_ns: length from which the whole stream is cut into several windows.
        """
        self._grids: dict[Span, tuple[int, int]] = {"whole": (first_ns, whole_ns)}
        """First start and length."""
        if window_ns:
            self._grids["window"] = (-start_time_ns % window_ns, window_ns)
        self._held: dict[tuple[Span, int], Window] = {}

    def cover(self, start_ns: int, end_ns: int) -> None:
        """Make the windows of a stretch of time that a frame stands for, or of the moment of one."""
        for span, (origin_ns, length_ns) in self._grids.items():
            last = (max(start_ns, end_ns - 1) - origin_ns) // length_ns
            for index in range((start_ns - origin_ns) // length_ns, last + 1):
                begin_ns = origin_ns + index * length_ns
                over_ns = begin_ns + length_ns
                window = self._held.setdefault((span, index), Window(span, begin_ns, over_ns, over_ns, begin_ns))
                window.covered_ns += overlap((start_ns, end_ns), window.bounds)
                window.filmed_until_ns = max(window.filmed_until_ns, min(end_ns, over_ns))

    def hold(self, at_ns: int) -> bool:
        """Tell whether there still are windows for a moment."""
        return self._held.keys() >= self._around(at_ns)

    def changed(self, since_ns: int) -> None:
        """Look again at windows that facts from a moment on belong to."""
        for window in self._held.values():
            window.due |= window.end_ns > since_ns

    def over(self, now_ns: int) -> list[Window]:
        """Return the windows to report that end by a moment, in the order of their starts, the whole stream last."""
        due = [window for window in self._held.values() if window.due and window.end_ns <= now_ns]
        return sorted(due, key=lambda window: window.span == "whole")

    def end(self, end_ns: int) -> list[Window]:
        """Return all windows to report; all of the stream ends here."""
        for window in self._held.values():
            if window.span == "whole":
                window.until_ns = min(window.until_ns, end_ns)
        return self.over(max((window.end_ns for window in self._held.values()), default=end_ns))

    def settle(self, facts: Collection[Fact], horizon_ns: int, pending_ns: Iterable[int]) -> None:
        """Add facts up for good, and forget windows that were reported and can no longer change.

        Args:
            facts: facts that will not be taken back.
            horizon_ns: all facts before this moment are settled,
            pending_ns: but those of visits that began at these.
        """
        for window in self._held.values():
            window.settled.add(facts, window.bounds, window.filmed_until_ns)
        pending = set().union(*(self._around(at_ns) for at_ns in pending_ns))
        self._held = {
            key: window
            for key, window in self._held.items()
            if window.due or window.end_ns > horizon_ns or key in pending
        }

    def _around(self, at_ns: int) -> set[tuple[Span, int]]:
        return {(span, (at_ns - origin_ns) // length_ns) for span, (origin_ns, length_ns) in self._grids.items()}
