from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine
from tests.nodes.ops.visit_tables import MS, RULES, TEA, changes_of, run


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", []),
        ("......", []),
        ("xx.........", []),  # 200 ms: too little to start
        ("x.x........", []),
        ("xxx........", ["started 0-300@300 300", "ended 0-300@900 300"]),  # known when the third sample is over
        ("x.x.x.......", ["started 0-500@500 300", "ended 0-500@1100 300"]),  # gaps bridged, left out of the dwell
        ("xxx.....xx......", ["started 0-300@300 300", "ended 0-1000@1600 500"]),  # a gap of 500 ms: bridged
        ("xxx......xx......", ["started 0-300@300 300", "ended 0-300@900 300"]),  # 600 ms: over; the rest is too little
        ("xxx......xxx", ["started 0-300@300 300", "ended 0-300@900 300", "started 900-1200@1200 300",
                          "ended 900-1200@1200 300"]),  # the last sample lasts as long as the one before
        ("xxxx", ["started 0-300@300 300", "ended 0-400@400 400"]),
        ("xx", []),
        ("xxx      xxx.", ["started 0-300@900 300", "ended 0-300@900 300", "started 900-1200@1200 300",
                           "ended 900-1200@1300 300"]),  # a hole: nothing known of it is counted
        ("xxx     xx......", ["started 0-300@800 300", "ended 0-300@800 300"]),  # 600 ms between frames: nothing known
        ("xxx    xx......", ["started 0-700@700 700", "ended 0-900@1500 900"]),  # 500 ms
        ("x      x      x", []),  # how long the only samples last is never known
        ("x x x ......", ["started 0-400@400 400", "ended 0-600@1200 600"]),  # a hit lasts to the next frame
        ("xxx...", ["started 0-300@300 300", "ended 0-300@600 300"]),  # the end is known when the last frame is over
    ],
)  # fmt: skip
def test_events_of_a_table(table: str, expected: list[str]) -> None:
    assert run(table) == expected


def test_score_decides_with_hysteresis() -> None:
    rules = replace(RULES, min_look_ns=150 * MS, min_visit_ns=150 * MS)

    assert run("444444......", rules) == []  # never reaches enter_score
    assert run("555444.......", rules) == ["started 0-300@300 300", "ended 0-600@1200 600"]
    assert run("555222.......", rules) == ["started 0-300@300 300", "ended 0-300@900 300"]
    assert run("54545........", rules) == [
        "started 0-500@500 300",
        "ended 0-500@1100 300",
    ]  # before it starts, 4s do not count


def test_looking_counts_as_much_as_it_is_likely() -> None:
    rules = replace(RULES, min_visit_ns=500 * MS)

    assert run("xxx......", rules) == ["started 0-300@300 300", "retracted 0-300@900 300"]
    assert run("55555....") == []  # 250 ms expected
    assert run("555555......") == ["started 0-600@600 600", "ended 0-600@1200 600"]
    assert run("5555555555......", rules) == ["started 0-600@600 600", "ended 0-1000@1600 1000"]
    assert run("555555555.......", rules) == ["started 0-600@600 600", "retracted 0-900@1500 900"]


def test_what_is_far_less_likely_than_the_best_of_a_visit_is_no_more_of_it() -> None:
    rules = replace(RULES, keep_share=0.6)

    assert run("xxx6666......", rules) == ["started 0-300@300 300", "ended 0-700@1300 700"]
    assert run("xxx5555......", rules) == ["started 0-300@300 300", "ended 0-300@900 300"]
    assert run("555558444......", rules) == ["started 0-600@600 600", "ended 0-600@1200 600"]
    assert run("5x5x5x.......", rules) == ["started 0-600@600 400", "ended 0-600@1200 400"]  # the best so far


def test_nan_is_no_hit() -> None:
    assert run("xxxx", score=float("nan")) == []


def test_updates_come_every_so_often_while_it_is_hit() -> None:
    rules = replace(RULES, update_ns=400 * MS)

    assert run("xxxxxxxxxxxx", rules) == [
        "started 0-300@300 300",
        "updated 0-700@700 700",
        "updated 0-1100@1100 1100",
        "ended 0-1200@1200 1200",
    ]
    assert run("xxxxx....x......", rules)[1] == "updated 0-1000@1000 600"  # due at 700, but there is no news in a gap
    assert run("xxxxxxx      x.", rules)[1:] == ["ended 0-700@1300 700"]  # nor where it ends at once


