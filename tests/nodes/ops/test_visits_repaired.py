"""Visits when the tracker finds out who was who: as if it had been known from the start."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from nodes.ops.repairs import Renaming
from nodes.ops.told import Frame, Pair
from nodes.ops.visits import VisitMachine
from tests.nodes.ops.correction_tables import changes_of, line, run
from tests.nodes.ops.visit_tables import MS, RULES


def test_a_merged_track_gives_its_visits_away() -> None:
    assert run({1: "", 2: "tttt", 3: "." * 8}, {5: [(2, 0, 1)]}) == [
        "retracted 2/tea/0-300@500 300 identity",
        "started 1/tea/0-400@500 400 for 2/tea/0",
        "ended 1/tea/0-400@800 400 stream_ended for 2/tea/0",
    ]


def test_a_visit_that_has_ended_is_given_away_as_a_whole() -> None:
    assert run({2: "tttt........", 3: "." * 14}, {12: [(2, 0, 1)]}) == [
        "retracted 2/tea/0-400@1200 400 identity",
        "started 1/tea/0-400@1200 400 for 2/tea/0",
        "ended 1/tea/0-400@1200 400 looked_away for 2/tea/0",
    ]


def test_two_halves_of_a_look_become_one_visit() -> None:
    """The later half is an extension of the visit that is open; nothing told of that was wrong."""
    assert run({1: "tttt", 2: "....tttt", 3: "." * 15}, {8: [(2, 0, 1)]}) == [
        "retracted 2/tea/400-700@800 300 identity",
        "ended 1/tea/0-800@1400 800 looked_away for 2/tea/400",
    ]


def test_a_visit_that_had_ended_too_early_is_told_anew() -> None:
    assert (
        run({1: "ttt", 2: ".....tttttt", 3: "." * 17}, {10: [(2, 0, 1)]})
        == [
            "retracted 1/tea/0-300@1000 300 identity",
            "retracted 2/tea/500-800@1000 300 identity",
            "started 1/tea/0~1-1000@1000 800 for 1/tea/0 for 2/tea/500",
            "ended 1/tea/0~1-1000@1600 800 looked_away for 1/tea/0 for 2/tea/500",
            "ended 2/tea/1000-1100@1700 100 looked_away",
        ][:4]
    )


def test_a_split_takes_the_last_part_of_a_visit() -> None:
    """Nothing that was told of the first part was wrong: it only ends earlier than it seemed."""
    assert run({1: "tttttttttt", 3: "." * 18}, {11: [(1, 400, 2)]}) == [
        "ended 1/tea/0-400@1100 400 looked_away",
        "started 2/tea/400-1000@1100 600",
        "ended 2/tea/400-1000@1600 600 looked_away",
    ]


def test_a_split_before_what_was_told_takes_the_visit_back() -> None:
    assert run({1: "tttttttttt", 3: "." * 18}, {11: [(1, 200, 2)]}) == [
        "retracted 1/tea/0-300@1100 300 identity",
        "started 2/tea/200-1000@1100 800 for 1/tea/0",
        "ended 2/tea/200-1000@1600 800 looked_away for 1/tea/0",
    ]


def test_a_visit_may_be_cut_in_two_that_both_stand_for_it() -> None:
    rules = replace(RULES, update_ns=100 * MS)

    told = changes_of({1: "tttttttttt"}, {9: [(1, 400, 2)]}, rules=rules)[9]

    assert [line(change) for change in told] == [
        "retracted 1/tea/0-800@900 800 identity",
        "started 1/tea/0~1-400@900 400 for 1/tea/0",
        "started 2/tea/400-900@900 500 for 1/tea/0",
    ]


def test_people_who_are_looked_at_are_renamed_in_the_looks_of_others() -> None:
    assert run({5: "22222222", 3: "." * 18}, {5: [(2, 0, 1)]}) == [
        "retracted 5/person:2/0-300@500 300 identity",
        "started 5/person:1/0-500@500 500 for 5/person:2/0",
        "started 5/person:2/500-800@800 300",
        "ended 5/person:1/0-500@1100 500 looked_away for 5/person:2/0",
        "ended 5/person:2/500-800@1400 300 looked_away",
    ]


def test_nobody_looks_at_themselves() -> None:
    """Two boxes of one person: what one was told to look at was the person itself."""
    assert run({1: "2222", 3: "." * 10}, {5: [(2, 0, 1)]}) == ["retracted 1/person:2/0-300@500 300 identity"]


def test_two_who_were_taken_for_each_other_are_exchanged_at_once() -> None:
    assert run({1: "tttt..", 2: "......", 3: "." * 12}, {5: [(1, 0, 2), (2, 0, 1)]}) == [
        "retracted 1/tea/0-300@500 300 identity",
        "started 2/tea/0-400@500 400 for 1/tea/0",
        "ended 2/tea/0-400@1000 400 looked_away for 1/tea/0",
    ]


def test_where_both_looked_the_surer_look_counts() -> None:
    rules = replace(RULES, min_look_ns=150 * MS)
    machine = VisitMachine(10**10)
    for index in range(4):
        machine.frame(index * 100 * MS, [((1, "tea"), 0.5), ((2, "tea"), 0.7 if index else 0.4)], rules)

    told = machine.frame(400 * MS, [], rules, [(2, 0, 1)])
    (ended,) = machine.end("stream_ended")

    assert [line(change) for change in told] == [
        "retracted 1/tea/0-300@400 300 identity",
        "started 1/tea/0~1-400@400 400 for 1/tea/0",
    ]
    assert (ended.dwell_ns, ended.score) == (400 * MS, pytest.approx((0.5 + 3 * 0.7) / 4))


def test_corrections_come_one_after_the_other() -> None:
    """a is b, as is found first; b is c, as is found later."""
    assert run({1: "tttt", 3: "." * 12}, {5: [(1, 0, 2)], 7: [(2, 0, 9)]}) == [
        "retracted 1/tea/0-300@500 300 identity",
        "started 2/tea/0-400@500 400 for 1/tea/0",
        "retracted 2/tea/0-400@700 400 identity for 1/tea/0",
        "started 9/tea/0-400@700 400 for 2/tea/0",
        "ended 9/tea/0-400@1000 400 looked_away for 2/tea/0",
    ]


def test_what_comes_back_is_told_for_the_second_time() -> None:
    assert run({1: "tttt", 3: "." * 12}, {5: [(1, 0, 2)], 6: [(2, 0, 1)], 7: [(1, 0, 2)]}) == [
        "retracted 1/tea/0-300@500 300 identity",
        "started 2/tea/0-400@500 400 for 1/tea/0",
        "retracted 2/tea/0-400@600 400 identity for 1/tea/0",
        "started 1/tea/0~1-400@600 400 for 2/tea/0",
        "retracted 1/tea/0~1-400@700 400 identity for 2/tea/0",
        "started 2/tea/0~1-400@700 400 for 1/tea/0~1",
        "ended 2/tea/0~1-400@1000 400 looked_away for 1/tea/0~1",
    ]


def test_a_link_waits_until_the_visit_it_belongs_to_starts() -> None:
    """What is left of the visit is too little to be told at once."""
    rules = replace(RULES, min_look_ns=500 * MS)
    rows = {1: "tttttt", 2: "......tttttttttt"}

    told = changes_of(rows, {6: [(1, 200, 2)]}, rules=rules)

    assert [[line(change) for change in changes] for changes in told[5:9]] == [
        ["started 1/tea/0-500@500 500"],
        ["retracted 1/tea/0-500@600 500 identity"],
        ["started 2/tea/200-700@700 500 for 1/tea/0"],
        [],
    ]


def test_a_link_moves_on_with_the_looks_it_belongs_to() -> None:
    """The visit that it belongs to has not started when the next correction comes."""
    rules = replace(RULES, min_look_ns=800 * MS)
    rows = {1: "tttttttt", 2: "........ttt", 9: "...........ttt"}

    told = changes_of(rows, {9: [(1, 400, 2)], 11: [(2, 0, 9)]}, rules=rules)

    assert [line(change) for changes in told for change in changes] == [
        "started 1/tea/0-800@800 800",
        "retracted 1/tea/0-800@900 800 identity",
        "started 9/tea/400-1200@1200 800 for 1/tea/0",
        "ended 9/tea/400-1400@1400 1000 stream_ended for 1/tea/0",
    ]


def test_a_visit_names_only_those_of_the_same_time() -> None:
    rows = {1: "tttt......tttt...", 3: "." * 20}

    told = run(rows, {15: [(1, 0, 2)]})

    assert [change for change in told if change.startswith("started")] == [
        "started 2/tea/0-400@1500 400 for 1/tea/0",
        "started 2/tea/1000-1400@1500 400 for 1/tea/1000",
    ]


def test_what_turns_out_too_short_is_not_told_at_all() -> None:
    rules = replace(RULES, min_look_ns=100 * MS)

    told = changes_of({1: "ttttt", 3: "." * 14}, {12: [(1, 300, 2)]}, rules=rules)

    assert [line(change) for change in told[12]] == [
        "retracted 1/tea/0-500@1200 500 identity",
        "started 1/tea/0~1-300@1200 300 for 1/tea/0",
        "ended 1/tea/0~1-300@1200 300 looked_away for 1/tea/0",
    ]


def test_visits_that_have_nothing_to_do_with_it_stay() -> None:
    """Looks of the same track at something else, and of others at the same."""
    rows = {1: "tttt......tttt..", 2: "5555......5555..", 4: "tttttttttttttt.."}

    told, untold = (list(chain(*changes_of(rows, corrections))) for corrections in ({14: [(2, 900, 1)]}, {}))

    assert [line(change) for change in told if change not in untold] == [
        "retracted 2/person:5/1000-1300@1400 300 identity",
        "started 1/person:5/1000-1400@1400 400 for 2/person:5/1000",
        "ended 1/person:5/1000-1400@1600 400 stream_ended for 2/person:5/1000",
    ]


def test_of_several_corrections_of_one_track_the_latest_beginning_counts() -> None:
    names = Renaming([(1, 100, 2), (1, 300, 3), (4, 0, 5)])
    frame = Frame(0, 0, RULES)

    def owner(track_id: int, target: str, pts_ns: int) -> tuple[int, str] | None:
        return names.of(Pair(track_id, target, frame), pts_ns)

    assert [owner(1, "tea", pts_ns) for pts_ns in (99, 100, 299, 300)] == [
        (1, "tea"),
        (2, "tea"),
        (2, "tea"),
        (3, "tea"),
    ]
    assert owner(9, "person:1", 300) == (9, "person:3")
    assert owner(4, "person:1", 50) == (5, "person:1")
    assert owner(3, "person:1", 300) is None
    assert names.since_ns == 0


def test_what_is_taken_back_comes_first_then_all_is_in_order() -> None:
    told = run({1: "tttttttttt", 2: "....tttttt", 3: "." * 10}, {8: [(1, 0, 5), (2, 0, 4)]})

    assert told[:4] == [
        "retracted 1/tea/0-300@800 300 identity",
        "retracted 2/tea/400-700@800 300 identity",
        "started 4/tea/400-800@800 400 for 2/tea/400",
        "started 5/tea/0-800@800 800 for 1/tea/0",
    ]
