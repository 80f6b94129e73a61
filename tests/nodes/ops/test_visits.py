from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.visits import Change, Rules, VisitMachine

MS = 1_000_000
RULES = Rules(
    min_look_ns=300 * MS, max_gap_ns=500 * MS, min_visit_ns=300 * MS, update_ns=0, enter_score=0.5, keep_score=0.3
)


def run(table: str, rules: Rules = RULES, step_ms: int = 100, score: float = 1.0) -> list[str]:
    """Feed one frame per character, `x` a hit, `.` none, a digit a hit with that score in tenths, a space no frame;
    return `kind start-end@known dwell`, all in ms. The stream ends with the table."""
    machine = VisitMachine()
    changes = []
    for index, mark in enumerate(table):
        if mark != " ":
            hit = {"x": score, ".": None}.get(mark, int(mark) / 10 if mark.isdigit() else None)
            hits = [] if hit is None else [(1, "tea", hit)]
            changes += machine.frame(index * step_ms * MS, hits, rules)
    return [line(change) for change in changes + machine.end(rules)]


def line(change: Change) -> str:
    times = change.start_ns, change.end_ns, change.known_ns, change.dwell_ns
    start, end, known, dwell = (round(time / MS) for time in times)
    return f"{change.kind} {start}-{end}@{known} {dwell}"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", []),
        ("......", []),
        ("xx........", []),  # 200 ms: a glance
        ("x.x.......", []),
        ("xxx.......", ["started 0-200@300 300", "ended 0-200@800 300"]),  # known when the third sample is over
        ("x.x.x......", ["started 0-400@500 300", "ended 0-400@1000 300"]),  # gaps bridged, left out of the dwell
        ("xxx....xx......", ["started 0-200@300 300", "ended 0-800@1400 500"]),  # 500 ms between hits: bridged
        ("xxx.....xx......", ["started 0-200@300 300", "ended 0-200@800 300"]),  # 600 ms: over; the rest is a glance
        ("xxx.....xxx", ["started 0-200@300 300", "ended 0-200@800 300", "started 800-1000@1000 300",
                         "ended 800-1000@1000 300"]),  # the last sample lasts as long as the one before
        ("xxxx", ["started 0-200@300 300", "ended 0-300@300 400"]),
        ("xx", []),
        ("xxx      xxx.", ["started 0-200@900 300", "ended 0-200@900 300", "started 900-1100@1200 300",
                           "ended 900-1100@1200 300"]),  # a hole: nothing known of it is counted
        ("x      x      x", []),  # one sample each
        ("x x x .....", ["started 0-200@400 400", "ended 0-400@1000 600"]),  # a hit lasts to the next frame
    ],
)  # fmt: skip
def test_events_of_a_table(table: str, expected: list[str]) -> None:
    assert run(table) == expected


def test_dropped_frames_do_not_shorten_dwell() -> None:
    assert run("xxxxxxxxx......")[-1] == "ended 0-800@1400 900"
    assert run("xx x  xxx......")[-1] == "ended 0-800@1400 900"