def test_updates_are_numbered() -> None:
    changes = changes_of("xxxxxx", replace(RULES, update_ns=100 * MS))

    assert [(change.kind, change.update) for change in changes] == [
        ("started", 0),
        ("updated", 1),
        ("updated", 2),
        ("ended", 0),
    ]


def test_short_visits_are_taken_back() -> None:
    rules = replace(RULES, min_look_ns=100 * MS, min_visit_ns=300 * MS)

    assert run("xx.......", rules) == ["started 0-100@100 100", "retracted 0-200@800 200"]
    assert run("xxx.......", rules) == ["started 0-100@100 100", "ended 0-300@900 300"]
    assert run("xx", rules) == ["started 0-100@100 100", "retracted 0-200@200 200"]


def test_a_visit_lasts_some_time() -> None:
    rules = replace(RULES, min_look_ns=0, min_visit_ns=0)

    assert run("x", rules) == []  # how long it lasts is not known
    assert run("xx", rules) == ["started 0-100@100 100", "ended 0-200@200 200"]


def test_reasons_are_told() -> None:
    rules = replace(RULES, min_look_ns=100 * MS)

    def reasons(table: str) -> list[tuple[str, str]]:
        return [(change.kind, change.reason) for change in changes_of(table, rules)]

    assert reasons("xxx.......") == [("started", ""), ("ended", "looked_away")]
    assert reasons("xxx       .") == [("started", ""), ("ended", "looked_away")]
    assert reasons("xxx") == [("started", ""), ("ended", "stream_ended")]
    assert reasons("x.......") == [("started", ""), ("retracted", "too_short")]
    assert reasons("xx") == [("started", ""), ("retracted", "too_short")]


def test_tracks_and_targets_are_apart_and_sorted() -> None:
    machine = VisitMachine(0)
    hits = [((10, "tea"), 1.0), ((2, "tea"), 1.0), ((2, "coffee"), 1.0)]

    changes = [change for i in range(4) for change in machine.frame(i * 100 * MS, hits, RULES)]

    assert [(change.track_id, change.target) for change in changes] == [(2, "coffee"), (2, "tea"), (10, "tea")]


@pytest.mark.parametrize("quiet", [0, 9])
def test_ends_are_sorted_too_whoever_came_first(quiet: int) -> None:
    machine, changes = VisitMachine(0), []
    for index in range(8 + quiet):
        tracks = [track_id for track_id in (10, 2) if index < 8 and (track_id > 2 or index > 3)]
        changes += machine.frame(index * 100 * MS, [((track_id, "tea"), 1.0) for track_id in tracks], RULES)
    changes += machine.end("stream_ended")

    assert [(change.kind, change.track_id) for change in changes[2:]] == [("ended", 2), ("ended", 10)]


def test_a_pair_given_twice_counts_once_with_its_best_score() -> None:
    machine = VisitMachine(0)
    for index in range(3):
        machine.frame(index * 100 * MS, [(TEA, 1.0), (TEA, 0.2), (TEA, 0.6)], RULES)

    (started, ended) = machine.end("stream_ended")

    assert (started.dwell_ns, ended.dwell_ns, ended.score) == (300 * MS, 300 * MS, pytest.approx(1.0))


@pytest.mark.parametrize("repair_ms", [0, 3000])
def test_the_machine_holds_nothing_of_tracks_that_are_gone(repair_ms: int) -> None:
    """Each of many tracks looks for half a second, takes over from the one before, and is given to it or forgotten."""
    machine, sizes = VisitMachine(repair_ms * MS), []
    for index in range(2000):
        track_id = index // 5 + 1
        merge = [(track_id - 1, 0, track_id + 1000)] if index % 15 == 3 else []
        machine.frame(index * 100 * MS, [((track_id, "tea"), 1.0), ((track_id, "person:1"), 0.9)], RULES, merge)
        told = sum(len(pair.told) for pair in machine._pairs.values())
        sizes.append((len(machine._pairs), len(machine._history), len(machine._recent), told))

    assert np.max(sizes[1500:], axis=0).tolist() == np.max(sizes[100:300], axis=0).tolist()
    assert max(sizes[-1]) <= 4 + 6 * repair_ms // 500 + 8


