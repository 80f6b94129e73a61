"""Start, end, dwell, score and fixations of visits are weighed by time, whatever the frames."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.looks import Rules
from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine
from tests.nodes.ops.visit_tables import MS, RULES, TEA, changes_of, run


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
    rules = replace(RULES, min_look_ns=150 * MS, min_visit_ns=150 * MS, max_gap_ns=900 * MS, update_ns=700 * MS)
    rules = replace(rules, fixation_gap_ns=200 * MS)
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


def test_score_is_the_mean_over_the_time_of_the_hits_that_counted() -> None:
    (*_, ended) = changes_of("84 88 4.")  # 4 s count when the visit has started

    assert ended.dwell_ns == 500 * MS
    assert ended.score == pytest.approx((0.8 * 100 + 0.8 * 100 + 0.8 * 200 + 0.4 * 100) / 500)


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
