"""When a doubt is settled, who gets which number, and when it is let go."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.ops.doubts import Doubt, doubt, doubtful, settle
from nodes.ops.motion import BODY
from nodes.ops.roster import Roster
from tests.nodes.ops.standing_people import PACE, STEP_NS, watched

OLD, WRONG, NEW = (0.3, 0.3), (0.38, 0.3), (0.31, 0.3)


def scene(new: tuple[float, float] = NEW) -> tuple[Roster, Doubt]:
    """Return somebody with number 1, found at WRONG where OLD was expected, a newcomer, and the doubt."""
    expected = watched([OLD], lost=0.4)
    roster = watched([WRONG, (0.8, 0.3), new])
    roster.track_id = np.array([1, 2, 0])
    roster.last_id = 2
    roster.first_ns = np.array([0, 5, roster.pts_ns])
    return roster, Doubt(1, since(roster), 0.3, expected.motion)


def since(roster: Roster) -> int:
    assert roster.pts_ns is not None
    return roster.pts_ns - 5 * STEP_NS


DUE = np.array([2])


def test_the_newcomer_gets_the_number_and_the_other_a_new_one() -> None:
    roster, doubt_of_1 = scene()

    left, corrections = settle(roster, [doubt_of_1], DUE, PACE)

    assert (left, corrections) == ([], [(1, since(roster), 3)])
    assert roster.track_id.tolist() == [3, 2, 1]
    assert roster.first_ns.tolist() == [since(roster), 5, 0]
    assert roster.last_id == 3


@pytest.mark.parametrize(
    ("new", "alike", "settled"),
    [
        (NEW, 0.3, True),
        (NEW, 0.7, False),  # not so much more alike than the one found first
        ((0.5, 0.3), 0.3, False),  # elsewhere
        ((0.31, 0.6), 0.3, False),
    ],
)
def test_it_takes_somebody_clearly_more_alike(new: tuple[float, float], alike: float, settled: bool) -> None:
    roster, doubt_of_1 = scene(new)
    doubt_of_1.alike = alike

    left, corrections = settle(roster, [doubt_of_1], DUE, PACE)

    assert (len(left), len(corrections)) == ((0, 1) if settled else (1, 0))
    assert roster.track_id[0] == (3 if settled else 1)


def test_where_somebody_is_expected_moves_on_and_grows() -> None:
    """The one who was lost was walking: after 0.5 s, a newcomer is looked for farther on."""
    ahead, behind = (scene((x, 0.3)) for x in (0.4, 0.24))
    for roster, each in (ahead, behind):
        each.expected.mean[1, 0, BODY, 0] = 0.25
        each.since_ns = roster.pts_ns - 500_000_000 if roster.pts_ns else 0

    (_, told), (_, untold) = (settle(roster, [each], DUE, PACE) for roster, each in (ahead, behind))

    assert [len(told), len(untold)] == [1, 0]


@pytest.mark.parametrize(("age_ns", "left"), [(1_500_000_000, 1), (1_500_000_001, 0)])
def test_a_doubt_is_let_go_after_a_while(age_ns: int, left: int) -> None:
    roster, doubt_of_1 = scene((0.6, 0.3))
    assert roster.pts_ns is not None
    roster.pts_ns += 2_000_000_000
    doubt_of_1.since_ns = roster.pts_ns - age_ns

    for due in (DUE, np.empty(0, np.int64)):
        kept, corrections = settle(roster, [doubt_of_1], due, PACE)
        assert (len(kept), corrections) == (left, [])


def test_about_somebody_who_is_no_more_nothing_is_settled() -> None:
    roster, doubt_of_1 = scene()
    roster.track_id = np.array([7, 2, 0])

    _, corrections = settle(roster, [doubt_of_1], DUE, PACE)

    assert corrections == []
    assert roster.track_id.tolist() == [7, 2, 0]


def test_a_newcomer_settles_one_doubt() -> None:
    roster, doubt_of_1 = scene()
    doubt_of_2 = Doubt(2, since(roster), 0.3, doubt_of_1.expected)

    left, corrections = settle(roster, [doubt_of_1, doubt_of_2], DUE, PACE)

    assert left == [doubt_of_2]
    assert corrections == [(1, since(roster), 3)]
    assert roster.track_id.tolist() == [3, 2, 1]


def test_once_it_is_settled_who_has_a_number_older_and_newer_doubts_are_over() -> None:
    roster, doubt_of_1 = scene()
    others = [Doubt(1, since(roster) - age_ns, 0.7, doubt_of_1.expected) for age_ns in (9, -9)]

    left, corrections = settle(roster, [others[0], doubt_of_1, others[1]], DUE, PACE)

    assert (left, corrections) == ([], [(1, since(roster), 3)])


@pytest.mark.parametrize(("lost_s", "is_doubtful"), [(0.0, False), (0.24, False), (0.32, True), (2.0, True)])
def test_who_was_out_of_sight_for_long_is_doubtful(lost_s: float, is_doubtful: bool) -> None:
    roster = watched([OLD, WRONG], lost=lost_s)
    roster.track_id = np.array([1, 0])

    assert doubtful(roster).tolist() == [is_doubtful, False]


def test_doubts_are_about_those_who_were_little_alike() -> None:
    roster = watched([OLD, (0.6, 0.3)], lost=1.0)

    doubts = doubt(roster, np.array([0, 1]), np.array([0.5, 0.49]))

    assert [(each.track_id, each.since_ns, each.alike) for each in doubts] == [(2, roster.pts_ns, 0.49)]
    assert doubts[0].expected.anchored()[0, BODY, :2] == pytest.approx([0.6, 0.3])
