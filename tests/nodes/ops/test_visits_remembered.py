"""Visits are repaired as far back as they are remembered; what corrections do not touch stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.ops.visits import VisitMachine
from tests.nodes.ops.correction_tables import Correction, changes_of, line, run
from tests.nodes.ops.visit_tables import MS, RULES


def test_a_change_of_the_rules_changes_nothing_that_was_before_it() -> None:
    machine, told = VisitMachine(10**10), []
    for index in range(14):
        track_id = 7 if index == 12 else 1
        hits = [((track_id, "tea"), 1.0)] if index < 3 or index > 8 else []
        rules = RULES if index < 13 else replace(RULES, max_gap_ns=2000 * MS, min_look_ns=0, min_visit_ns=2000 * MS)
        told += machine.frame(index * 100 * MS, hits, rules, [(7, 0, 1)] if index == 13 else [])

    assert [line(change) for change in told] == [
        "started 1/tea/0-300@300 300",
        "ended 1/tea/0-300@900 300 looked_away",
        "started 1/tea/900-1200@1200 300",
    ]


def test_what_was_told_of_a_visit_older_than_memory_must_still_hold() -> None:
    """It began before what is remembered, but was told up to now."""
    rules = replace(RULES, update_ns=100 * MS)

    told = changes_of({1: "tttttttttttt", 3: "." * 14}, {12: [(1, 900, 2)]}, 500, rules)

    assert [line(change) for change in told[12]] == [
        "retracted 1/tea/0-1100@1200 1100 identity",
        "started 1/tea/0~1-900@1200 900 for 1/tea/0",
        "started 2/tea/900-1200@1200 300 for 1/tea/0",
    ]


def test_what_is_too_long_ago_is_left_as_it_was_told() -> None:
    """Of a visit of 1.2 s, half a second is remembered."""
    assert run({1: "tttttttttttt", 3: "." * 22}, {12: [(1, 0, 2)]}, repair_ms=500) == [
        "started 2/tea/700-1200@1200 500",
        "ended 1/tea/0-700@1300 700 looked_away",
        "ended 2/tea/700-1200@1800 500 looked_away",
    ]


def test_a_look_from_before_memory_goes_on_with_what_is_given_to_it() -> None:
    """The hits of the visit are too old to be corrected, but it may not be over as was thought."""
    assert run({1: "tttt", 2: "......tt", 3: "." * 16}, {11: [(2, 0, 1)]}, repair_ms=500) == [
        "retracted 1/tea/0-400@1100 400 identity",
        "started 1/tea/0~1-800@1100 600 for 1/tea/0",
        "ended 1/tea/0~1-800@1400 600 looked_away for 1/tea/0",
    ]


def test_a_visit_that_was_over_long_ago_stands() -> None:
    assert run({1: "tttt", 3: "." * 22}, {15: [(1, 0, 2)]}, repair_ms=500) == []


def test_without_memory_nothing_is_repaired() -> None:
    assert run({1: "tttt", 3: "." * 12}, {4: [(1, 0, 2)]}, repair_ms=0) == ["ended 1/tea/0-400@1000 400 looked_away"]


@pytest.mark.parametrize("correction", [(7, 0, 1), (1, 0, 1), (1, 5000, 2)])
def test_corrections_of_nothing_change_nothing(correction: Correction) -> None:
    rows = {1: "tttt", 3: "." * 12}

    assert changes_of(rows, {5: [correction]}) == changes_of(rows, {})
