"""Which detection is whom: people made by hand in a square frame, 0.3 of it high and 0.1 wide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nodes.ops.assignment import Solver
from nodes.ops.boxes import to_anchored
from nodes.ops.matching import Found, Rules, match
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.roster import Roster

PACE = Pace(speed=0.8, persistence_s=1.5)
RULES = Rules(high_score=0.6, min_likeness=0.2, min_likeness_weak=0.4, min_resemblance=0.6, solver="scipy")
STEP_NS = 40_000_000
WIDTH, HEIGHT = 0.1, 0.3
SOLVERS = pytest.mark.parametrize("solver", ["scipy", "lap"])

Place = tuple[float, float]


def boxes(places: list[Place], parts: str | list[str] = "both") -> np.ndarray:
    """Return head and body (N, 2, 4) of people by middle line and crown; `parts` says which are seen."""
    made = np.array(
        [[[x - 0.015, y, x + 0.015, y + 0.04], [x - WIDTH / 2, y, x + WIDTH / 2, y + HEIGHT]] for x, y in places]
    ).reshape(-1, 2, 4)
    each = [parts] * len(places) if isinstance(parts, str) else parts
    for row, part in enumerate(each):
        if part in ("head", "body"):
            made[row, BODY if part == "head" else HEAD] = np.nan
    return made


def found(
    places: list[Place],
    scores: list[float] | float = 0.9,
    parts: str | list[str] = "both",
    looks: list[list[float]] | None = None,
) -> Found:
    head_body = boxes(places, parts)
    described = np.zeros((len(places), 0)) if looks is None else np.array(looks)
    score = np.broadcast_to(np.asarray(scores, np.float64), (len(places),))
    return Found.of(head_body[:, HEAD], head_body[:, BODY], score, described, 1.0)


def watched(
    places: list[Place],
    *,
    lost: list[float] | float = 0.0,
    parts: str = "body",
    looks: list[list[float]] | None = None,
    confirmed: bool = True,
) -> Roster:
    """Return people who stood still for a second, each out of sight for `lost` seconds, moved on to the next frame."""
    out_of_sight = np.broadcast_to(np.asarray(lost, np.float64), (len(places),))
    roster, head_body = Roster(), boxes(places, parts)
    seen, described = ~np.isnan(head_body[..., 0]), np.zeros((len(places), 0)) if looks is None else np.array(looks)
    count = 25 + round(max(out_of_sight, default=0) * 25)
    for index in range(count):
        roster.advance(index * STEP_NS, 10.0, PACE)
        if index:
            here = index < count - np.round(out_of_sight * 25)
            roster.see(to_anchored(head_body), seen & here[:, None], described * here[:, None], PACE)
        else:
            roster.add(to_anchored(head_body), seen, described, PACE)
        if confirmed:
            roster.confirm(0.0)
    roster.advance(count * STEP_NS, 10.0, PACE)
    return roster


def bodies(pairs: np.ndarray) -> list[int]:
    return pairs[:, BODY].tolist()


@SOLVERS
def test_everybody_is_matched_with_who_stands_where_they_stood(solver: Solver) -> None:
    roster = watched([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)])

    pairs = match(roster, found([(0.81, 0.3), (0.19, 0.31), (0.35, 0.3)], parts="body"), replace(RULES, solver=solver))

    assert pairs.tolist() == [[-1, 1], [-1, -1], [-1, 0]]


@pytest.mark.parametrize(("people", "seen"), [([], []), ([], [(0.5, 0.3)]), ([(0.5, 0.3)], [])])
def test_nobody_is_matched_with_nobody(people: list[Place], seen: list[Place]) -> None:
    pairs = match(watched(people), found(seen), RULES)

    assert pairs.tolist() == [[-1, -1]] * len(people)


def test_weak_detections_are_for_those_just_seen() -> None:
    roster = watched([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], lost=[0, 0.04, 1])

    weak = match(roster, found([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], scores=0.3, parts="body"), RULES)
    strong = match(roster, found([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], parts="body"), RULES)

    assert bodies(weak) == [0, -1, -1]
    assert bodies(strong) == [0, 1, 2]


def test_strong_detections_come_before_weak_ones() -> None:
    roster = watched([(0.5, 0.3)])

    pairs = match(roster, found([(0.5, 0.3), (0.53, 0.3)], scores=[0.59, 0.6], parts="body"), RULES)

    assert bodies(pairs) == [1]


@pytest.mark.parametrize(("score", "x", "matched"), [(0.9, 0.04, 0), (0.9, 0.08, -1), (0.3, 0.02, 0), (0.3, 0.05, -1)])
def test_weak_detections_must_be_nearer(score: float, x: float, matched: int) -> None:
    """Overlaps of 0.43, 0.11, 0.67 and 0.33, and somewhat more for places that are not certain."""
    rules = replace(RULES, min_likeness=0.3, min_likeness_weak=0.5)

    pairs = match(watched([(0.5, 0.3)]), found([(0.5 + x, 0.3)], score, parts="body"), rules)

    assert bodies(pairs) == [matched]


def test_people_with_a_number_come_before_those_without() -> None:
    roster = watched([(0.5, 0.3), (0.54, 0.3)])
    roster.track_id = np.array([1, 0])

    assert bodies(match(roster, found([(0.54, 0.3)], parts="body"), RULES)) == [0, -1]
    assert bodies(match(roster, found([(0.54, 0.3), (0.5, 0.3)], scores=0.3, parts="body"), RULES)) == [1, 0]


@pytest.mark.parametrize(("x", "who"), [(0.49, [0, -1]), (0.55, [-1, 0])])
def test_of_two_lost_the_likelier_is_found(x: float, who: list[int]) -> None:
    roster = watched([(0.47, 0.3), (0.57, 0.3)], lost=0.4)

    assert bodies(match(roster, found([(x, 0.3)], parts="body"), RULES)) == who


def test_somebody_in_sight_comes_before_somebody_lost_who_might_be_anywhere() -> None:
    roster = watched([(0.47, 0.3), (0.53, 0.3)], lost=[1.0, 0])

    assert bodies(match(roster, found([(0.5, 0.3)], parts="body"), RULES)) == [-1, 0]


HALL = [(0.1, 0.1), (0.5, 0.15), (0.85, 0.1), (0.15, 0.6), (0.5, 0.55), (0.8, 0.6)]


@pytest.mark.parametrize("by", [(0.14, 0.0), (-0.05, 0.09), (0.06, -0.08)])
@pytest.mark.parametrize("parts", ["body", "head"])
def test_a_jump_of_everybody_is_followed(by: Place, parts: str) -> None:
    """As of a camera that is pushed: by up to half a body or head, so that nobody is left where they were expected."""
    roster, reach = watched(HALL, parts=parts), 1.0 if parts == "body" else 0.13
    jump = np.array(by) * reach
    before = roster.motion.anchored().copy()

    pairs = match(roster, found([(x + jump[0], y + jump[1]) for x, y in HALL[::-1]], parts=parts), RULES)

    assert pairs[:, BODY if parts == "body" else HEAD].tolist() == [5, 4, 3, 2, 1, 0]
    moved = roster.motion.anchored() - before
    assert moved[:, BODY if parts == "body" else HEAD] == pytest.approx(np.tile([*jump, 0, 0], (6, 1)), abs=1e-3)


def test_people_who_walk_to_different_sides_move_nobody() -> None:
    roster = watched(HALL)
    before = roster.motion.anchored().copy()
    steps = [(0.03, 0), (-0.03, 0.01), (0.02, -0.01), (-0.02, 0), (0.03, 0.01), (-0.03, -0.01)]

    pairs = match(roster, found([(x + a, y + b) for (x, y), (a, b) in zip(HALL, steps, strict=True)]), RULES)

    assert bodies(pairs) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_most_may_tell_of_a_jump_while_others_walk_and_come_and_go() -> None:
    roster = watched([*HALL, (0.3, 0.35)])
    before = roster.motion.anchored().copy()
    seen = [(x + 0.11, y) for x, y in HALL[:5]] + [(0.8, 0.62), (0.6, 0.9)]  # one walks, one has gone, one is new

    assert bodies(match(roster, found(seen, parts="body"), RULES))[:5] == [0, 1, 2, 3, 4]
    assert (roster.motion.anchored() - before)[:, BODY] == pytest.approx(np.tile([0.11, 0, 0, 0], (7, 1)), abs=1e-3)


def test_two_people_for_one_detection_are_not_both_believed() -> None:
    """The last has gone, and stood behind the third; so only three can tell."""
    roster = watched([*HALL[:3], (0.93, 0.1)])
    before = roster.motion.anchored().copy()

    match(roster, found([(x + 0.03, y) for x, y in HALL[:3]] + [(0.5, 0.9)], parts="body"), RULES)

    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_few_people_tell_of_no_jump() -> None:
    roster = watched(HALL[:3])
    before = roster.motion.anchored().copy()

    pairs = match(roster, found([(x + 0.11, y) for x, y in HALL[:3]], parts="body"), RULES)

    assert bodies(pairs) == [-1, -1, -1]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_those_lost_tell_of_no_jump_and_go_along() -> None:
    roster = watched([*HALL, (0.3, 0.35)], lost=[0] * 6 + [1])
    before = roster.motion.anchored()[6, BODY].copy()

    match(roster, found([(x + 0.11, y) for x, y in HALL], parts="body"), RULES)

    assert roster.motion.anchored()[6, BODY] - before == pytest.approx([0.11, 0, 0, 0], abs=1e-3)


def test_people_found_again_tell_of_no_jump() -> None:
    roster = watched(HALL, lost=0.2)
    before = roster.motion.anchored().copy()

    assert bodies(match(roster, found([(x + 0.03, y) for x, y in HALL], parts="body"), RULES)) == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(roster.motion.anchored(), before, equal_nan=True)


def test_a_head_and_a_body_found_apart_complete_each_other() -> None:
    roster = watched([(0.3, 0.3), (0.7, 0.3)], parts="both")
    apart = found([(0.3, 0.3), (0.7, 0.3), (0.7, 0.3), (0.3, 0.3)], parts=["head", "head", "body", "body"])

    assert match(roster, apart, RULES).tolist() == [[0, 3], [1, 2]]


def test_a_half_that_is_elsewhere_completes_nobody() -> None:
    roster = watched([(0.3, 0.3)], parts="both")
    apart = found([(0.3, 0.3), (0.45, 0.3)], parts=["body", "head"])

    assert match(roster, apart, RULES).tolist() == [[-1, 0]]


def test_what_is_found_whole_is_not_torn_apart() -> None:
    """The head that is left over belongs to somebody else's body."""
    roster = watched([(0.3, 0.3)], parts="both")
    seen = found([(0.3, 0.3), (0.31, 0.3)], parts=["body", "both"], scores=[0.9, 0.5])

    assert match(roster, seen, RULES).tolist() == [[-1, 0]]


