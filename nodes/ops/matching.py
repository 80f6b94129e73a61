"""Which detection is whom: people expected somewhere, paired with what a frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.assignment import Solver, assign
from nodes.ops.boxes import to_anchored
from nodes.ops.doubts import Doubt, doubt, doubtful
from nodes.ops.likeness import likeness, resemblance
from nodes.ops.motion import BODY, HEAD, heights
from nodes.ops.roster import Roster

Array = np.ndarray[Any, np.dtype[Any]]

_LEAST_WITNESSES = 4
"""So many people must agree before a jump of all is taken for one of the camera."""
_NEAR = 0.5
"""So near must a witness and its detection be, in its own heights."""
_APART = np.array([1.0, 1.0, 0.5, 0.5])
"""What differences in place and in sides count when the nearest is looked for."""
_SURE_JUMP = 2.0
"""A jump must be this many standard errors long."""
_LOOKS_WEIGHT = 0.3
"""What it adds to a likeness to look exactly alike rather than as two strangers do."""
_STRANGERS = 0.5
"""Resemblance of two strangers: as much for as against."""
_WALK = 1.5
"""How fast somebody out of sight may have gone, body heights per second."""


@dataclass(frozen=True)
class Found:
    """M detections of one frame, in fractions of the frame's height."""

    boxes: Array
    """(M, 2, 4) head and body `x1, y1, x2, y2`; NaN unseen."""
    anchored: Array
    """(M + 1, 2, 4) the same anchored; the last row is all NaN, for those who are not found."""
    seen: Array
    """(M + 1, 2) bool: which parts are seen; the last row is False."""
    scores: Array
    """(M,) the better of head and body."""
    looks: Array
    """(M, D) unit vectors, or 0 where nobody described the person."""

    @classmethod
    def of(cls, head_box: Array, body_box: Array, scores: Array, looks: Array, aspect: float) -> Found:
        """Return detections given in fractions of a frame `aspect` times as wide as high."""
        boxes = np.empty((len(scores) + 1, 2, 4))
        boxes[:-1, HEAD], boxes[:-1, BODY], boxes[-1] = head_box, body_box, np.nan
        boxes[..., ::2] *= aspect
        return cls(boxes[:-1], to_anchored(boxes), ~np.isnan(boxes[..., 0]), scores, looks)

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class Rules:
    """From when on a detection can be a person."""

    high_score: float
    min_likeness: float
    min_likeness_weak: float
    min_resemblance: float
    solver: Solver


def match(roster: Roster, found: Found, rules: Rules) -> tuple[Array, list[Doubt]]:
    """Match people with detections.

    First strong detections with all who have a number, whether just seen or lost; then weak ones with those of them
    who were seen just before; then strong ones with the lost who look like them, wherever they can have walked; then
    what is left with people not confirmed yet. Last, half a person completes a match that lacks it. Where most people
    jump together, the camera did: then everybody is moved along before they are matched.

    Args:
        roster: the N people, moved on to this frame; where the camera jumped, they are moved along.
        found: M detections.
        rules: when a detection can be a person.

    Returns:
        The rows of the detections of each person's head and body: (N, 2) int64, -1 unseen; and doubts about people
        found again beside where they were expected.
    """
    person, taken = np.full(len(roster), -1), np.zeros(len(found), np.bool_)
    if not len(roster) or not len(found):
        return np.full((len(roster), 2), -1), []
    known, just_seen = roster.track_id > 0, roster.just_seen()
    jump = _jump(roster, found, known & just_seen)
    if jump is not None:
        roster.motion = roster.motion.shifted(jump)
    alike = _alike(roster, found)
    strong = found.scores >= rules.high_score
    all_strong = np.count_nonzero(strong) == len(strong)

    def pair(gain: Array, who: Array, which: Array) -> None:
        rows, columns = (who & (person < 0)).nonzero()[0], (which & ~taken).nonzero()[0]
        if len(rows) and len(columns):
            everything = len(rows) == len(person) and len(columns) == len(taken)
            a, b = assign(gain if everything else gain[rows[:, None], columns], rules.solver)
            person[rows[a]] = columns[b]
            taken[columns[b]] = True

    pair(alike - rules.min_likeness, known, strong)
    again = ((person >= 0) & doubtful(roster)).nonzero()[0]
    doubts = doubt(roster, again, alike[again, person[again]]) if len(again) else []
    if not all_strong:
        pair(alike - rules.min_likeness_weak, known & just_seen, ~strong)
    if found.looks.shape[1] and roster.looks.shape[1] == found.looks.shape[1]:
        pair(_recognised(roster, found) - rules.min_resemblance, known, strong)
    if np.count_nonzero(known) < len(known):
        pair(alike - rules.min_likeness, ~known, np.ones_like(strong))
    pairs = np.where(found.seen[person], person[:, None], -1)
    if np.count_nonzero(found.seen[:, HEAD]) and np.count_nonzero(found.seen[:, BODY]):
        _complete(pairs, person, taken, alike - rules.min_likeness_weak, found, rules.solver)
    return pairs, doubts


