from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.looks import Rules
from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine

MS = 1_000_000
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
TEA = (1, "tea")


def run(table: str, rules: Rules = RULES, step_ms: int = 100, score: float = 1.0) -> list[str]:
    """Feed one frame per character, `x` a hit, `.` none, a digit a hit with that score in tenths, a space no frame;
    return `kind start-end@known dwell`, all in ms. The stream ends with the table."""
    return [line(change) for change in changes_of(table, rules, step_ms, score)]


def changes_of(table: str, rules: Rules = RULES, step_ms: int = 100, score: float = 1.0) -> list[Change]:
    machine = VisitMachine(0)
    changes = []
    for index, mark in enumerate(table):
        if mark != " ":
            hit = {"x": score, ".": None}.get(mark, int(mark) / 10 if mark.isdigit() else None)
            hits = [] if hit is None else [(TEA, hit)]
            changes += machine.frame(index * step_ms * MS, hits, rules)
    return changes + machine.end("stream_ended")


def line(change: Change) -> str:
    times = change.start_ns, change.end_ns, change.known_ns, change.dwell_ns
    start, end, known, dwell = (round(time / MS) for time in times)
    return f"{change.kind} {start}-{end}@{known} {dwell}"


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


def test_dropped_frames_do_not_shorten_dwell() -> None:
    assert run("xxxxxxxxx.......")[-1] == "ended 0-900@1500 900"
    assert run("xx x  xxx.......")[-1] == "ended 0-900@1500 900"


