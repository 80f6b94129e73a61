"""Somebody found again a little beside where expected may be somebody else: remember that until it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.likeness import likeness
from nodes.ops.motion import Motion, Pace
from nodes.ops.roster import Roster

Array = np.ndarray[Any, np.dtype[Any]]

_LOST_NS = 300_000_000
"""Who was out of sight for less is not doubted."""
_DOUBTED = 0.5
"""Likeness below which it is doubted that somebody found again is the one who was lost."""
_OPEN_NS = 1_500_000_000
"""For how long a doubt is remembered."""
_LIKELIER = 0.2
"""By so much must a newcomer be more alike to be the one who was lost."""


@dataclass
class Doubt:
    """One person found again who may be somebody else."""

    track_id: int
    since_ns: int
    """pts at which the person was found again."""
    alike: float
    """How alike to the one who was lost."""
    expected: Motion
    """Where that one was expected."""


def doubtful(roster: Roster) -> Array:
    """Tell who has a number and was out of sight for so long that it is doubtful who is found: (N,) bool."""
    assert roster.pts_ns is not None
    return np.asarray((roster.last_ns <= roster.pts_ns - _LOST_NS) & (roster.track_id > 0))


def doubt(roster: Roster, rows: Array, alike: Array) -> list[Doubt]:
    """Return doubts about people just matched, before they are moved to where they were found.

    Args:
        roster: the people, as expected in this frame.
        rows: (K,) who is matched of those of whom it is doubtful.
        alike: (K,) the likeness with which.
    """
    assert roster.pts_ns is not None
    return [
        Doubt(int(roster.track_id[row]), roster.pts_ns, much, roster.motion.take(np.array([row])))
        for row, much in zip(rows.tolist(), alike.tolist(), strict=True)
        if much < _DOUBTED
    ]


def settle(
    roster: Roster, doubts: list[Doubt], new: Array, pace: Pace
) -> tuple[list[Doubt], list[tuple[int, int, int]]]:
    """Give newcomers who are where somebody doubted would be that one's number, and the other a new one.

    Args:
        roster: the people after a frame.
        doubts: what was doubted before this frame.
        new: (K,) rows of newcomers who are to get a number.
        pace: how people move.

    Returns:
        The doubts that are left, and the corrections: (number, since which pts it was somebody else's, that one's
        number).
    """
    assert roster.pts_ns is not None
    now_ns = roster.pts_ns
    doubts = [each for each in doubts if now_ns - each.since_ns <= _OPEN_NS]
    if not doubts or not len(new):
        return doubts, []
    left, corrections = [], []
    for each in doubts:
        expected = each.expected.predict((now_ns - each.since_ns) / 1e9, pace)
        there = likeness(expected.boxes(), expected.spread(), roster.motion.boxes()[new])[0]
        right = new[there.argmax()]
        wrong = np.flatnonzero(roster.track_id == each.track_id)
        if there.max() < each.alike + _LIKELIER or not len(wrong) or roster.track_id[right]:
            left.append(each)
            continue
        roster.last_id += 1
        roster.track_id = roster.track_id.copy()
        roster.track_id[right], roster.first_ns[right] = each.track_id, roster.first_ns[wrong[0]]
        roster.track_id[wrong[0]], roster.first_ns[wrong[0]] = roster.last_id, each.since_ns
        corrections.append((each.track_id, each.since_ns, roster.last_id))
    settled = {number for number, _, _ in corrections}
    return [each for each in left if each.track_id not in settled], corrections