@pytest.mark.parametrize("step_ms", [20, 40, 100, 200])
def test_dwell_does_not_depend_on_the_frame_rate(step_ms: int) -> None:
    table = "x" * (1200 // step_ms) + "." * (1200 // step_ms)

    started, ended = run(table, step_ms=step_ms)

    assert ended.endswith(" 1200")
    assert started.startswith("started 0-")


def test_score_decides_with_hysteresis() -> None:
    assert run("444444......") == []  # never reaches enter_score
    assert run("555444......") == ["started 0-200@300 300", "ended 0-500@1100 600"]
    assert run("555222......") == ["started 0-200@300 300", "ended 0-200@800 300"]
    assert run("54545.......") == ["started 0-400@500 300", "ended 0-400@1000 300"]  # before it starts, 4s do not count


def test_score_is_the_mean_of_the_hits_that_counted() -> None:
    machine = VisitMachine()
    for index, score in enumerate([0.8, 0.4, 0.8, 0.8, 0.4]):
        machine.frame(index * 100 * MS, [(1, "tea", score)], RULES)

    assert machine.end(RULES)[-1].score == pytest.approx((0.8 + 0.8 + 0.8 + 0.4) / 4)


def test_updates_come_every_so_often_while_it_is_hit() -> None:
    rules = replace(RULES, update_ns=400 * MS)

    assert run("xxxxxxxxxxxx", rules) == [
        "started 0-200@300 300",
        "updated 0-700@700 700",
        "updated 0-1100@1100 1100",
        "ended 0-1100@1100 1200",
    ]
    assert run("xxxxx....x......", rules)[1] == "updated 0-900@900 500"  # due at 700, but there is no news in a gap


def test_updates_are_numbered() -> None:
    machine, rules = VisitMachine(), replace(RULES, update_ns=100 * MS)

    changes = [change for i in range(6) for change in machine.frame(i * 100 * MS, [(1, "tea", 1.0)], rules)]

    assert [(change.kind, change.update) for change in changes] == [("started", 0), ("updated", 1), ("updated", 2)]


def test_short_visits_are_taken_back() -> None:
    rules = replace(RULES, min_look_ns=100 * MS, min_visit_ns=300 * MS)

    assert run("xx......", rules) == ["started 0-0@100 100", "retracted 0-100@700 200"]
    assert run("xxx......", rules) == ["started 0-0@100 100", "ended 0-200@800 300"]
    assert run("xx", rules) == ["started 0-0@100 100", "retracted 0-100@100 200"]


def test_tracks_and_targets_are_apart_and_sorted() -> None:
    machine = VisitMachine()
    hits = [(10, "tea", 1.0), (2, "tea", 1.0), (2, "coffee", 1.0)]

    changes = [change for i in range(4) for change in machine.frame(i * 100 * MS, hits, RULES)]

    assert [(change.track_id, change.target) for change in changes] == [(2, "coffee"), (2, "tea"), (10, "tea")]


def test_ends_are_sorted_too_whoever_came_first() -> None:
    machine = VisitMachine()
    for index in range(8):
        machine.frame(
            index * 100 * MS, [(track_id, "tea", 1.0) for track_id in (10, 2) if track_id > 2 or index > 3], RULES
        )

    assert [(change.kind, change.track_id) for change in machine.end(RULES)] == [("ended", 2), ("ended", 10)]


def test_a_pair_given_twice_counts_once_with_its_best_score() -> None:
    machine = VisitMachine()
    for index in range(3):
        machine.frame(index * 100 * MS, [(1, "tea", 0.9), (1, "tea", 0.2), (1, "tea", 0.6)], RULES)

    (started, ended) = machine.end(RULES)

    assert (started.dwell_ns, ended.dwell_ns, ended.score) == (300 * MS, 300 * MS, pytest.approx(0.9))


def test_the_machine_holds_nothing_of_tracks_that_are_gone() -> None:
    machine = VisitMachine()
    for index in range(50):
        machine.frame(index * 100 * MS, [(index, "tea", 1.0)], RULES)

    assert len(machine._looks) <= 6


HITS = st.lists(st.tuples(st.integers(1, 2), st.sampled_from(["tea", "person:2"]), st.floats(0, 1)), max_size=3)
FRAMES = st.lists(st.tuples(st.integers(1, 900), HITS), max_size=40)


@given(FRAMES, st.sampled_from([0, 100, 300]), st.sampled_from([0, 300, 600]), st.sampled_from([0, 250]))
def test_events_keep_their_promises(
    steps: list[tuple[int, list[tuple[int, str, float]]]], min_look: int, min_visit: int, update: int
) -> None:
    rules = replace(RULES, min_look_ns=min_look * MS, min_visit_ns=min_visit * MS, update_ns=update * MS)
    machine, now, changes, longest_ns = VisitMachine(), 0, [], 0
    for step_ms, hits in steps:
        now += step_ms * MS
        longest_ns = max(longest_ns, min(step_ms * MS, rules.max_gap_ns))
        changes += machine.frame(now, hits, rules)
    changes += machine.end(rules)

    assert [change.known_ns for change in changes] == sorted(change.known_ns for change in changes)
    for pair in {(change.track_id, change.target) for change in changes}:
        told = [change for change in changes if (change.track_id, change.target) == pair]
        visits = [change for change in told if change.kind in ("ended", "retracted")]
        assert [change.start_ns for change in told if change.kind == "started"] == [visit.start_ns for visit in visits]
        assert all(earlier.end_ns < later.start_ns for earlier, later in pairwise(visits))
        for earlier, later in pairwise(told):
            open_still = earlier.kind in ("started", "updated")
            assert open_still == (later.kind != "started")
            assert not open_still or (later.start_ns == earlier.start_ns and later.dwell_ns >= earlier.dwell_ns)
        for change in told:
            assert change.start_ns <= change.end_ns <= change.known_ns
            assert rules.min_look_ns <= change.dwell_ns <= change.end_ns - change.start_ns + longest_ns
            assert (change.kind == "retracted") == (change in visits and change.dwell_ns < rules.min_visit_ns)
            assert rules.keep_score <= change.score <= 1
