"""Fragments put together: which links are made, which gaps are filled, and what is left as it was."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from nodes.ops.boxes import from_anchored
from nodes.ops.linking import Linked, Rows, link
from tests.nodes.ops.sights import ASPECT, STEP_NS, sight, together


def linked(*sights: Rows, min_seen_s: float = 0, frames: int = 100) -> tuple[Rows, Linked]:
    """Return the rows of people in a hundred frames, and what is made of them."""
    rows = together(*sights)
    return rows, link(rows, np.arange(frames) * STEP_NS, ASPECT, min_seen_s)


def people(rows: Rows, made: Linked) -> dict[int, set[int]]:
    """Return which persons the rows of each track belong to."""
    return {int(track): set(made.track_id[rows.track_id == track].tolist()) for track in np.unique(rows.track_id)}


def filled_frames(made: Linked) -> list[int]:
    return (made.filled.pts_ns // STEP_NS).tolist()


def test_who_is_out_of_sight_is_one_person_and_the_straight_gap_is_filled() -> None:
    way = {"x": 0.5, "y": 0.2, "speed": (0.1, 0.05)}
    rows, made = linked(sight(3, range(10), **way), sight(8, range(14, 24), **way))

    assert people(rows, made) == {3: {1}, 8: {1}}
    assert filled_frames(made) == [10, 11, 12, 13]
    assert made.filled.body_box == pytest.approx(sight(3, range(10, 14), **way).body_box, abs=1e-5)
    assert np.isnan(made.filled.head_box).all()
    assert not made.filled.observed.any()
    assert not made.filled.body_score.any()
    assert not made.filled.head_score.any()
    assert made.filled.track_id.tolist() == [1] * 4


def test_a_bent_gap_is_linked_and_not_filled() -> None:
    there = sight(1, range(10), 1.0, speed=(0.2, 0))
    back = sight(2, range(19, 29), 1.18 + 0.2 * 1.9, speed=(-0.2, 0))

    rows, made = linked(there, back)

    assert people(rows, made) == {1: {1}, 2: {1}}
    assert not filled_frames(made)


def test_a_gap_of_more_than_three_seconds_is_linked_and_not_filled() -> None:
    rows, made = linked(sight(1, range(10)), sight(1, range(40, 50)))
    assert people(rows, made) == {1: {1}}
    assert not filled_frames(made)

    rows, made = linked(sight(1, range(10)), sight(1, range(39, 50)))
    assert filled_frames(made) == list(range(10, 39))


def test_frames_missed_within_a_fragment_are_filled_however_it_turns() -> None:
    _, made = linked(sight(1, range(10), speed=(0.8, 0)), sight(1, range(12, 20), 1.72 + 0.96, speed=(-0.8, 0)))

    assert filled_frames(made) == [10, 11]


def test_a_track_whose_parts_are_not_one_persons_is_parted() -> None:
    rows, made = linked(sight(4, range(10), 0.4), sight(4, range(15, 25), 1.6))

    assert made.track_id.tolist() == [1] * 10 + [2] * 10
    assert not len(made.filled)
    assert made.body_box == pytest.approx(rows.body_box, abs=1e-6)


def test_two_fair_links_are_made_rather_than_the_best_one() -> None:
    """The first could go on as the last at the very same place, but then two others would be left over."""
    first, second = sight(1, range(10)), sight(2, range(5, 16), 1.03)
    third, last = sight(3, range(13, 24), 1.03), sight(4, range(19, 30))

    assert people(*linked(first, last)) == {1: {1}, 4: {1}}
    assert people(*linked(first, second, third, last)) == {1: {1}, 2: {2}, 3: {1}, 4: {2}}


def test_one_good_link_is_made_rather_than_two_poor_ones() -> None:
    """The other pairs could be one person each, but far off. Of heads alone nobody hides behind anybody."""
    first, second = sight(1, range(10), head_only=True), sight(2, range(10), 1.055, head_only=True)
    third, last = sight(3, range(14, 24), head_only=True), sight(4, range(14, 24), 0.945, head_only=True)

    assert people(*linked(first, last)) == {1: {1}, 4: {1}}
    assert people(*linked(second, third)) == {2: {1}, 3: {1}}
    assert people(*linked(first, second, third, last)) == {1: {1}, 2: {2}, 3: {1}, 4: {3}}


@pytest.mark.parametrize(("second", "third"), [(1.01, 1.03), (1.03, 1.01)])
def test_one_fragment_has_one_next_and_one_before(second: float, third: float) -> None:
    """Nearer is likelier; who is left over stays alone."""
    fork = linked(sight(1, range(10)), sight(2, range(14, 24), second), sight(3, range(14, 24), third))
    assert people(*fork) == {1: {1}, 2: {1 + (second > third)}, 3: {1 + (third > second)}}

    join = linked(sight(1, range(10), second), sight(2, range(10), third), sight(3, range(14, 24)))
    assert people(*join) == {1: {1}, 2: {2}, 3: {1 + (second > third)}}


def test_links_make_chains() -> None:
    rows, made = linked(*(sight(9 - k, range(10 * k, 10 * k + 5)) for k in range(5)), sight(1, range(45), 0.4))

    assert people(rows, made) == {1: {1}, 5: {2}, 6: {2}, 7: {2}, 8: {2}, 9: {2}}
    assert len(made.filled) == 4 * 5


def test_people_without_bodies_are_linked_by_their_heads() -> None:
    way = {"x": 0.6, "speed": (0.1, 0), "head_only": True}
    rows, made = linked(sight(1, range(10), **way), sight(2, range(14, 24), **way))

    assert people(rows, made) == {1: {1}, 2: {1}}
    assert made.filled.head_box == pytest.approx(sight(1, range(10, 14), **way).head_box, abs=1e-5)
    assert np.isnan(made.filled.body_box).all()
    assert np.isnan(made.body_box).all()


def test_bodies_that_are_not_known_do_no_harm() -> None:
    whole = sight(1, range(20), 0.5, speed=(0.1, 0.1))
    head = sight(1, range(20), 0.5, speed=(0.1, 0.1), head_only=True)
    body = whole.body_box.copy()
    body[[0, 7, 8]] = np.nan

    rows, made = linked(replace(whole, head_box=head.head_box, body_box=body), sight(2, range(24, 30), 0.74, 0.54))

    assert np.isnan(made.body_box[:, 0]).nonzero()[0].tolist() == [0, 7, 8]
    known = ~np.isnan(body[:, 0])
    assert made.body_box[:20][known] == pytest.approx(body[known], abs=1e-4)
    assert people(rows, made) == {1: {1}, 2: {1}}
    assert np.isfinite(made.filled.body_box).all()


def test_filled_boxes_move_with_the_camera() -> None:
    """It turns fast between frames 10 and 14, and stands before and after."""
    turned = (np.arange(100).clip(10, 14) - 10) * 0.1 / ASPECT
    still = together(
        *(sight(90 + k, range(30), 0.3 + 0.2 * k, 0.7, tall=0.2) for k in range(5)),
        sight(1, range(10), 0.6),
        sight(2, range(15, 25), 0.6),
    )
    by = turned[still.pts_ns // STEP_NS, None] * [1, 0, 1, 0]

    rows, made = linked(replace(still, body_box=(still.body_box + by).astype(np.float32)))

    assert people(rows, made)[1] == people(rows, made)[2]
    expected = sight(1, range(10, 15), 0.6).body_box + turned[10:15, None] * [1, 0, 1, 0]
    assert made.filled.body_box == pytest.approx(expected, abs=1e-4)
    assert made.body_box == pytest.approx(rows.body_box, abs=1e-4)


@pytest.mark.parametrize("speed", [(0.0, 0.0), (0.15, -0.05)])
def test_who_stands_or_walks_straight_is_left_where_it_is(speed: tuple[float, float]) -> None:
    rows, made = linked(sight(1, range(30), 0.5, 0.4, speed=speed))

    assert made.body_box == pytest.approx(rows.body_box, abs=1e-6)
    assert made.body_box.dtype == np.float32


def test_boxes_that_tremble_are_calmed() -> None:
    walker = sight(1, range(30), 0.5, 0.4, speed=(0.1, 0))
    trembling = walker.body_box + np.random.default_rng(0).normal(0, 0.01, (30, 4)).astype(np.float32)

    _, made = linked(replace(walker, body_box=trembling))

    before, after = (np.abs(boxes - walker.body_box).mean() for boxes in (trembling, made.body_box))
    assert after < 0.7 * before


def test_what_was_predicted_is_left_out_and_links_nobody() -> None:
    rows, made = linked(sight(1, range(5)), sight(1, range(5, 30), observed=False), sight(2, range(9, 15)))

    assert made.track_id.tolist() == [int(seen) for seen in rows.observed]
    assert filled_frames(made) == [5, 6, 7, 8]


@pytest.mark.parametrize(("min_seen_s", "left"), [(0.4, {1: {1}, 2: {2}}), (0.5, {1: {1}, 2: {0}})])
def test_who_is_hardly_seen_is_left_out(min_seen_s: float, left: dict[int, set[int]]) -> None:
    """All that is seen of a person counts, in as many fragments as there are."""
    parts = [sight(1, range(3), 0.5), sight(1, range(8, 10), 0.5), sight(2, range(3, 7), 1.5)]

    rows, made = linked(*parts, min_seen_s=min_seen_s)

    assert people(rows, made) == left


def test_nobody_and_a_single_frame() -> None:
    _, nobody = linked(sight(1, []))
    _, unseen = linked(sight(1, [1, 2], observed=False))
    rows, one = linked(sight(1, [0]), frames=1)

    assert (len(nobody.track_id), unseen.track_id.tolist(), one.track_id.tolist()) == (0, [0, 0], [1])
    assert [len(made.filled) for made in (nobody, unseen, one)] == [0, 0, 0]
    assert one.body_box.tolist() == rows.body_box.tolist()


def many(count: int, seconds: float, sights: int) -> tuple[Rows, np.ndarray]:
    """Return short fragments of people who all crowd in one place, and the pts of the frames."""
    rng = np.random.default_rng(1)
    start = np.sort(rng.integers(0, int(seconds * 10), count))
    place = np.column_stack([rng.uniform([0.8, 0.2], [1.2, 0.4], (count, 2)), np.tile([0.1, 0.3], (count, 1))])
    body = from_anchored(place) / [ASPECT, 1, ASPECT, 1]
    pts_ns = (start[:, None] + np.arange(sights)).ravel() * STEP_NS
    track = np.repeat(np.arange(count), sights)
    unordered = Rows(
        pts_ns=pts_ns,
        track_id=track + 1,
        head_box=np.full((sights * count, 4), np.nan, np.float32),
        head_score=np.zeros(sights * count, np.float32),
        body_box=body[track].astype(np.float32),
        body_score=np.ones(sights * count, np.float32),
        observed=np.ones(sights * count, np.bool_),
    )
    return together(unordered), np.arange(int(seconds * 10) + sights) * STEP_NS


def test_memory_grows_with_the_clip_and_not_with_its_square() -> None:
    """In a crowd in which everybody might go on as many others, all pairs of 1,000 fragments take 8 MB."""
    rows, frames_ns = many(1000, seconds=120, sights=2)
    link(*many(10, seconds=1, sights=2), ASPECT, 0)  # what is imported does not count
    tracemalloc.start()
    try:
        made = link(rows, frames_ns, ASPECT, 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 1000 / 50 < len(np.unique(made.track_id)) < 500
    assert peak < 6e6


def test_many_fragments_take_little_time() -> None:
    rows, frames_ns = many(3000, seconds=600, sights=6)
    began = time.thread_time()

    link(rows, frames_ns, ASPECT, 0)

    assert time.thread_time() - began < 2
