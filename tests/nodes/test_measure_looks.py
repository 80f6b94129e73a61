import gc
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.measure_looks import MeasureLooks
from nodes.ops.epoch import epoch_ns
from nodes.types import AoiHits, Tracks, Visits
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal, items
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


# who was who


def tracks(*rows: tuple[int, int, int, float]) -> Tracks:
    """Return tracks from (frame_row, track_id, taken_from, taken since in s)."""
    return table(
        Tracks,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        taken_from=[row[2] for row in rows],
        taken_since_ns=[round(row[3] * 1e9) for row in rows],
    )


def test_visits_are_repaired_when_tracks_say_who_was_who() -> None:
    """Track 3 ends; 8 begins a little later, and turns out to be 3; what was told of both is told anew of 3."""
    batch = frames(16, step_s=0.1)
    looks = hits(*[(row, 3, "tea") for row in range(4)], *[(row, 8, "tea") for row in range(6, 12)])
    who = tracks(*[(row, 3, 0, 0) for row in range(4)], *[(row, 8, 0, 0) for row in range(6, 12)], (12, 3, 8, 0.0))

    during, after = run_node(node(max_gap_s=0.4), [(batch, looks, who)], ["shop"])

    both = concat([during, after])
    first, second, whole = "shop/0/3/tea/0", "shop/0/8/tea/600000000", "shop/0/3/tea/0~1"
    assert list(zip(both.id, both.reason, both.replaces, strict=True)) == [
        (f"{first}/started", "", ""),
        (f"{first}/ended", "looked_away", ""),
        (f"{second}/started", "", ""),
        (f"{first}/retracted", "identity", ""),
        (f"{second}/retracted", "identity", ""),
        (f"{whole}/started", "", f"{first}\n{second}"),
        (f"{whole}/ended", "stream_ended", f"{first}\n{second}"),
    ]
    assert both.sequence.tolist() == list(range(7))
    assert after.dwell_ns.tolist() == [1_000_000_000]


def test_corrections_are_of_their_stream() -> None:
    batch = frames(10, stream=["bar", "shop"] * 5, pts_s=np.repeat(np.arange(5) * 0.1, 2).tolist())
    looks = hits(*[(row, 1, "tea") for row in range(8)])

    during, bar, shop = run_node(node(), [(batch, looks, tracks((8, 1, 0, 0), (9, 2, 1, 0.0)))], ["bar", "shop"])

    assert (bar.track_id.tolist(), shop.track_id.tolist()) == ([1], [2])
    assert [name for name, why in zip(during.stream_id, during.reason, strict=True) if why == "identity"] == ["shop"]


def test_how_far_back_is_set_by_repair_s() -> None:
    batch, looks = clip("tttt" + "." * 9)
    who = tracks((12, 5, 3, 0.0))

    near, far = (concat(run_node(node(repair_s=s), [(batch, looks, who)], ["shop"])) for s in (0.5, 2))

    assert near.track_id.tolist() == [3, 3]
    assert far.kind == ("started", "ended", "retracted", "started", "ended")


def test_without_tracks_identities_are_taken_as_they_come() -> None:
    batch, looks = clip("tttt" + "." * 9)

    with_tracks, without = (run_node(node(), [(batch, looks, *more)], ["shop"]) for more in ((Tracks.empty(),), ()))

    assert all(equal(a, b) for a, b in zip(with_tracks, without, strict=True))


# the same of any rate and any batches


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
            run_node(make_node(MeasureLooks, min_look_s=0.3, fixation_gap_s=0.2), [(batch, looks)], ["shop"])
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


def test_many_people_who_come_and_go_leave_nothing() -> None:
    made = node(repair_s=2.0)
    made.open()
    sizes = []
    for index in range(600):
        person = index // 4 + 1
        who = tracks((0, person + 5000, person - 1, 0.0)) if index % 8 == 5 else tracks((0, person, 0, 0.0))
        made.process(frames(1, start_s=index / 10), hits((0, person, "tea"), (0, person, f"person:{person + 1}")), who)
        sizes.append(_reachable(made._streams))

    assert max(sizes[-100:]) <= max(sizes[100:200]) + 5


def _reachable(start: Any) -> int:
    """Count the objects that can be reached and that are of this node's making."""
    seen, todo = set(), [start]
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, type | ModuleType | FunctionType):
            seen.add(id(one))
            todo += gc.get_referents(one)
    return len(seen)


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


@given(
    st.text("tcb....", max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
    st.lists(st.tuples(st.integers(0, 59), st.sampled_from([(4, 3), (3, 4), (5, 4)]), st.integers(0, 60)), max_size=4),
)
def test_any_cut_into_batches_gives_the_same_events(
    table: str, cuts: list[int], corrections: list[tuple[int, tuple[int, int], int]]
) -> None:
    batch, looks = clip(table)
    who = tracks(*sorted((row, b, a, since / 10) for row, (b, a), since in corrections if row < len(batch)))
    edges = [0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]
    ticks = []
    for first, last in pairwise(edges):
        parts = [part.take((part.frame_row >= first) & (part.frame_row < last)) for part in (looks, who)]
        moved = [replace(part, frame_row=part.frame_row - first) for part in parts]
        ticks.append((batch.take(np.arange(first, last)), *moved))

    whole = concat(run_node(node(), [(batch, looks, who)], ["shop"]))
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
