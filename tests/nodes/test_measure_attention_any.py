"""From hits to measures: whatever two people look at, and however the tracker corrects itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.measure_attention import MeasureAttention
from nodes.measure_looks import MeasureLooks
from nodes.types import AoiHits, Measures, Tracks, Visits
from pipeline.values import Value, concat, equal
from tests.helpers import frames, make_node, table
from tests.nodes.ops.attention_by_definition import TICK, Seen, measured, presence

S = 10**9
AREAS = {"shop": {"aois": {"tea": [[0, 0], [1, 0], [1, 1]], "cocoa": [[0, 0], [1, 0], [1, 1]]}}}
MARKS = {"t": "tea", "c": "cocoa", "p": "person:3", ".": ""}


class Scene:
    """Frames of two people, what they look at and how the tracker corrects itself, as nodes are told."""

    def __init__(self, one: str, other: str, steps: list[int], repairs: list[tuple[int, int, bool]]) -> None:
        count = min(len(one), len(other), len(steps))
        self.frames = frames(pts_s=np.cumsum(steps[:count]) / 20, config=AREAS)
        marks = {1: one[:count], 2: other[:count]}
        rows = [(row, track, marks[track][row]) for row in range(count) for track in (1, 2) if marks[track][row] != " "]
        self.hits = table(
            AoiHits,
            frame_row=[row for row, _, _ in rows],
            track_id=[track for _, track, _ in rows],
            target=[MARKS[mark] for _, _, mark in rows],
            score=[1.0] * len(rows),
        )
        self.tracks = table(
            Tracks,
            frame_row=self.hits.frame_row,
            track_id=self.hits.track_id,
            observed=[True] * len(rows),
        )
        self._owner = {(row, track): track for row, track, _ in rows}
        taken_from, since = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for at, back, swapped in sorted(repairs):
            of_frame = [index for index, (row, _, _) in enumerate(rows) if row == at]
            for index in of_frame if swapped else of_frame[:1]:
                taken_from[index], since[index] = 3 - rows[index][1], self.frames.pts_ns[max(0, at - back)]
            self._correct(at, back, [(rows[index][1], int(taken_from[index])) for index in of_frame])
        self.tracks = replace(self.tracks, taken_from=taken_from, taken_since_ns=since)

    def _correct(self, at: int, back: int, pairs: Iterable[tuple[int, int]]) -> None:
        owners = {taken_from: track for track, taken_from in pairs if taken_from}
        for (row, track), owner in self._owner.items():
            if max(0, at - back) <= row < at and owner in owners:
                self._owner[row, track] = owners[owner]

    def in_view(self) -> dict[int, list[int]]:
        pts = self.frames.pts_ns.tolist()
        ends = [*pts[1:], 2 * pts[-1] - pts[-2]]
        samples: dict[int, list[tuple[int, int]]] = {1: [], 2: []}
        for (row, _), owner in self._owner.items():
            samples[owner].append((pts[row], ends[row]))
        return {track: found for track in samples if (found := presence(samples[track], 2 * S))}

    def run(self, cuts: list[int]) -> tuple[Visits, Measures]:
        """Return all visits and measures, computed in batches."""
        looks = make_node(MeasureLooks, repair_s=3)
        attention = make_node(MeasureAttention, window_s=0.7, settle_s=0, repair_s=4)
        looks.open()
        attention.open()
        edges = sorted({0, len(self.frames), *(min(cut, len(self.frames)) for cut in cuts)})
        all_visits, all_measures = [Visits.empty()], [Measures.empty()]
        for first, last in pairwise(edges):
            shown = self.frames.take(np.arange(first, last))
            hits, tracks = part(self.hits, first, last), part(self.tracks, first, last)
            all_visits.append(looks.process(shown, hits, tracks))
            all_measures.append(attention.process(shown, tracks, all_visits[-1]))
        all_visits.append(looks.stream_ended("shop"))
        all_measures.append(attention.process(self.frames.take([]), Tracks.empty(), all_visits[-1]))
        all_measures.append(attention.stream_ended("shop"))
        return concat(all_visits), concat(all_measures)


def part(value: Any, first: int, last: int) -> Any:
    rows: Value = value.take((value.frame_row >= first) & (value.frame_row < last))
    return replace(rows, frame_row=rows.frame_row - first)


scenes = st.builds(
    Scene,
    st.text("ttttcp. ", min_size=2, max_size=60),
    st.text("ttcccp. ", min_size=60, max_size=60),
    st.lists(st.sampled_from([1, 2, 2, 2, 4]), min_size=60, max_size=60),
    st.lists(
        st.tuples(st.integers(1, 59), st.integers(1, 14), st.booleans()), max_size=3, unique_by=lambda one: one[0]
    ),
)


@settings(max_examples=40, deadline=None)
@given(scenes)
def test_measures_are_those_of_the_visits_that_the_events_tell_in_the_end(scene: Scene) -> None:
    looks, made = scene.run([])

    final = {}
    for row in range(len(looks)):
        final.pop(looks.visit[row], None)
        if looks.kind[row] != "retracted":
            final[looks.visit[row]] = Seen(
                looks.visit[row],
                int(looks.track_id[row]),
                "person:*" if looks.target[row] == "person:3" else looks.target[row],
                *(int(getattr(looks, f"{name}_ns")[row]) for name in ("start", "end", "dwell")),
                int(looks.fixations[row]),
                int(looks.fixation_ns[row]),
            )
    reports: dict[int, dict[tuple[str, str, str], float]] = {}
    for row, number in enumerate(made.sequence.tolist()):
        reports.setdefault(number, {})[made.measure[row], made.target[row], made.to[row]] = made.value[row].item()
    windows = zip(made.span, made.window_start_ns.tolist(), strict=True)
    last = dict(zip(windows, made.sequence.tolist(), strict=True))
    end_ns = int(made.known_ns.max())
    for (span, start_ns), number in last.items():
        window = (start_ns, start_ns + round(0.7 * S)) if span == "window" else (start_ns, end_ns + TICK)
        until_ns = min(window[1], end_ns)
        expected = measured(window, list(final.values()), scene.in_view(), S, until_ns)
        got = {name: value for name, value in reports[number].items() if value and name[0] != "covered_s.1"}
        assert got == pytest.approx(expected)


@settings(max_examples=25, deadline=None)
@given(scenes, st.lists(st.integers(0, 60), max_size=5))
def test_any_cut_into_batches_gives_the_same_measures(scene: Scene, cuts: list[int]) -> None:
    assert equal(scene.run(cuts)[1], scene.run([])[1])
