"""Find out late that a newcomer is somebody lost: when both have been watched for a while, their ways tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.assignment import Solver, assign
from nodes.ops.likeness import resemblance
from nodes.ops.motion import BODY, HEAD, Pace, heights
from nodes.ops.roster import COMPARED_AT_NS, NEVER_NS, Roster

Array = np.ndarray[Any, np.dtype[Any]]

_LEAST_LOST_NS = 300_000_000
"""Who is out of sight for less is still looked for where expected."""
_SURE = 1.0
"""How far the two ways may miss each other, in what people stray from a straight way."""
_STRAY = (0.12, 0.3)
"""What people stray: at once, and more in each second; body heights."""
_SIZE_WEIGHT = 4.0
"""What a size that differs by a factor of e counts."""
_LOOKS_WEIGHT = 2.0
"""What looks count that have nothing in common."""


def reunite(roster: Roster, pace: Pace, solver: Solver) -> tuple[Array, list[tuple[int, int, int]]]:
    """Give newcomers who turn out to be somebody lost the number of that person.

    A way out of sight is taken to go on half as it ended and half as it begins again, each fading as people's speeds
    do. That is far surer than the first sight alone, for which nobody was near enough to be matched.

    Args:
        roster: the N people after a frame; those who were found again are put together.
        pace: how people move.
        solver: of the assignment.

    Returns:
        Who is left (N,) bool, and the corrections: (number the newcomer had, its first pts, number of the person).
    """
    everybody = np.ones(len(roster), np.bool_)
    new = _due(roster)
    if not len(new):
        return everybody, []
    seen_ns = roster.last_ns
    lost = (roster.track_id > 0) & (seen_ns + _LEAST_LOST_NS <= roster.pts_ns) & (seen_ns < roster.first_ns[new].max())
    old = np.flatnonzero(lost)
    if not len(old):
        return everybody, []
    rows, columns = assign(_SURE - _miss(roster, old, new, pace), solver)
    corrections = []
    for gone, back in zip(old[rows].tolist(), new[columns].tolist(), strict=True):
        corrections.append((int(roster.track_id[back]), int(roster.first_ns[back]), int(roster.track_id[gone])))
        roster.track_id[back], roster.first_ns[back] = roster.track_id[gone], roster.first_ns[gone]
        everybody[gone] = False
    roster.keep(everybody)
    return everybody, corrections


def _due(roster: Roster) -> Array:
    """Return the newcomers in sight who are to be compared with the lost in this frame: (B,) rows."""
    assert roster.pts_ns is not None
    if roster.pts_ns < roster.compare_ns:
        return np.empty(0, np.int64)
    age_ns = roster.pts_ns - roster.first_ns
    before_ns = age_ns - (0 if roster.before_ns is None else roster.pts_ns - roster.before_ns)
    then, now = (np.searchsorted(COMPARED_AT_NS, ages_ns, "right") for ages_ns in (before_ns, age_ns))
    next_ns = np.append(COMPARED_AT_NS, NEVER_NS - roster.pts_ns)[now] + roster.first_ns
    roster.compare_ns = int(next_ns.min(initial=NEVER_NS))
    return np.flatnonzero((now > then) & (roster.last_ns == roster.pts_ns) & (roster.track_id > 0))


def _miss(roster: Roster, old: Array, new: Array, pace: Pace) -> Array:
    """Return by how much the ways of lost people (A,) and newcomers (B,) miss each other: (A, B), inf for never."""
    seen_ns = roster.last_ns[old]
    gap_s = (roster.first_ns[new] - seen_ns[:, None]) / 1e9
    before, after, first = roster.last_mean[old], roster.motion.mean[:, new].swapaxes(0, 1), roster.first_box[new]
    bodies = ~np.isnan(before[:, 0, BODY, 0])[:, None] & ~np.isnan(first[:, BODY, 0])
    away = _apart(before, after, first, gap_s, pace, BODY)
    if not bodies.all():
        away = np.where(bodies, away, _apart(before, after, first, gap_s, pace, HEAD))
    tall = np.log(heights(before[:, 0])[:, None] / heights(first))
    miss = away / (_STRAY[0] + _STRAY[1] * np.maximum(gap_s, 0)) + _SIZE_WEIGHT * np.abs(tall)
    if roster.looks.shape[1]:
        unlike = 1 - resemblance(roster.looks[old], roster.looks[new])
        miss += _LOOKS_WEIGHT * np.nan_to_num(unlike, nan=0.5) - _LOOKS_WEIGHT / 2
    return np.where((gap_s > 0) & ~np.isnan(miss), miss, np.inf)


def _apart(before: Array, after: Array, first: Array, gap_s: Array, pace: Pace, part: int) -> Array:
    """Return how far from where it would lead the way of a part begins again: (A, B) body heights, NaN unknown."""
    walked_s = pace.persistence_s * -np.expm1(-np.maximum(gap_s, 0) / pace.persistence_s)
    speed = (before[:, None, 1, part, :2] + after[None, :, 1, part, :2]) / 2
    missed = first[None, :, part, :2] - before[:, None, 0, part, :2] - walked_s[..., None] * speed
    tall = np.sqrt(heights(before[:, 0])[:, None] * heights(first))
    return np.asarray(np.linalg.norm(missed, axis=2) / tall)
