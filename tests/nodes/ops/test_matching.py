"""Which detection is whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nodes.ops.assignment import Solver
from tests.nodes.ops.standing_people import RULES, Place, bodies, found, match, watched

SOLVERS = pytest.mark.parametrize("solver", ["scipy", "lap"])


@SOLVERS
def test_everybody_is_matched_with_who_stands_where_they_stood(solver: Solver) -> None:
    roster = watched([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)])

    pairs = match(roster, found([(0.81, 0.3), (0.19, 0.31), (0.35, 0.3)], parts="body"), replace(RULES, solver=solver))

    assert pairs.tolist() == [[-1, 1], [-1, -1], [-1, 0]]


@pytest.mark.parametrize(("people", "seen"), [([], []), ([], [(0.5, 0.3)]), ([(0.5, 0.3)], [])])
def test_nobody_is_matched_with_nobody(people: list[Place], seen: list[Place]) -> None:
    pairs = match(watched(people), found(seen))

    assert pairs.tolist() == [[-1, -1]] * len(people)


def test_weak_detections_are_for_those_just_seen() -> None:
    roster = watched([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], lost=[0, 0.04, 1])

    weak = match(roster, found([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], scores=0.3, parts="body"))
    strong = match(roster, found([(0.2, 0.3), (0.5, 0.3), (0.8, 0.3)], parts="body"))

    assert bodies(weak) == [0, -1, -1]
    assert bodies(strong) == [0, 1, 2]


def test_strong_detections_come_before_weak_ones() -> None:
    roster = watched([(0.5, 0.3)])

    pairs = match(roster, found([(0.5, 0.3), (0.53, 0.3)], scores=[0.59, 0.6], parts="body"))

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

    assert bodies(match(roster, found([(0.54, 0.3)], parts="body"))) == [0, -1]
    assert bodies(match(roster, found([(0.54, 0.3), (0.5, 0.3)], scores=0.3, parts="body"))) == [1, 0]


@pytest.mark.parametrize(("x", "who"), [(0.49, [0, -1]), (0.55, [-1, 0])])
def test_of_two_lost_the_likelier_is_found(x: float, who: list[int]) -> None:
    roster = watched([(0.47, 0.3), (0.57, 0.3)], lost=0.4)

    assert bodies(match(roster, found([(x, 0.3)], parts="body"))) == who


def test_somebody_in_sight_comes_before_somebody_lost_who_might_be_anywhere() -> None:
    roster = watched([(0.47, 0.3), (0.53, 0.3)], lost=[1.0, 0])

    assert bodies(match(roster, found([(0.5, 0.3)], parts="body"))) == [-1, 0]


def test_a_head_and_a_body_found_apart_complete_each_other() -> None:
    roster = watched([(0.3, 0.3), (0.7, 0.3)], parts="both")
    apart = found([(0.3, 0.3), (0.7, 0.3), (0.7, 0.3), (0.3, 0.3)], parts=["head", "head", "body", "body"])

    assert match(roster, apart).tolist() == [[0, 3], [1, 2]]


def test_a_half_that_is_elsewhere_completes_nobody() -> None:
    roster = watched([(0.3, 0.3)], parts="both")
    apart = found([(0.3, 0.3), (0.45, 0.3)], parts=["body", "head"])

    assert match(roster, apart).tolist() == [[-1, 0]]


def test_what_is_found_whole_is_not_torn_apart() -> None:
    """The head that is left over belongs to somebody else's body."""
    roster = watched([(0.3, 0.3)], parts="both")
    seen = found([(0.3, 0.3), (0.31, 0.3)], parts=["body", "both"], scores=[0.9, 0.5])

    assert match(roster, seen).tolist() == [[-1, 0]]


@pytest.mark.parametrize(("like", "matched"), [([1.0, 0.0], 0), ([0.0, 1.0], 1)])
def test_looks_decide_between_two_who_are_as_near(like: list[float], matched: int) -> None:
    roster = watched([(0.5, 0.3)], looks=[like])

    pairs = match(roster, found([(0.47, 0.3), (0.53, 0.3)], parts="body", looks=[[1, 0], [0, 1]]))

    assert bodies(pairs) == [matched]


def test_two_who_pass_each_other_are_told_apart_by_looks() -> None:
    """Each is found nearer to where the other one was."""
    red, blue = [1.0, 0.0], [0.0, 1.0]
    places, crossed = [(0.47, 0.3), (0.53, 0.3)], [(0.525, 0.3), (0.475, 0.3)]

    by_place = match(watched(places), found(crossed, parts="body"))
    by_looks = match(watched(places, looks=[red, blue]), found(crossed, parts="body", looks=[red, blue]))

    assert bodies(by_place) == [1, 0]
    assert bodies(by_looks) == [0, 1]


def test_who_is_not_described_is_matched_by_place() -> None:
    roster = watched([(0.3, 0.3), (0.7, 0.3)], looks=[[1, 0], [0, 0]])

    pairs = match(roster, found([(0.3, 0.3), (0.7, 0.3)], parts="body", looks=[[0, 0], [0, 1]]))

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

    pairs = match(roster, found([(x, 0.3)], score, parts="body", looks=[like]))

    assert bodies(pairs) == [matched]


def test_heads_alone_are_recognised_as_far_as_whole_people_walk() -> None:
    """Heads of people 0.24 high, out of sight for 1 s: 0.25 away is near enough, 0.7 is not."""
    roster, by_looks = watched([(0.2, 0.3)], parts="head", lost=1.0, looks=[[1, 0]]), replace(RULES, min_likeness=1.0)

    near, far = (match(roster, found([(x, 0.3)], parts="head", looks=[[1, 0]]), by_looks).tolist() for x in (0.45, 0.9))

    assert (near, far) == ([[0, -1]], [[-1, -1]])
