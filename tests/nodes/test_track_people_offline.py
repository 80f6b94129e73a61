"""Tracks of a whole clip: fragments linked, gaps filled, people numbered as they come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nodes.ops import whole_clip
from nodes.track_people import TrackPeople
from nodes.types import Detections, Tracks
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal
from scenes.crowd import Crowd, make_crowd
from tests.helpers import frames, make_node, table

STEP_S = 0.1
SIZE = np.array([0.1, 0.4], np.float32)


def box(x: float, y: float = 0.5) -> np.ndarray:
    """Return a body about a centre."""
    centre = np.array([x, y], np.float32)
    return np.concatenate([centre - SIZE / 2, centre + SIZE / 2])


def tracked(frame_rows: list[int], track_id: list[int], xs: list[float], **columns: Any) -> Tracks:
    """Return rows of people whose body alone is known."""
    return table(
        Tracks,
        frame_row=frame_rows,
        track_id=track_id,
        body_box=np.array([box(x) for x in xs], np.float32).reshape(-1, 4),
        **{"body_score": [0.8] * len(xs), "observed": [True] * len(xs), **columns},
    )


def revised(*ticks: tuple[FrameBatch, Tracks], min_seen_s: float = 0) -> list[Tracks]:
    return list(make_node(TrackPeople, offline=True, min_seen_s=min_seen_s).revised(ticks))


def walk(seen: dict[int, dict[int, float]], count: int) -> list[tuple[FrameBatch, Tracks]]:
    """Return ticks of one frame each; people are seen at x in some of them: {track: {frame: x}}."""
    made = []
    for index in range(count):
        here = {track: places[index] for track, places in sorted(seen.items()) if index in places}
        tick = tracked([0] * len(here), list(here), list(here.values()))
        made.append((frames(1, start_s=index * STEP_S, step_s=STEP_S), tick))
    return made


def crowded(crowd: Crowd) -> list[tuple[FrameBatch, Tracks]]:
    """Return what the tracker makes of a crowd in one pass."""
    node = make_node(TrackPeople, new_score=0.4)
    node.open()
    boxes = (crowd.found.box_px / np.tile(crowd.size_wh, 2)).astype(np.float32)
    made = []
    for index in range(crowd.frames):
        mine = crowd.found.frame == index
        score = crowd.found.score[mine] * (1 - 0.001 * np.arange(mine.sum()))  # no two are the same
        people = table(Detections, frame_row=[0] * len(score), body_box=boxes[mine], body_score=score)
        frame = frames(1, start_s=index / crowd.fps, step_s=1 / crowd.fps, size_wh=crowd.size_wh)
        made.append((frame, node.process(frame, people)))
    return made


def ids(values: list[Tracks]) -> list[list[int]]:
    return [value.track_id.tolist() for value in values]


def test_who_walks_behind_something_comes_out_as_the_same_and_the_gap_is_filled() -> None:
    seen = {3: {i: 0.1 + 0.02 * i for i in range(5)}, 8: {i: 0.1 + 0.02 * i for i in range(9, 14)}}

    values = revised(*walk(seen, 14))

    assert ids(values) == [[1]] * 14
    whole = concat(values)
    np.testing.assert_allclose(whole.body_box, [box(0.1 + 0.02 * i) for i in range(14)], atol=1e-6)
    assert whole.observed.tolist() == [True] * 5 + [False] * 4 + [True] * 5
    assert whole.body_score.tolist() == pytest.approx([0.8] * 5 + [0] * 4 + [0.8] * 5)
    assert np.isnan(whole.head_box).all()


def test_two_who_are_far_apart_or_there_at_once_stay_two_and_are_numbered_as_they_come() -> None:
    seen = {9: {i: 0.2 for i in range(4)}, 4: {i: 0.8 for i in range(2, 8)}, 2: {i: 0.5 for i in range(6, 9)}}

    values = revised(*walk(seen, 9))

    assert ids(values) == [[1], [1], [1, 2], [1, 2], [2], [2], [2, 3], [2, 3], [3]]


def test_of_two_that_could_go_on_the_likelier_does() -> None:
    seen = {1: {i: 0.2 for i in range(4)}, 2: {i: 0.24 for i in range(6, 9)}, 3: {i: 0.3 for i in range(6, 9)}}

    assert ids(revised(*walk(seen, 9)))[-1] == [1, 2]
    assert revised(*walk(seen, 9))[-1].body_box[0].tolist() == pytest.approx(box(0.24).tolist())


@pytest.mark.parametrize("block", [1, 4, 1000])
def test_a_chain_of_fragments_is_one_person(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_clip, "_BLOCK", block)
    seen = {5: {0: 0.2, 1: 0.2}, 6: {4: 0.2, 5: 0.2}, 7: {8: 0.2, 9: 0.2}}

    assert ids(revised(*walk(seen, 10))) == [[1]] * 10


def test_who_is_gone_for_long_is_somebody_else() -> None:
    seen = {1: {0: 0.2, 1: 0.2}, 2: {40: 0.2, 41: 0.2}}

    assert ids(revised(*walk(seen, 42))) == [[1]] * 2 + [[]] * 38 + [[2]] * 2


def test_what_was_predicted_in_a_gap_is_replaced_and_beyond_the_last_sight_it_is_left_out() -> None:
    ticks = walk({1: {0: 0.2, 1: 0.2, 2: 0.4, 3: 0.4, 4: 0.2, 5: 0.4}}, 6)
    unseen = [
        (each, tracked([0], [1], [0.4], observed=[False]) if index in (2, 3, 5) else value)
        for index, (each, value) in enumerate(ticks)
    ]

    values = revised(*unseen)

    assert ids(values) == [[1]] * 5 + [[]]
    whole = concat(values)
    assert whole.body_box[:, 0].tolist() == pytest.approx([0.15] * 5)
    assert whole.observed.tolist() == [True, True, False, False, True]


def test_who_is_seen_for_less_than_what_is_set_is_left_out() -> None:
    """Somebody seen twice does not count, and takes no number from who comes later."""
    seen = {1: {0: 0.2, 1: 0.2}, 2: {i: 0.8 for i in range(2, 10)}}

    assert ids(revised(*walk(seen, 10), min_seen_s=0.2)) == [[1]] * 2 + [[2]] * 8
    assert ids(revised(*walk(seen, 10), min_seen_s=0.3)) == [[]] * 2 + [[1]] * 8


def test_what_the_tracker_corrected_later_is_right_from_the_start() -> None:
    ticks = walk({1: {0: 0.2, 1: 0.2}, 2: {2: 0.9, 3: 0.9, 4: 0.9}}, 6)
    merge = tracked([0], [1], [0.9], taken_from=[2], taken_since_ns=[200_000_000])
    split = tracked([0, 0], [1, 7], [0.9, 0.1], taken_from=[0, 1], taken_since_ns=[0, 400_000_000])
    ticks[4] = ticks[4][0], merge
    ticks[5] = ticks[5][0], split

    values = revised(*ticks)

    assert ids(values) == [[1], [1], [1], [1], [1, 2], [1, 2]]  # who was taken apart is not seen in frame 4
    assert not any(value.taken_from.any() or value.taken_since_ns.any() for value in values)


@pytest.mark.parametrize(
    "columns",
    [{"observed": [False, True], "body_score": [0.8, 0.5]}, {"observed": [True, True], "body_score": [0.5, 0.8]}],
)
def test_one_row_is_left_where_two_tracks_turn_out_to_be_one(columns: dict[str, Any]) -> None:
    """Of two the one that was seen, and of two that were the one with the better score."""
    both = tracked([0, 0], [1, 2], [0.3, 0.2], **columns)
    found = tracked([0], [1], [0.2], taken_from=[2], taken_since_ns=[0])
    ticks = [(frames(1, start_s=0.1 * i, step_s=STEP_S), value) for i, value in enumerate([both, found])]

    values = revised(*ticks)

    assert ids(values) == [[1], [1]]
    assert values[0].body_box[0].tolist() == pytest.approx(box(0.2).tolist())
    assert values[0].observed.all()


def test_bodies_are_calmed() -> None:
    values = revised(*walk({1: {i: 0.5 + 0.01 * (-1) ** i for i in range(20)}}, 20))

    middles = concat(values).body_box[:, [0, 2]].mean(axis=1)
    assert np.abs(middles[4:-4] - 0.5).max() < 0.004


def test_nothing_is_linked_beyond_a_stream_and_its_generation() -> None:
    batch = frames(6, ["a", "b"] * 3, pts_s=[0, 0, 0.1, 0.1, 0.2, 0.2], step_s=STEP_S, generation=[0, 0, 0, 0, 1, 1])
    value = tracked([0, 3, 4], [1, 2, 3], [0.2, 0.2, 0.2])

    (got,) = revised((batch, value))

    assert got.frame_row.tolist() == [0, 3, 4]
    assert got.track_id.tolist() == [1, 1, 1]


def test_batches_come_back_as_batches() -> None:
    seen = {1: {0: 0.2, 1: 0.2}, 2: {3: 0.2, 4: 0.2}}
    batch = frames(5, step_s=STEP_S)
    value = tracked([0, 1, 3, 4], [1, 1, 2, 2], [0.2] * 4)

    (got,) = revised((batch, value))

    assert got.frame_row.tolist() == [0, 1, 2, 3, 4]
    assert got.track_id.tolist() == [1] * 5
    assert equal(concat(revised(*walk(seen, 5))).take(range(5)), replace(got, frame_row=np.zeros(5, np.int64)))


def test_ticks_without_frames_and_clips_without_people_stay_empty() -> None:
    values = revised((frames(0), Tracks.empty()), (frames(2, step_s=STEP_S), Tracks.empty()))

    assert [len(value) for value in values] == [0, 0]
    assert revised() == []


@pytest.mark.parametrize("seed", [1, 3])
def test_of_a_crowd_every_sight_stays_once_or_is_left_out(seed: int) -> None:
    crowd = make_crowd(seed, seconds=10)
    ticks, step_s = crowded(crowd), 1 / crowd.fps

    values = revised(*ticks, min_seen_s=0.5)

    whole = replace(concat(values), frame_row=np.repeat(np.arange(len(values)), [len(value) for value in values]))
    for (_, before), after in zip(ticks, values, strict=True):
        assert (np.diff(after.track_id) > 0).all()
        sights, left = before.body_score[before.observed], after.body_score[after.observed]
        assert len(set(left)) == len(left)  # scores tell them apart
        assert set(left) <= set(sights)
    assert whole.observed.sum() > 0.8 * sum(before.observed.sum() for _, before in ticks)
    _, first = np.unique(whole.track_id, return_index=True)
    assert (np.diff(first) > 0).all()
    assert set(whole.track_id) == set(range(1, len(first) + 1))
    for track in range(1, len(first) + 1):
        mine = whole.take(whole.track_id == track)
        assert mine.observed[[0, -1]].all()
        assert mine.observed.sum() * step_s > 0.5 - step_s
    assert np.isfinite(whole.body_box).all()
    assert whole.body_box.min() > -0.2
    assert whole.body_box.max() < 1.2
