from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.measure_looks import MeasureLooks
from nodes.ops.epoch import epoch_ns
from nodes.types import AoiHits, Visits
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, run_node, table


def hits(*rows: tuple[int, int, str], score: float = 1.0) -> AoiHits:
    """Return hits from (frame_row, track_id, target)."""
    return table(
        AoiHits,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        target=[row[2] for row in rows],
        score=[score] * len(rows),
    )


def clip(table: str, **options: Any) -> tuple[FrameBatch, AoiHits]:
    """Return 10 frames/s, one per character, and the hits of track 3: `t` tea, `c` coffee, `b` both, `.` nothing."""
    targets = {"t": ["tea"], "c": ["coffee"], "b": ["coffee", "tea"], ".": [""]}
    rows = [(row, 3, target) for row, mark in enumerate(table) for target in targets[mark]]
    return frames(len(table), step_s=0.1, **options), hits(*rows)


def node(**config: Any) -> MeasureLooks:
    return make_node(MeasureLooks, **{"min_look_s": 0.3, "max_gap_s": 0.5, "min_visit_s": 0.3, **config})


def told(visits: Visits) -> list[str]:
    return [
        f"{kind} {target} {start // 10**6}-{end // 10**6}@{known // 10**6}"
        for kind, target, start, end, known in zip(
            visits.kind, visits.target, visits.start_ns, visits.end_ns, visits.known_ns, strict=True
        )
    ]


def test_a_visit_is_told_at_its_start_and_at_its_end() -> None:
    during, after = run_node(node(), [clip("tttt........")], ["shop"])

    assert told(during) == ["started tea 0-300@300", "ended tea 0-400@1000"]
    assert equal(after, Visits.empty())


def test_a_row_says_everything() -> None:
    tick = clip("ttttt", generation=2, start_s=5, config={"shop": {"start_time": "2024-05-01T12:00:00+02:00"}})

    (during, after) = run_node(node(), [tick], ["shop"])

    assert after.id == ("shop/2/3/tea/5000000000/ended",)
    assert (after.kind, after.stream_id, after.target) == (("ended",), ("shop",), ("tea",))
    numbers = {name: getattr(after, name).tolist() for name in ("generation", "track_id", "sequence", "score")}
    assert numbers == {"generation": [2], "track_id": [3], "sequence": [1], "score": [1.0]}
    assert (after.start_ns[0], after.end_ns[0], after.known_ns[0]) == (5_000_000_000, 5_500_000_000, 5_500_000_000)
    assert after.dwell_ns.tolist() == [500_000_000]
    assert after.start_time_ns.tolist() == [epoch_ns(datetime(2024, 5, 1, 10, tzinfo=UTC))]
    assert during.sequence.tolist() == [0]


def test_what_is_open_at_the_end_of_a_stream_ends_there() -> None:
    during, after = run_node(node(), [clip("tttt")], ["shop"])

    assert told(concat([during, after])) == ["started tea 0-300@300", "ended tea 0-400@400"]


def test_a_stream_that_was_never_seen_ends_quietly() -> None:
    (after,) = run_node(node(), [], ["shop"])

    assert equal(after, Visits.empty())


def test_two_targets_are_two_visits() -> None:
    during, after = run_node(node(), [clip("bbbb")], ["shop"])

    assert told(concat([during, after])) == [
        "started coffee 0-300@300",
        "started tea 0-300@300",
        "ended coffee 0-400@400",
        "ended tea 0-400@400",
    ]


def test_streams_do_not_mix() -> None:
    batch = frames(8, stream=["bar", "shop"] * 4, pts_s=[0.0, 0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3])
    looks = hits(*[(row, 1, "tea") for row in range(8)])

    during, bar, shop = run_node(node(), [(batch, looks)], ["bar", "shop"])

    assert list(zip(during.stream_id, during.sequence.tolist(), strict=True)) == [("bar", 0), ("shop", 0)]
    assert (bar.stream_id, shop.stream_id) == (("bar",), ("shop",))
    assert (bar.sequence.tolist(), shop.sequence.tolist()) == ([1], [1])


def test_no_visit_crosses_a_generation_and_numbers_begin_anew() -> None:
    batch = frames(8, pts_s=[0.0, 0.1, 0.2, 0.3, 0.0, 0.1, 0.2, 0.3], generation=[0] * 4 + [1] * 4)
    looks = hits(*[(row, 1, "tea") for row in range(8)])

    during, after = run_node(node(), [(batch, looks)], ["shop"])

    both = concat([during, after])
    assert both.kind == ("started", "ended", "started", "ended")
    assert both.generation.tolist() == [0, 0, 1, 1]
    assert both.sequence.tolist() == [0, 1, 0, 1]


def test_updates_carry_their_number_in_the_id() -> None:
    (during,) = run_node(node(update_s=0.5), [clip("t" * 15)])

    assert during.id == tuple(f"shop/0/3/tea/0/{kind}" for kind in ("started", "updated/1", "updated/2"))


def test_frames_without_hits_move_time_on() -> None:
    quiet = (frames(7, start_s=0.5, step_s=0.1), AoiHits.empty())

    first, second = run_node(node(), [clip("ttttt"), quiet])

    assert told(first) == ["started tea 0-300@300"]
    assert told(second) == ["ended tea 0-500@1100"]


def test_no_frames_change_nothing() -> None:
    ticks = [(frames(0), AoiHits.empty()), clip("tttt"), (frames(0), AoiHits.empty())]

    before, _, after = run_node(node(), ticks)

    assert equal(before, Visits.empty())
    assert equal(after, Visits.empty())


@given(st.text("tcb....", max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_any_cut_into_batches_gives_the_same_events(table: str, cuts: list[int]) -> None:
    batch, looks = clip(table)
    edges = [0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]
    ticks = []
    for first, last in pairwise(edges):
        part = looks.take((looks.frame_row >= first) & (looks.frame_row < last))
        ticks.append((batch.take(np.arange(first, last)), replace(part, frame_row=part.frame_row - first)))

    whole = concat(run_node(node(), [(batch, looks)], ["shop"]))
    parts = concat(run_node(node(), ticks, ["shop"]))

    assert equal(whole, parts)
    assert whole.sequence.tolist() == list(range(len(whole)))
    assert len(set(whole.id)) == len(whole)


def test_frames_too_far_apart_for_a_visit_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    run_node(node(), [(frames(4, step_s=1.0), hits())])

    assert caplog.messages == [
        "stream shop: frames are 1.00 s apart at pts 1.00 s, more than max_gap_s=0.5: visits end at such holes; if all "
        "frames are so far apart, raise max_gap_s above twice that"
    ]