@pytest.mark.parametrize("step_ms", [20, 40, 100, 200])
def test_nothing_depends_on_the_frame_rate(step_ms: int) -> None:
    table = "x" * (1200 // step_ms) + "." * (1200 // step_ms)

    started, ended = changes_of(table, step_ms=step_ms)

    assert (started.start_ns, ended.end_ns, ended.dwell_ns) == (0, 1200 * MS, 1200 * MS)
    assert (ended.fixations, ended.fixation_ns) == (1, 1200 * MS)


@given(
    st.lists(st.tuples(st.integers(450, 2000), st.one_of(st.integers(210, 600), st.integers(1210, 2000))), max_size=6),
    st.integers(0, 400),
    st.integers(0, 33),
    st.sampled_from([(5, 10), (10, 30), (5, 30)]),
)
def test_rates_agree_within_a_sample(
    looking_ms: list[tuple[int, int]], first_ms: int, phase_ms: int, rates: tuple[int, int]
) -> None:
    """Looks longer than a sample, and gaps that differ from the longest one by more than a sample."""
    rules = replace(RULES, max_gap_ns=900 * MS, update_ns=700 * MS, fixation_gap_ns=200 * MS)
    signal, at_ms = [], 400 + first_ms
    for look_ms, gap_ms in looking_ms:
        signal.append((at_ms, at_ms + look_ms))
        at_ms += look_ms + gap_ms

    slow, fast = (
        [change for change in _sampled(signal, phase_ms, rate, rules) if change.kind == "ended"] for rate in rates
    )

    step_ns = 10**9 / min(rates)
    assert len(slow) == len(fast) == sum(gap_ms > 900 for _, gap_ms in looking_ms[:-1]) + bool(looking_ms)
    for a, b in zip(slow, fast, strict=True):
        parts = sum(a.start_ns - step_ns < start * MS < a.end_ns for start, _ in signal)
        assert abs(a.start_ns - b.start_ns) <= step_ns
        assert abs(a.end_ns - b.end_ns) <= step_ns
        assert abs(a.dwell_ns - b.dwell_ns) <= step_ns * parts  # each stretch of looking within a sample
        assert abs(a.fixations - b.fixations) <= parts - 1
        assert (a.score, b.score) == (pytest.approx(0.7), pytest.approx(0.7))


def _sampled(signal: list[tuple[int, int]], phase_ms: int, rate: int, rules: Rules) -> list[Change]:
    """Look at a signal, (from, to) in ms, so many times a second."""
    machine, changes = VisitMachine(0), []
    for index in range(int((max((end for _, end in signal), default=0) + 1500) * rate / 1000)):
        pts_ns = phase_ms * MS + round(index * 10**9 / rate)
        looks = any(start * MS <= pts_ns < end * MS for start, end in signal)
        changes += machine.frame(pts_ns, [(TEA, 0.7)] if looks else [], rules)
    return changes + machine.end("stream_ended")


def test_score_decides_with_hysteresis() -> None:
    assert run("444444......") == []  # never reaches enter_score
    assert run("555444.......") == ["started 0-300@300 300", "ended 0-600@1200 600"]
    assert run("555222.......") == ["started 0-300@300 300", "ended 0-300@900 300"]
    assert run("54545........") == [
        "started 0-500@500 300",
        "ended 0-500@1100 300",
    ]  # before it starts, 4s do not count


def test_score_is_the_mean_over_the_time_of_the_hits_that_counted() -> None:
    (*_, ended) = changes_of("84 88 4.")  # 4 s count when the visit has started

    assert ended.dwell_ns == 500 * MS
    assert ended.score == pytest.approx((0.8 * 100 + 0.8 * 100 + 0.8 * 200 + 0.4 * 100) / 500)


def test_nan_is_no_hit() -> None:
    assert run("xxxx", score=float("nan")) == []


@pytest.mark.parametrize(
    ("table", "fixations", "fixation_ms"),
    [
        ("xxx.......", 1, 300),
        ("x.x.x.......", 0, 0),  # a glance
        ("xx.xx.......", 2, 400),
        ("xxx.x.xx....", 2, 500),  # the look of 100 ms is none
        ("xx    xx....", 1, 800),
        ("xxx", 1, 300),
    ],
)
def test_fixations_are_looks_without_a_gap(table: str, fixations: int, fixation_ms: int) -> None:
    ended = changes_of(table)[-1]

    assert (ended.kind, ended.fixations, ended.fixation_ns) == ("ended", fixations, fixation_ms * MS)


def test_short_gaps_do_not_cut_a_fixation() -> None:
    """Gaps of 70 ms at most are bridged and left out, as the time of it is."""
    whole, cut = (
        changes_of(table, step_ms=35)[-1] for table in ("xxxxx..xxxxx" + "." * 20, "xxxxxx...xxxxxx" + "." * 20)
    )

    assert (whole.fixations, whole.fixation_ns, whole.end_ns) == (1, 350 * MS, 420 * MS)
    assert (cut.fixations, cut.fixation_ns, cut.dwell_ns) == (2, 420 * MS, 420 * MS)


def test_the_longest_gap_of_a_fixation_is_still_within_it() -> None:
    (*_, ended) = changes_of("xxxxxx...xxxxxx", step_ms=25)

    assert (ended.fixations, ended.fixation_ns) == (1, 300 * MS)


def test_a_fixation_is_told_as_soon_as_it_is_one() -> None:
    rules = replace(RULES, min_look_ns=100 * MS, update_ns=100 * MS)

    assert [change.fixation_ns // MS for change in changes_of("xxx.xxxx", rules)] == [0, 200, 300, 300, 500, 600, 700]


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
        machine.frame(index * 100 * MS, [(TEA, 0.9), (TEA, 0.2), (TEA, 0.6)], RULES)

    (started, ended) = machine.end("stream_ended")

    assert (started.dwell_ns, ended.dwell_ns, ended.score) == (300 * MS, 300 * MS, pytest.approx(0.9))


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
            assert max(rules.min_look_ns, 1) <= change.dwell_ns <= change.end_ns - change.start_ns
            assert (change.fixations == 0) == (change.fixation_ns == 0)
            assert change.fixations * rules.min_fixation_ns <= change.fixation_ns <= change.dwell_ns
            assert (change.kind == "retracted") == (change in visits and change.dwell_ns < rules.min_visit_ns)
            assert rules.keep_score <= change.score + 1e-9 <= 1 + 1e-8
            assert change.replaces == ()
