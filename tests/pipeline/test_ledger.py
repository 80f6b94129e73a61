"""Frames are counted at every node, and what does not add up is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger import Ledger


def test_frames_that_came_went_or_were_dropped_add_up():
    ledger = Ledger()
    ledger.came("a", 5)
    ledger.went("a", 3)
    ledger.dropped("a", "slow")
    ledger.dropped("a", "late")

    assert ledger.to_dict() == {"a": {"in": 5, "out": 3, "dropped": {"late": 1, "slow": 1}, "in_flight": 0}}
    assert ledger.violations() == []


def test_frames_that_are_missing_are_a_violation():
    ledger = Ledger()
    ledger.came("a", 5)
    ledger.went("a", 3)
    ledger.dropped("a", "slow")
    ledger.came("b", 1)
    ledger.went("b", 2)

    assert ledger.violations() == [
        "node 'a': 5 frames came, 3 went, 1 were dropped, 1 are missing",
        "node 'b': 1 frames came, 2 went, 0 were dropped, -1 are missing",
    ]


def test_frames_that_are_lost_between_two_nodes_are_a_violation():
    ledger = Ledger()
    for node, frames in (("a", 5), ("b", 4)):
        ledger.came(node, frames)
        ledger.went(node, frames)

    assert ledger.violations([("a", "b")]) == ["between 'a' and 'b': 5 frames left, 4 came"]
    assert ledger.violations([("b", "c")]) == ["between 'b' and 'c': 4 frames left, 0 came"]
    assert ledger.violations([("c", "d")]) == []


def test_what_a_failure_stopped_is_settled_as_dropped():
    ledger = Ledger()
    ledger.came("a", 9)
    ledger.went("a", 7)
    ledger.came("b", 4)
    ledger.went("b", 4)
    hand_overs = [("a", "b"), ("b", "c")]

    for _ in range(2):
        ledger.settle(hand_overs, "run_stopped")

        assert ledger.to_dict() == {
            "a": {"in": 9, "out": 7, "dropped": {"run_stopped": 2}, "in_flight": 0},
            "b": {"in": 7, "out": 4, "dropped": {"run_stopped": 3}, "in_flight": 0},
            "c": {"in": 4, "out": 0, "dropped": {"run_stopped": 4}, "in_flight": 0},
        }
        assert ledger.violations(hand_overs) == []


def test_what_came_from_nowhere_is_not_settled():
    ledger = Ledger()
    ledger.came("a", 1)
    ledger.went("a", 2)
    ledger.came("b", 3)
    ledger.went("b", 3)

    ledger.settle([("a", "b")], "run_stopped")

    assert ledger.violations([("a", "b")]) == [
        "node 'a': 1 frames came, 2 went, 0 were dropped, -1 are missing",
        "between 'a' and 'b': 2 frames left, 3 came",
    ]


def test_drops_are_summed_over_nodes_by_cause_and_zeros_left_out():
    ledger = Ledger()
    ledger.dropped("a", "slow", 2)
    ledger.dropped("b", "slow", 3)
    ledger.dropped("b", "late", 1)
    ledger.dropped("b", "never", 0)

    assert list(ledger.drops().items()) == [("late", 1), ("slow", 5)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["came", "went", "dropped"]), st.integers(0, 9))))
def test_in_flight_is_what_came_less_what_left(moves: list[tuple[str, str, int]]):
    ledger = Ledger()
    for node, move, frames in moves:
        ledger.dropped(node, "cause", frames) if move == "dropped" else getattr(ledger, move)(node, frames)

    for node, account in ledger.to_dict().items():
        came, left = (
            sum(frames for each, move, frames in moves if each == node and (move == "came") is side)
            for side in (True, False)
        )
        assert account["in_flight"] == came - left
