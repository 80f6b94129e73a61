from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from nodes.measure_looks import MeasureLooks
from nodes.types import AoiHits, Visits
from pipeline.epoch import epoch_ns
from pipeline.values import concat, equal, items
from tests.helpers import frames, make_node, run_node
from tests.nodes.look_clips import clip, hits, node, told


def test_a_visit_is_told_at_its_start_and_at_its_end() -> None:
    during, after = run_node(node(), [clip("tttt........")], ["shop"])

    assert told(during) == ["started tea 0-300@300", "ended tea 0-400@1000"]
    assert equal(after, Visits.empty())


def test_a_row_says_everything() -> None:
    tick = clip("ttttt", generation=2, start_s=5, config={"shop": {"start_time": "2024-05-01T12:00:00+02:00"}})

    (during, after) = run_node(node(), [tick], ["shop"])

    assert columns_of(after) == {
        "id": ["shop/2/3/tea/5000000000/ended"],
        "visit": ["shop/2/3/tea/5000000000"],
        "kind": ["ended"],
        "reason": ["stream_ended"],
        "replaces": [""],
        "stream_id": ["shop"],
        "generation": [2],
        "track_id": [3],
        "target": ["tea"],
        "sequence": [1],
        "start_ns": [5_000_000_000],
        "end_ns": [5_500_000_000],
        "known_ns": [5_500_000_000],
        "dwell_ns": [500_000_000],
        "fixations": [1],
        "fixation_ns": [500_000_000],
        "score": [1.0],
        "start_time_ns": [epoch_ns(datetime(2024, 5, 1, 10, tzinfo=UTC))],
    }
    assert (during.id, during.reason) == (("shop/2/3/tea/5000000000/started",), ("",))
    assert during.sequence.tolist() == [0]


def columns_of(visits: Visits) -> dict[str, list[Any]]:
    return {name: list(content) if isinstance(content, tuple) else content.tolist() for name, content in items(visits)}


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


def test_reasons_tell_the_end_of_a_stream_from_a_break_in_it() -> None:
    in_a_tick, at_its_end, at_the_end = node(), node(), node()
    batch = frames(8, pts_s=[0.0, 0.1, 0.2, 0.3, 0.0, 0.1, 0.2, 0.3], generation=[0] * 4 + [1] * 4)
    in_a_tick.open()
    at_its_end.open()
    at_the_end.open()

    within = in_a_tick.process(batch, hits(*[(row, 1, "tea") for row in range(8)]))
    at_its_end.process(*clip("tttt"))
    at_the_end.process(*clip("tttt"))

    assert within.reason[1] == "discontinuity"
    assert at_its_end.stream_broken("shop").reason == ("discontinuity",)
    assert at_the_end.stream_ended("shop").reason == ("stream_ended",)
    assert equal(at_its_end.stream_ended("shop"), Visits.empty())  # nothing is left


def test_settings_that_were_replaced_hold_from_the_next_frame_on() -> None:
    made = node()
    made.open()
    made.process(*clip("ttttt"))
    made.config = made.config.model_copy(update={"max_gap_s": 0.2})
    made.reconfigured()

    later = made.process(frames(4, start_s=0.5, step_s=0.1), AoiHits.empty())

    assert told(later) == ["ended tea 0-500@800"]


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


def test_frames_too_far_apart_for_a_visit_are_said_once(caplog: pytest.LogCaptureFixture) -> None:
    run_node(node(), [(frames(4, step_s=1.0), hits())])

    assert caplog.messages == [
        "stream shop: frames are 1.00 s apart at pts 1.00 s, more than max_gap_s=0.5: visits end at such holes; if all "
        "frames are so far apart, raise max_gap_s above twice that"
    ]


def test_a_clip_gives_the_same_visits_at_5_10_and_30_frames_a_second() -> None:
    """Two looks at tea with a short gap, one at coffee in between, all to a millisecond that no frame falls on."""
    spans = {"tea": [(0.333, 1.917), (2.213, 3.491), (6.107, 7.019)], "coffee": [(4.057, 5.509)], "milk": [(5.6, 5.81)]}

    found = {}
    for rate in (5, 10, 30):
        batch = frames(rate * 9, step_s=1 / rate)
        times = batch.pts_ns / 1e9
        looks = hits(
            *[
                (row, 3, name)
                for row in range(len(batch))
                for name in spans
                for a, b in spans[name]
                if a <= times[row] < b
            ],
            score=0.75,
        )
        visits = concat(
            run_node(
                make_node(MeasureLooks, min_look_s=0.3, min_visit_s=0.35, fixation_gap_s=0.2),
                [(batch, looks)],
                ["shop"],
            )
        )
        kept = visits.take(np.array([kind == "ended" for kind in visits.kind]))
        assert (kept.target, kept.fixations.tolist()) == (("tea", "coffee", "tea"), [2, 1, 1])
        found[rate] = kept

    for rate in (5, 10):
        sample_ns = 10**9 / rate
        for name in ("start_ns", "end_ns", "dwell_ns", "fixation_ns"):
            apart = np.abs(getattr(found[rate], name) - getattr(found[30], name))
            assert (apart <= sample_ns + 2).all(), (rate, name, apart)
        assert found[rate].score == pytest.approx(found[30].score)