def test_visits_of_one_pair_are_forgotten_one_after_the_other() -> None:
    machine, told = VisitMachine(3000 * MS), []
    for index in range(1000):
        machine.frame(index * 100 * MS, [(TEA, 1.0)] if index % 10 < 4 else [], RULES)
        told.append(sum(len(pair.told) for pair in machine._pairs.values()))

    assert max(told) <= 5


def test_a_visit_that_lasts_is_not_remembered_at_length() -> None:
    """Hits and what was told are forgotten while it goes on, also when others' hits are given to it all the time."""
    machine, sizes = VisitMachine(1000 * MS), []
    for index in range(1000):
        other = [((index // 5 + 2, "tea"), 1.0)] if index % 5 == 0 else []
        merge = [(index // 5 + 2, 0, 1)] if index % 5 == 1 else []
        machine.frame(index * 100 * MS, [(TEA, 1.0), *other], replace(RULES, update_ns=100 * MS), merge)
        sizes.append((len(machine._pairs), len(machine._history), sum(len(p.told) for p in machine._pairs.values())))

    assert np.max(sizes, axis=0).tolist() <= [7, 12, 1]
    assert machine.end("stream_ended")[0].dwell_ns == 100_000 * MS


def expected_ns(change: Change) -> float:
    """Return the expected looking, to half a nanosecond."""
    return change.score * change.dwell_ns


ONE_FRAME = [(1, [(TEA, 1.0)])]
HITS = st.lists(
    st.tuples(st.tuples(st.integers(1, 2), st.sampled_from(["tea", "person:3"])), st.floats(0, 1)), max_size=3
)
FRAMES = st.lists(st.tuples(st.integers(1, 900), HITS), max_size=40)


@given(FRAMES, st.sampled_from([0, 100, 300]), st.sampled_from([0, 300, 600]), st.sampled_from([0, 250]))
def test_events_keep_their_promises(
    steps: list[tuple[int, list[tuple[tuple[int, str], float]]]], min_look: int, min_visit: int, update: int
) -> None:
    rules = replace(RULES, min_look_ns=min_look * MS, min_visit_ns=min_visit * MS, update_ns=update * MS)
    machine, now, changes = VisitMachine(0), 0, []
    for step_ms, hits in steps:
        now += step_ms * MS
        changes += machine.frame(now, hits, rules)
    changes += machine.end("stream_ended")

    assert [change.known_ns for change in changes] == sorted(change.known_ns for change in changes)
    for pair in {(change.track_id, change.target) for change in changes}:
        told = [change for change in changes if (change.track_id, change.target) == pair]
        visits = [change for change in told if change.kind in ("ended", "retracted")]
        assert [change.visit for change in told if change.kind == "started"] == [visit.visit for visit in visits]
        assert all(earlier.end_ns <= later.start_ns for earlier, later in pairwise(visits))
        for earlier, later in pairwise(told):
            open_still = earlier.kind in ("started", "updated")
            assert open_still == (later.kind != "started")
            assert not open_still or (later.start_ns == earlier.start_ns and later.dwell_ns >= earlier.dwell_ns)
        for change in told:
            assert change.start_ns <= change.end_ns <= change.known_ns
            assert 0 < change.dwell_ns <= change.end_ns - change.start_ns
            assert rules.min_look_ns <= expected_ns(change) + 1
            assert (change.fixations == 0) == (change.fixation_ns == 0)
            assert change.fixations * rules.min_fixation_ns <= change.fixation_ns <= change.dwell_ns
            assert change.kind != "ended" or expected_ns(change) > rules.min_visit_ns - 1
            assert change.kind != "retracted" or expected_ns(change) < rules.min_visit_ns + 1
            assert rules.keep_score <= change.score + 1e-9 <= 1 + 1e-8
            assert change.replaces == ()
