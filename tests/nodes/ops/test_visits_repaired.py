"""Visits when the tracker finds out who was who: as if it had been known from the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.looks import Rules
from nodes.ops.repairs import Renaming
from nodes.ops.told import Change, Frame, Pair
from nodes.ops.visits import VisitMachine

MS = 1_000_000
STEP_MS = 100
RULES = Rules(
    min_look_ns=300 * MS,
    max_gap_ns=500 * MS,
    min_visit_ns=300 * MS,
    update_ns=0,
    enter_score=0.5,
    keep_score=0.3,
    fixation_gap_ns=75 * MS,
    min_fixation_ns=200 * MS,
)

Correction = tuple[int, int, int]
"""Taken from, since in ms, track id."""


def run(
    rows: dict[int, str], corrections: dict[int, Sequence[Correction]] | None = None, repair_ms: int = 10_000
) -> list[str]:
    """Feed one frame per character of each track's row: `t` looks at tea, `1` to `9` at that person, `.` at nothing.

    `corrections` come with the frames named, counted from 0. Returns what is told: kind, visit and times, all in ms,
    from the frame of the first correction on.
    """
    told = []
    first = min(corrections or {0: ()})
    for index, changes in enumerate(changes_of(rows, corrections or {}, repair_ms)):
        told += [line(change) for change in changes if index >= first]
    return told


def changes_of(
    rows: dict[int, str], corrections: dict[int, Sequence[Correction]], repair_ms: int = 10_000, rules: Rules = RULES
) -> list[list[Change]]:
    machine, told = VisitMachine(repair_ms * MS), []
    for index in range(max(map(len, rows.values()))):
        marks = {track_id: row[index] for track_id, row in rows.items() if index < len(row) and row[index] != "."}
        hits = [((track_id, "tea" if mark == "t" else f"person:{mark}"), 1.0) for track_id, mark in marks.items()]
        said = [(taken, since * MS, track_id) for taken, since, track_id in corrections.get(index, ())]
        told.append(machine.frame(index * STEP_MS * MS, hits, rules, said))
    return [*told, machine.end("stream_ended")]


def line(change: Change) -> str:
    name = change.visit.rpartition("/")
    start, _, again = name[2].partition("~")
    visit = f"{name[0]}/{int(start) // MS}" + (f"~{again}" if again else "")
    times = f"-{change.end_ns // MS}@{change.known_ns // MS} {change.dwell_ns // MS}"
    reason = f" {change.reason}" if change.reason else ""
    return f"{change.kind} {visit}{times}{reason}" + "".join(f" for {short(other)}" for other in change.replaces)


def short(visit: str) -> str:
    name, _, start = visit.rpartition("/")
    start, _, again = start.partition("~")
    return f"{name}/{int(start) // MS}" + (f"~{again}" if again else "")


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
    machine = VisitMachine(10**10)
    for index in range(4):
        machine.frame(index * 100 * MS, [((1, "tea"), 0.5), ((2, "tea"), 0.9 if index else 0.4)], RULES)

    told = machine.frame(400 * MS, [], RULES, [(2, 0, 1)])
    (ended,) = machine.end("stream_ended")

    assert [line(change) for change in told] == [
        "retracted 1/tea/0-300@400 300 identity",
        "started 1/tea/0~1-400@400 400 for 1/tea/0",
    ]
    assert (ended.dwell_ns, ended.score) == (400 * MS, pytest.approx((0.5 + 3 * 0.9) / 4))


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


def test_what_was_told_of_a_visit_older_than_memory_must_still_hold() -> None:
    """It began before what is remembered, but was told up to now."""
    rules = replace(RULES, update_ns=100 * MS)

    told = changes_of({1: "tttttttttttt", 3: "." * 14}, {12: [(1, 900, 2)]}, 500, rules)

    assert [line(change) for change in told[12]] == [
        "retracted 1/tea/0-1100@1200 1100 identity",
        "started 1/tea/0~1-900@1200 900 for 1/tea/0",
        "started 2/tea/900-1200@1200 300 for 1/tea/0",
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


# any stream, any mistakes


@dataclass
class Mistakes:
    """A tracker that names people wrongly, and corrects itself later, last mistake first."""

    labels: dict[int, int] = field(default_factory=lambda: {person: person for person in (1, 2, 3)})
    undo: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    """Time of each mistake in ns, and the labels before it."""
    fresh: int = 10

    def lose(self, person: int, now_ns: int) -> None:
        self.undo.append((now_ns, dict(self.labels)))
        self.labels[person] = self.fresh
        self.fresh += 1

    def exchange(self, a: int, b: int, now_ns: int) -> None:
        self.undo.append((now_ns, dict(self.labels)))
        self.labels[a], self.labels[b] = self.labels[b], self.labels[a]

    def correct(self) -> list[tuple[int, int, int]]:
        since_ns, before = self.undo.pop()
        wrong = [(self.labels[person], since_ns, label) for person, label in before.items()]
        self.labels = before
        return [(taken, since, label) for taken, since, label in wrong if taken != label]


LOOKS = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from(["tea", "person:1", "person:2"])),
    st.sampled_from([0.2, 0.4, 0.6, 0.9]),
    max_size=4,
)
ACTIONS = st.sampled_from(["", "", "", "", "lose 1", "lose 2", "exchange 1 2", "exchange 2 3", "correct", "correct"])
STEPS = st.one_of(st.integers(30, 140), st.integers(30, 140), st.integers(30, 140), st.just(700))
STREAM = st.lists(st.tuples(STEPS, st.integers(1, 4), LOOKS, ACTIONS), max_size=14)


def unfolded(stream: list[tuple[int, int, dict[tuple[int, str], float], str]]) -> Iterable[tuple[int, dict, str]]:
    """Return frames as (step in ms, looks, action): looks last some frames, so that there are visits."""
    for step_ms, times, looks, action in stream:
        yield step_ms, looks, action
        for _ in range(times - 1):
            yield step_ms if step_ms < 500 else 100, looks, ""


def surviving(changes: Iterable[Change]) -> list[tuple]:
    """Return the visits that ended and were not taken back, without what depends on when they were told."""
    ended = {}
    for change in changes:
        if change.kind == "ended":
            ended[change.visit] = change
        elif change.kind == "retracted":
            ended.pop(change.visit, None)
    return sorted(
        (c.track_id, c.target, c.start_ns, c.end_ns, c.dwell_ns, c.fixations, c.fixation_ns, c.score)
        for c in ended.values()
    )


@given(
    STREAM,
    st.sampled_from([0, 200]),
    st.sampled_from([100, 200]),
    st.sampled_from([300, 500]),
    st.sampled_from([0, 150]),
    st.sampled_from([1200, 10**6]),
)
def test_what_survives_is_what_would_have_been_told_had_the_tracker_known(
    stream: list[tuple[int, int, dict[tuple[int, str], float], str]],
    gap_ms: int,
    min_look_ms: int,
    min_visit_ms: int,
    update_ms: int,
    repair_ms: int,
) -> None:
    """All mistakes are corrected within `repair_ms`; what is older may be forgotten."""
    rules = replace(
        RULES,
        max_gap_ns=(150 + gap_ms) * MS,
        min_look_ns=min_look_ms * MS,
        min_visit_ns=min_visit_ms * MS,
        update_ns=update_ms * MS,
    )
    true, told = VisitMachine(0), VisitMachine(repair_ms * MS)
    expected: list[Change] = []
    changes: list[Change] = []
    tracker, now_ns = Mistakes(), 0

    def feed(step_ms: int, looks: dict[tuple[int, str], float], action: str) -> None:
        nonlocal now_ns
        now_ns += step_ms * MS
        corrections = tracker.correct() if action == "correct" and tracker.undo else []
        what, *who = action.split()[:1] + [int(word) for word in action.split()[1:]] or [""]
        if what in ("lose", "exchange"):
            getattr(tracker, what)(*who, now_ns)
        looks = {(p, t): score for (p, t), score in looks.items() if t != f"person:{p}"}
        expected.extend(true.frame(now_ns, list(looks.items()), rules))
        named = [((tracker.labels[p], _named(t, tracker.labels)), score) for (p, t), score in looks.items()]
        changes.extend(told.frame(now_ns, named, rules, corrections))

    for frame in unfolded(stream):
        while tracker.undo and now_ns - tracker.undo[0][0] > (repair_ms - frame[0] - 10 * len(tracker.undo)) * MS:
            feed(10, {}, "correct")
        feed(*frame)
    while tracker.undo:
        feed(10, {}, "correct")
    expected += true.end("stream_ended")
    changes += told.end("stream_ended")

    assert surviving(changes) == surviving(expected)
    _check_story(changes)


def _named(target: str, labels: dict[int, int]) -> str:
    return f"person:{labels[int(target[7:])]}" if target.startswith("person:") else target


def _check_story(changes: list[Change]) -> None:
    """Each visit is told in order, once; what replaces others comes after they were taken back."""
    assert [change.known_ns for change in changes] == sorted(change.known_ns for change in changes)
    state: dict[str, str] = {}
    for change in changes:
        before = state.get(change.visit, "")
        if change.kind == "started":
            assert before == ""
        elif change.kind == "retracted":
            assert before in (
                ("started", "updated", "ended") if change.reason == "identity" else ("started", "updated")
            )
        else:
            assert before in ("started", "updated")
        state[change.visit] = change.kind
        assert all(state[other] == "retracted" for other in change.replaces)
        assert len(set(change.replaces)) == len(change.replaces)
        assert change.visit.split("~")[0] == f"{change.track_id}/{change.target}/{change.start_ns}"
    assert set(state.values()) <= {"ended", "retracted"}
