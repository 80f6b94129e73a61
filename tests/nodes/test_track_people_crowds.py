"""What holds for the tracks of any crowd, however it is cut into batches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from nodes.track_people import TrackPeople
from nodes.types import Detections, Tracks
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal, items
from scenes.crowd import make_crowd
from tests.helpers import frames, make_node, table

SEEDS = pytest.mark.parametrize("seed", [2, 6, 9])
SECONDS = 8.0


@cache
def crowd(seed: int) -> tuple[FrameBatch, Detections]:
    """Return all frames of a crowd as one batch, and who is found in them."""
    made = make_crowd(seed, seconds=SECONDS)
    size = np.array([*made.size_wh, *made.size_wh])
    people = table(
        Detections,
        frame_row=made.found.frame,
        body_box=np.clip(made.found.box_px / size, 0, 1),
        body_score=made.found.score,
    )
    return frames(made.frames, str(seed), step_s=1 / made.fps, size_wh=made.size_wh), people


def cut(batch: FrameBatch, people: Detections, every: int) -> list[tuple[FrameBatch, Detections]]:
    """Return a batch in several of `every` frames."""
    ticks = []
    for first in range(0, len(batch), every):
        rows = np.arange(first, min(first + every, len(batch)))
        here = people.take(np.isin(people.frame_row, rows))
        ticks.append((batch.take(rows), replace(here, frame_row=here.frame_row - first)))
    return ticks


def tracked(ticks: list[tuple[FrameBatch, Detections]], **config: str) -> Tracks:
    """Return the tracks of batches, frames counted through."""
    node = make_node(TrackPeople, **config)
    node.open()
    made, first = [], 0
    for batch, people in ticks:
        tracks = node.process(batch, people)
        made.append(replace(tracks, frame_row=tracks.frame_row + first))
        first += len(batch)
    return concat(made)


@cache
def whole(seed: int) -> Tracks:
    return tracked([crowd(seed)])


@SEEDS
def test_rows_are_ordered_and_a_number_is_there_once_a_frame(seed: int) -> None:
    keys = list(zip(whole(seed).frame_row.tolist(), whole(seed).track_id.tolist(), strict=True))

    assert len(keys) > 300
    assert keys == sorted(set(keys))
    assert whole(seed).track_id.min() >= 1


@SEEDS
def test_numbers_rise_and_who_is_gone_for_long_does_not_come_back(seed: int) -> None:
    tracks = whole(seed)
    pts_ns = crowd(seed)[0].pts_ns[tracks.frame_row]
    highest = 0
    for row in np.unique(tracks.frame_row):
        now = tracks.track_id[tracks.frame_row == row]
        fresh = now[now > highest]
        assert set(fresh.tolist()) <= set(
            range(highest + 1, highest + 1 + len(fresh) + 3)
        )  # some are corrected at once
        highest = max(highest, int(now.max(initial=0)))
    for number in np.unique(tracks.track_id):
        assert np.diff(pts_ns[tracks.track_id == number]).max(initial=0) <= 4.1e9


@SEEDS
def test_a_number_that_was_given_up_is_not_used_again(seed: int) -> None:
    tracks = whole(seed)
    assert seed != 6 or tracks.taken_from.any()
    for row in np.flatnonzero(tracks.taken_from):
        ours = int(tracks.track_id[row]), int(tracks.taken_from[row])
        later = set(tracks.track_id[tracks.frame_row >= tracks.frame_row[row]].tolist())
        assert ours[0] in later
        assert ours[1] not in later or ours[0] > ours[1]  # a merge ends a number; a split begins one
        assert 0 <= tracks.taken_since_ns[row] <= crowd(seed)[0].pts_ns[tracks.frame_row[row]]
    assert (tracks.taken_since_ns[tracks.taken_from == 0] == 0).all()


@SEEDS
def test_boxes_that_are_shown_are_boxes(seed: int) -> None:
    tracks = whole(seed)
    coasting = tracks.body_box[~tracks.observed]

    assert ((coasting >= 0) & (coasting <= 1)).all()
    assert (tracks.body_box[:, 2:] > tracks.body_box[:, :2]).all()
    assert (tracks.body_score[tracks.observed] > 0).all() and not tracks.body_score[~tracks.observed].any()


@SEEDS
@pytest.mark.parametrize("every", [1, 7])
def test_any_cut_into_batches_gives_the_same(seed: int, every: int) -> None:
    assert equal(tracked(cut(*crowd(seed), every)), whole(seed))


def test_two_streams_do_not_disturb_each_other() -> None:
    """Frames of both in turn, in batches of some of each; they have as many frames a second as they have."""
    (one, ours), (other, theirs) = (crowd(seed) for seed in (6, 9))
    count = min(len(one), len(other))
    order = np.arange(2 * count) % 2 == 0
    batch = FrameBatch(
        **{name: woven(getattr(one, name)[:count], getattr(other, name)[:count]) for name in COLUMNS},
        stream_id=tuple("6" if first else "9" for first in order),
        pictures=(),
        streams={**one.streams, **other.streams},
    )
    people = concat(
        [
            replace(part, frame_row=part.frame_row * 2 + k)
            for k, part in enumerate(part.take(part.frame_row < count) for part in (ours, theirs))
        ]
    )
    people = people.take(np.argsort(people.frame_row, kind="stable"))

    tracks = tracked(cut(batch, people, 5))

    for k, seed in enumerate((6, 9)):
        mine, alone = tracks.take(tracks.frame_row % 2 == k), whole(seed).take(whole(seed).frame_row < count)
        assert equal(replace(mine, frame_row=mine.frame_row // 2), alone)


COLUMNS = ("generation", "frame_index", "pts_ns", "arrived_ns", "size_wh")


def woven(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the rows of two arrays in turn."""
    return np.stack([one, other], axis=1).reshape(-1, *one.shape[1:])


@SEEDS
def test_both_solvers_give_the_same_tracks(seed: int) -> None:
    assert equal(tracked([crowd(seed)], solver="lap"), whole(seed))


@pytest.mark.parametrize("seed", [2, 5, 11])
def test_most_people_keep_their_number(seed: int) -> None:
    """Of the frames in which somebody plainly visible is followed, the share under the number that most of them have.

    These are from cameras that hang and stand; in a walker's hand, people are lost more often.
    """
    made, tracks = make_crowd(seed, seconds=SECONDS), whole(seed)
    kept = total = 0
    boxes = tracks.body_box * np.array([*made.size_wh, *made.size_wh])
    for person in np.unique(made.truth.person_id):
        numbers = []
        for row in np.flatnonzero((made.truth.person_id == person) & (made.truth.score > 0.5))[::3]:
            here = np.flatnonzero(tracks.frame_row == made.truth.frame[row])
            apart = np.abs(boxes[here] - made.truth.box_px[row]).max(axis=1, initial=0)
            tall = made.truth.box_px[row, 3] - made.truth.box_px[row, 1]
            if len(here) and apart.min() < 0.25 * tall:
                numbers.append(int(tracks.track_id[here[apart.argmin()]]))
        kept += max(np.bincount(numbers), default=0) if numbers else 0
        total += len(numbers)

    assert total > 100
    assert kept / total > 0.8


def test_what_is_given_is_not_written_to() -> None:
    batch, people = crowd(2)
    before = {name: column.copy() for name, column in items(people)}

    tracked([(batch, people)])

    assert all(np.array_equal(column, before[name], equal_nan=True) for name, column in items(people))