def _alike(roster: Roster, found: Found) -> Array:
    """Return the likeness (N, M) by place and size, corrected by looks where both are known."""
    alike = likeness(roster.motion.boxes(), roster.motion.spread(), found.boxes)
    if found.looks.shape[1] and roster.looks.shape[1] == found.looks.shape[1]:
        more = _LOOKS_WEIGHT * (resemblance(roster.looks, found.looks) - _STRANGERS) / (1 - _STRANGERS)
        alike = np.where((alike > 0) & ~np.isnan(more), alike + more, alike)
    return alike


def _jump(roster: Roster, found: Found, who: Array) -> Array | None:
    """Return by how much (2,) everybody is elsewhere than expected; None when nobody or not most of them are.

    The median over those people who have a detection nearest to them that has nobody nearer, where it is clearly not 0.
    """
    part = BODY if np.count_nonzero(found.seen[:, BODY]) else HEAD
    rows = (who & roster.motion.known[:, part]).nonzero()[0]
    columns = found.seen[:, part].nonzero()[0]
    if len(rows) < _LEAST_WITNESSES or len(columns) < _LEAST_WITNESSES:
        return None
    expected = roster.motion.anchored()[rows, part]
    apart = found.anchored[columns, part] - expected[:, None]  # (A, B, 4)
    away = np.abs(apart) @ _APART
    nearest = away.argmin(axis=1)
    each = np.arange(len(rows))
    witness = (away.argmin(axis=0)[nearest] == each) & (away[each, nearest] < _NEAR * expected[:, 3])
    apart = apart[witness, nearest[witness], :2]
    if len(apart) < _LEAST_WITNESSES:
        return None
    jump = _median(apart)
    # Of a median, by the median of the deviations (1.48 of it is a standard deviation, and 1.25 of that over √n).
    error = 1.48 * 1.25 / len(apart) ** 0.5 * _median(np.abs(apart - jump))
    return jump if (np.abs(jump) > _SURE_JUMP * error).any() else None


def _median(values: Array) -> Array:
    """Return the medians (K,) of columns (N, K); `np.median` takes ten times as long for a few rows."""
    ordered = np.sort(values, axis=0)
    return np.asarray((ordered[len(values) // 2] + ordered[(len(values) - 1) // 2]) / 2)


def _recognised(roster: Roster, found: Found) -> Array:
    """Return how much people look alike (N, M), 0 where they cannot have walked there or looks are not known."""
    ours, theirs = roster.motion.anchored(), found.anchored[:-1]
    part = HEAD if not (found.seen[:, BODY].any() and roster.motion.known[:, BODY].any()) else BODY
    away = np.linalg.norm(theirs[None, :, part, :2] - ours[:, None, part, :2], axis=2)  # (N, M)
    lost_s = ((roster.pts_ns or 0) - roster.last_ns) / 1e9
    within = away <= _WALK * (lost_s + 0.2)[:, None] * heights(ours)[:, None]
    return np.where(within, np.nan_to_num(resemblance(roster.looks, found.looks)), 0)


def _complete(pairs: Array, person: Array, taken: Array, gain: Array, found: Found, solver: Solver) -> None:
    """Give people who lack a part a detection of that part alone, in place."""
    for part in (HEAD, BODY):
        halves = (~taken & ~found.seen[:-1, 1 - part]).nonzero()[0]
        lacking = ((person >= 0) & (pairs[:, part] < 0)).nonzero()[0]
        if len(halves) and len(lacking):
            a, b = assign(gain[lacking[:, None], halves], solver)
            pairs[lacking[a], part] = halves[b]
