"""When somebody was in view: intervals of time `[start, end)` in nanoseconds, sorted, without overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def joined(parts: Iterable[Interval], max_gap_ns: int) -> list[Interval]:
    """Return the union of intervals in any order, with gaps up to `max_gap_ns` filled."""
    made: list[Interval] = []
    for start, end in sorted(parts):
        if made and start - made[-1][1] <= max_gap_ns:
            made[-1] = made[-1][0], max(made[-1][1], end)
        else:
            made.append((start, end))
    return made


def cut(seen: Sequence[Interval], at_ns: int) -> tuple[list[Interval], list[Interval]]:
    """Return what of the intervals is before a moment, and what is from it on."""
    before = [(start, min(end, at_ns)) for start, end in seen if start < at_ns]
    after = [(max(start, at_ns), end) for start, end in seen if end > at_ns]
    return before, after


def length(seen: Iterable[Interval]) -> int:
    """Return the time in all intervals together."""
    return sum(end - start for start, end in seen)


def overlap(a: Interval, b: Interval) -> int:
    """Return the time that two intervals share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def reached(seen: Iterable[Interval], time_ns: int) -> int | None:
    """Return the last nanosecond of that much time from the first start on; None when there is less of it."""
    for start, end in seen:
        if end - start >= time_ns:
            return start + max(time_ns - 1, 0)
        time_ns -= end - start
    return None
