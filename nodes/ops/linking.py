"""Link fragments of tracks that are one person's, and fill their gaps, once a clip is known to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_MAX_GAP_NS = 3_000_000_000
"""Longest time out of sight over which fragments are linked and gaps are filled."""
_PACE_NS = 500_000_000
"""Time before a fragment's end from which its speed is told."""
_MAX_COST = 1.0
"""Largest distance between where a fragment is expected and where another begins: heights of the box."""


@dataclass(frozen=True)
class Rows:
    """N rows of tracks of one generation of a stream, by (pts_ns, track_id); boxes in fractions of the frame."""

    pts_ns: Array
    """(N,) int64."""
    track_id: Array
    """(N,) int64."""
    head_box: Array
    """(N, 4) float32; NaN where not known."""
    head_score: Array
    """(N,) float32."""
    body_box: Array
    """(N, 4) float32; NaN where not known."""
    body_score: Array
    """(N,) float32."""
    observed: Array
    """(N,) bool: False where boxes are predicted."""

    def __len__(self) -> int:
        return len(self.pts_ns)


def link(rows: Rows, frames_ns: Array, aspect: float) -> tuple[Array, Rows]:
    """Link each fragment to the one that begins where it is expected, the nearest first, and fill gaps in between.

    A fragment is expected where its last speed takes it. Gaps are filled on straight lines from box to box.

    Args:
        rows: what was tracked, at most one row of a track at a pts.
        frames_ns: (F,) int64 pts of all frames, rising.
        aspect: width of the frame over its height.

    Returns:
        For each row its new track (N,) int64, or 0 where it is left out because a filled row stands in for it; and rows
        that fill gaps, unobserved, with scores of 0.
    """
    track_id = _linked(rows, aspect)
    kept = track_id.copy()
    before, after, blank_ns = [], [], []
    for mine in _by_track(track_id):
        seen = mine[rows.observed[mine]]
        if len(seen) < 2:
            continue
        seen_ns = rows.pts_ns[seen]
        bridged = np.diff(seen_ns) <= _MAX_GAP_NS
        predicted = mine[~rows.observed[mine]]
        kept[predicted[bridged[_gap(seen_ns, rows.pts_ns[predicted])] & _within(seen_ns, rows.pts_ns[predicted])]] = 0
        span_ns = frames_ns[np.searchsorted(frames_ns, seen_ns[0]) : np.searchsorted(frames_ns, seen_ns[-1])]
        span_ns = span_ns[~np.isin(span_ns, seen_ns)]
        gap = _gap(seen_ns, span_ns)
        before.append(seen[gap[bridged[gap]]])
        after.append(seen[gap[bridged[gap]] + 1])
        blank_ns.append(span_ns[bridged[gap]])
    if not before:
        return kept, _between(rows, track_id, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))
    return kept, _between(rows, track_id, np.concatenate(before), np.concatenate(after), np.concatenate(blank_ns))


def _linked(rows: Rows, aspect: float) -> Array:
    """Return the track of each row (N,) after linking: that of the first fragment of each person."""
    fragments = [mine[rows.observed[mine]] for mine in _by_track(rows.track_id)]
    fragments = [seen for seen in fragments if len(seen)]
    starts_ns = np.array([rows.pts_ns[seen[0]] for seen in fragments], np.int64)
    pairs = []
    for a, seen in enumerate(fragments):
        wait_ns = starts_ns - rows.pts_ns[seen[-1]]
        for b in np.flatnonzero((wait_ns > 0) & (wait_ns <= _MAX_GAP_NS)).tolist():
            cost = _cost(rows, seen, fragments[b][0], aspect)
            if cost <= _MAX_COST:
                pairs.append((cost, int(wait_ns[b]), a, b))
    track_id = rows.track_id.copy()
    ahead: dict[int, int] = {}
    followed: set[int] = set()
    for _, _, a, b in sorted(pairs):
        if a not in followed and b not in ahead:
            ahead[b] = a
            followed.add(a)
    for b in np.argsort(starts_ns, kind="stable").tolist():  # the one ahead has got its track before
        if b in ahead:
            track_id[rows.track_id == rows.track_id[fragments[b][0]]] = track_id[fragments[ahead[b]][0]]
    return track_id


def _cost(rows: Rows, seen: Array, first: int, aspect: float) -> float:
    """Return how far a fragment begins from where another, seen in some rows, is expected: heights of the box."""
    wide = np.array([aspect, 1.0, aspect, 1.0])
    for part in (rows.body_box, rows.head_box):
        recent = seen[rows.pts_ns[seen] >= rows.pts_ns[seen[-1]] - _PACE_NS]
        recent = recent[~np.isnan(part[recent, 0])]
        if not len(recent) or np.isnan(part[first, 0]):
            continue
        old, last, new = (part[row].astype(np.float64) * wide for row in (recent[0], recent[-1], first))
        step_ns = rows.pts_ns[recent[-1]] - rows.pts_ns[recent[0]]
        speed = (last - old) / step_ns if step_ns else np.zeros(4)
        expected = last + speed * (rows.pts_ns[first] - rows.pts_ns[recent[-1]])
        return float(np.abs(expected - new).max() / max(last[3] - last[1], 1e-6))
    return np.inf


def _between(rows: Rows, track_id: Array, before: Array, after: Array, pts_ns: Array) -> Rows:
    """Return rows (M,) at some pts, on the straight lines from rows before (M,) to rows after (M,)."""
    share = ((pts_ns - rows.pts_ns[before]) / (rows.pts_ns[after] - rows.pts_ns[before]))[:, None].astype(np.float32)
    head, body = (part[before] * (1 - share) + part[after] * share for part in (rows.head_box, rows.body_box))
    nothing = np.zeros(len(pts_ns), np.float32)
    return Rows(pts_ns, track_id[before], head, nothing, body, nothing, np.zeros(len(pts_ns), np.bool_))


def _by_track(track_id: Array) -> Iterator[Array]:
    """Yield the rows of each track, in order."""
    order = np.argsort(track_id, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(track_id[order])) + 1) if len(order) else ()


def _gap(seen_ns: Array, times_ns: Array) -> Array:
    """Return after which sight each time comes (M,); the nearest but one to the end where it comes after all."""
    return np.clip(np.searchsorted(seen_ns, times_ns) - 1, 0, len(seen_ns) - 2)


def _within(seen_ns: Array, times_ns: Array) -> Array:
    return np.asarray((times_ns > seen_ns[0]) & (times_ns < seen_ns[-1]))