@pytest.mark.parametrize(("like", "matched"), [([1.0, 0.0], 0), ([0.0, 1.0], 1)])
def test_looks_decide_between_two_who_are_as_near(like: list[float], matched: int) -> None:
    roster = watched([(0.5, 0.3)], looks=[like])

    pairs = match(roster, found([(0.47, 0.3), (0.53, 0.3)], parts="body", looks=[[1, 0], [0, 1]]), RULES)

    assert bodies(pairs) == [matched]


def test_two_who_pass_each_other_are_told_apart_by_looks() -> None:
    """Each is found nearer to where the other one was."""
    red, blue = [1.0, 0.0], [0.0, 1.0]
    places, crossed = [(0.47, 0.3), (0.53, 0.3)], [(0.525, 0.3), (0.475, 0.3)]

    by_place = match(watched(places), found(crossed, parts="body"), RULES)
    by_looks = match(watched(places, looks=[red, blue]), found(crossed, parts="body", looks=[red, blue]), RULES)

    assert bodies(by_place) == [1, 0]
    assert bodies(by_looks) == [0, 1]


def test_who_is_not_described_is_matched_by_place() -> None:
    roster = watched([(0.3, 0.3), (0.7, 0.3)], looks=[[1, 0], [0, 0]])

    pairs = match(roster, found([(0.3, 0.3), (0.7, 0.3)], parts="body", looks=[[0, 0], [0, 1]]), RULES)

    assert bodies(pairs) == [0, 1]


