"""From hits to measures at several frame rates, and with frames dropped: figures stay those of what people did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.measure_attention import MeasureAttention
from nodes.measure_looks import MeasureLooks
from nodes.types import AoiHits, Measures, Tracks
from tests.helpers import frames, make_node, run_node, table

AREAS = {"shop": {"aois": {"tea": [[0, 0], [1, 0], [1, 1]], "cocoa": [[0, 0], [1, 0], [1, 1]]}}}
LONG_S = 30


class Person:
    """Somebody who comes, looks at some things for some time each, and goes. Times in seconds."""

    def __init__(self, comes: int, looks: Sequence[tuple[int, int, str]]) -> None:
        self.comes_s = now = comes / 30
        self.looks: list[tuple[float, float, str]] = []
        for wait, lasts, target in looks:
            self.looks.append((now + wait / 30, now + (wait + lasts) / 30, target))
            now = self.looks[-1][1]
        self.goes_s = now + 1.5

    def target(self, at_s: float) -> str:
        return next((target for start, end, target in self.looks if start <= at_s < end), "")


people = st.builds(
    Person,
    st.integers(0, 60),
    st.lists(st.tuples(st.integers(36, 60), st.integers(24, 90), st.sampled_from(["tea", "cocoa"])), max_size=4),
)


def whole(scene: Sequence[Person], shown_s: Sequence[float]) -> dict[tuple[str, str], float]:
    """Return the measures of all of a stream with frames at these times."""
    rows = [
        (row, track, person.target(at_s))
        for row, at_s in enumerate(shown_s)
        for track, person in enumerate(scene, 1)
        if person.comes_s <= at_s < person.goes_s
    ]
    shown = frames(pts_s=shown_s, config=AREAS)
    columns = {"frame_row": [row for row, _, _ in rows], "track_id": [track for _, track, _ in rows]}
    hits = table(AoiHits, **columns, target=[target for _, _, target in rows], score=[1.0] * len(rows))
    tracks = table(Tracks, **columns, observed=[True] * len(rows))
    looks = make_node(MeasureLooks, min_look_s=0.2, min_visit_s=0.25, max_gap_s=0.5)
    visits = run_node(looks, [(shown, hits, tracks)], ["shop"])

    ticks = [(shown, tracks, visits[0]), (shown.take([]), Tracks.empty(), visits[1])]
    made: Measures = run_node(make_node(MeasureAttention, window_s=0), ticks, ["shop"])[-1]
    assert set(made.span) == {"whole"}
    values = zip(made.measure, made.target, made.to, made.value.tolist(), strict=True)
    return {(measure, f"{target}>{to}" if to else target): value for measure, target, to, value in values}


def check(scene: Sequence[Person], shown_s: Sequence[float], sample_s: float) -> None:
    """Compare the measures with what people did; nothing may be off by more than a sample each time."""
    made = whole(scene, shown_s)
    for target in ("tea", "cocoa", ""):
        own = [[look for look in person.looks if target in ("", look[2])] for person in scene]
        watchers = [(person, looks) for person, looks in zip(scene, own, strict=True) if looks]
        visits = sum(map(len, own))
        assert made["watchers.1", target] == len(watchers)
        assert made["conversion.1", target] == len(watchers) / len(scene)
        assert (made["visits.1", target], made["fixations.1", target]) == (visits, visits)
        assert made["glances.1", target] == 0
        attention_s = sum(end - start for looks in own for start, end, _ in looks)
        assert made["attention_s.1", target] == pytest.approx(attention_s, abs=visits * sample_s + 1e-6)
        presence_s = sum(person.goes_s - person.comes_s for person, _ in watchers)
        assert made["presence_s.1", target] == pytest.approx(presence_s, abs=len(watchers) * sample_s + 1e-6)
        if watchers:
            first_s = mean(looks[0][0] - person.comes_s for person, looks in watchers)
            assert made["first_look_mean_s.1", target] == pytest.approx(first_s, abs=sample_s + 1e-6)
            assert made["visit_mean_s.1", target] == pytest.approx(attention_s / visits, abs=sample_s + 1e-6)
            assert made["fixation_mean_s.1", target] == pytest.approx(attention_s / visits, abs=sample_s + 1e-6)
        if target:
            assert made["revisits.1", target] == visits - len(watchers)
            assert made["first_looks.1", target] == sum(person.looks[:1] == looks[:1] for person, looks in watchers)
    assert made["ots.1", ""] == len(scene)
    steps = [pair for person in scene for pair in zip(person.looks, person.looks[1:], strict=False)]
    for one, other in {(one[2], other[2]) for one, other in steps}:
        count = sum((a[2], b[2]) == (one, other) for a, b in steps)
        assert made["transitions.1", f"{one}>{other}"] == count


@settings(max_examples=15, deadline=None)
@given(st.lists(people, min_size=1, max_size=3), st.sampled_from([5, 10, 30]))
def test_at_any_frame_rate_measures_are_right_within_a_sample(scene: list[Person], fps: int) -> None:
    check(scene, [index / fps for index in range(LONG_S * fps)], 1 / fps)


@settings(max_examples=15, deadline=None)
@given(st.lists(people, min_size=1, max_size=3), st.lists(st.integers(1, 6), min_size=50, max_size=200))
def test_dropped_frames_shorten_nothing(scene: list[Person], steps: list[int]) -> None:
    shown, now = [], 0
    for index in range(LONG_S * 30):
        shown.append(now / 30)
        now += steps[index % len(steps)]
        if now >= LONG_S * 30:
            break

    check(scene, shown, max(steps) / 30)
    assert math.isclose(whole(scene, shown)["covered_s.1", ""], LONG_S, abs_tol=max(steps) / 30 + 1e-6)
