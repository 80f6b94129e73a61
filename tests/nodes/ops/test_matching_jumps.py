"""When the camera jumps, everybody seems to; when people walk, they do not do so together."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.ops.motion import BODY, HEAD
from tests.nodes.ops.standing_people import Place, bodies, found, match, watched

HALL = [(0.1, 0.1), (0.5, 0.15), (0.85, 0.1), (0.15, 0.6), (0.5, 0.55), (0.8, 0.6)]


@pytest.mark.parametrize("by", [(0.14, 0.0), (-0.05, 0.09), (0.06, -0.08)])
@pytest.mark.parametrize("parts", ["body", "head"])
def test_a_jump_of_everybody_is_followed(by: Place, parts: str) -> None:
    """As of a camera that is pushed: by up to half a body or head, so that nobody is left where they were expected."""
    roster, reach = watched(HALL, parts=parts), 1.0 if parts == "body" else 0.13
    jump = np.array(by) * reach
    before = roster.motion.anchored().copy()

    pairs = match(roster, found([(x + jump[0], y + jump[1]) for x, y in HALL[::-1]], parts=parts))

    assert pairs[:, BODY if parts == "body" else HEAD].tolist() == [5, 4, 3, 2, 1, 0]
    moved = roster.motion.anchored() - before
    assert moved[:, BODY if parts == "body" else HEAD] == pytest.approx(np.tile([*jump, 0, 0], (6, 1)), abs=1e-3)


def test_people_who_walk_to_different_sides_move_nobody() -> None:
    roster = watched(HALL)
    before = roster.motion.anchored().copy()
    steps = [(0.03, 0), (-0.03, 0.01), (0.02, -0.01), (-0.02, 0), (0.03, 0.01), (-0.03, -0.01)]

    pairs = match(roster, found([(x + a, y + b) for (x, y), (a, b) in zip(HALL, steps, strict=True)]))

    assert bodies(pairs) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_most_may_tell_of_a_jump_while_others_walk_and_come_and_go() -> None:
    roster = watched([*HALL, (0.3, 0.35)])
    before = roster.motion.anchored().copy()
    seen = [(x + 0.11, y) for x, y in HALL[:5]] + [(0.8, 0.62), (0.6, 0.9)]  # one walks, one has gone, one is new

    assert bodies(match(roster, found(seen, parts="body")))[:5] == [0, 1, 2, 3, 4]
    assert (roster.motion.anchored() - before)[:, BODY] == pytest.approx(np.tile([0.11, 0, 0, 0], (7, 1)), abs=1e-3)


def test_two_people_for_one_detection_are_not_both_believed() -> None:
    """The last has gone, and stood behind the third; so only three can tell."""
    roster = watched([*HALL[:3], (0.93, 0.1)])
    before = roster.motion.anchored().copy()

    match(roster, found([(x + 0.03, y) for x, y in HALL[:3]] + [(0.5, 0.9)], parts="body"))

    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_few_people_tell_of_no_jump() -> None:
    roster = watched(HALL[:3])
    before = roster.motion.anchored().copy()

    pairs = match(roster, found([(x + 0.11, y) for x, y in HALL[:3]], parts="body"))

    assert bodies(pairs) == [-1, -1, -1]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_those_lost_tell_of_no_jump_and_go_along() -> None:
    roster = watched([*HALL, (0.3, 0.35)], lost=[0] * 6 + [1])
    before = roster.motion.anchored()[6, BODY].copy()

    match(roster, found([(x + 0.11, y) for x, y in HALL], parts="body"))

    assert roster.motion.anchored()[6, BODY] - before == pytest.approx([0.11, 0, 0, 0], abs=1e-3)


def test_people_found_again_tell_of_no_jump() -> None:
    roster = watched(HALL, lost=0.2)
    before = roster.motion.anchored().copy()

    assert bodies(match(roster, found([(x + 0.03, y) for x, y in HALL], parts="body"))) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)