@pytest.mark.parametrize(
    ("x", "like", "score", "matched"),
    [
        (0.7, [0.8, 0.6], 0.9, 0),  # 1.7 body heights away after 1 s out of sight
        (0.9, [0.8, 0.6], 0.9, -1),  # 2.3: nobody walks that fast
        (0.7, [0.5, 0.866], 0.9, -1),  # looks too little like it
        (0.7, [0.0, 0.0], 0.9, -1),  # not described
        (0.7, [0.8, 0.6], 0.5, -1),  # a weak detection
    ],
)
def test_who_is_lost_is_recognised_where_they_can_have_walked(
    x: float, like: list[float], score: float, matched: int
) -> None:
    roster = watched([(0.2, 0.3)], lost=1.0, looks=[[1, 0]])

    pairs = match(roster, found([(x, 0.3)], score, parts="body", looks=[like]), RULES)

    assert bodies(pairs) == [matched]


def test_heads_alone_are_recognised_as_far_as_whole_people_walk() -> None:
    """Heads of people 0.24 high, out of sight for 1 s: 0.25 away is near enough, 0.7 is not."""
    roster, by_looks = watched([(0.2, 0.3)], parts="head", lost=1.0, looks=[[1, 0]]), replace(RULES, min_likeness=1.0)

    near, far = (match(roster, found([(x, 0.3)], parts="head", looks=[[1, 0]]), by_looks).tolist() for x in (0.45, 0.9))

    assert (near, far) == ([[0, -1]], [[-1, -1]])
