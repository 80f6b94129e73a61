"""Crowds of boxes with exact identities."""

from __future__ import annotations

import time

import numpy as np
import pytest

from scenes.crowd import Boxes, Crowd, make_crowd


@pytest.fixture(scope="module")
def crowds() -> list[Crowd]:
    return [make_crowd(seed, seconds=8.0) for seed in range(6)]


def same(a: Boxes, b: Boxes) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("frame", "box_px", "person_id", "score"))


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union (N,) of a box with others."""
    shared = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(shared / (areas - shared))


def test_a_seed_gives_the_same_crowd_and_another_one_another() -> None:
    one, again, other = make_crowd(7, seconds=3.0), make_crowd(7, seconds=3.0), make_crowd(8, seconds=3.0)

    assert same(one.truth, again.truth) and same(one.found, again.found)
    assert not same(one.truth, other.truth)


def test_crowds_are_as_long_as_asked_and_ordered_by_frame(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        assert crowd.frames == round(8 * crowd.fps)
        for boxes in (crowd.truth, crowd.found):
            assert (np.diff(boxes.frame) >= 0).all()
            assert 0 <= boxes.frame[0] <= boxes.frame[-1] < crowd.frames
            lengths = {len(getattr(boxes, name)) for name in ("frame", "box_px", "person_id", "score")}
            assert lengths == {len(boxes.frame)}


def test_true_boxes_are_in_the_picture_and_their_shares_are_shares(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        box = crowd.truth.box_px
        assert (box[:, :2] >= 0).all() and (box[:, 2:] <= crowd.size_wh).all()
        assert (box[:, 2:] > box[:, :2]).all()
        assert ((crowd.truth.score >= 0) & (crowd.truth.score <= 1)).all()


def test_each_person_has_one_box_a_frame_that_moves_on_without_a_jump(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        truth = crowd.truth
        keys = set(zip(truth.frame.tolist(), truth.person_id.tolist(), strict=True))
        assert len(keys) == len(truth.frame)
        assert truth.person_id.min() >= 1
        for person in np.unique(truth.person_id):
            rows = np.flatnonzero(truth.person_id == person)
            next_to = np.diff(truth.frame[rows]) == 1
            moved = np.abs(np.diff(truth.box_px[rows], axis=0))[next_to] * crowd.fps / 25
            tall = (truth.box_px[rows, 3] - truth.box_px[rows, 1])[:-1][next_to]
            assert (moved.max(axis=1, initial=0) < 0.5 * np.maximum(tall, 20)).all()


def test_detections_are_scored_and_nobodys(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        assert not crowd.found.person_id.any()
        assert ((crowd.found.score > 0) & (crowd.found.score < 1)).all()


def test_no_two_detections_of_a_frame_share_more_than_half(crowds: list[Crowd]) -> None:
    for crowd in crowds:
        for frame in range(0, crowd.frames, 2):
            boxes = crowd.found.box_px[crowd.found.frame == frame]
            for row in range(1, len(boxes)):
                assert overlap(boxes[row], boxes[:row]).max() <= 0.5


def test_people_who_are_hidden_are_found_less(crowds: list[Crowd]) -> None:
    plain, hidden = [], []
    for crowd in crowds:
        for frame in range(0, crowd.frames, 5):
            found = crowd.found.box_px[crowd.found.frame == frame]
            for row in np.flatnonzero(crowd.truth.frame == frame):
                hit = len(found) > 0 and overlap(crowd.truth.box_px[row], found).max() > 0.5
                if crowd.truth.score[row] > 0.9:
                    plain.append(hit)
                elif crowd.truth.score[row] < 0.3:
                    hidden.append(hit)

    assert min(len(plain), len(hidden)) > 100
    assert np.mean(plain) > 0.7 > 0.3 > np.mean(hidden)


def test_people_are_missed_in_runs_of_frames(crowds: list[Crowd]) -> None:
    """Who was missed in the frame before is missed far more often than who was missed a second and a half ago."""
    soon, late = [], []
    for crowd in crowds:
        missed = np.full((crowd.frames, crowd.truth.person_id.max() + 1), np.nan)
        for frame in range(crowd.frames):
            found = crowd.found.box_px[crowd.found.frame == frame]
            for row in np.flatnonzero((crowd.truth.frame == frame) & (crowd.truth.score > 0.6)):
                hit = len(found) > 0 and overlap(crowd.truth.box_px[row], found).max() > 0.4
                missed[frame, crowd.truth.person_id[row]] = not hit
        for lag, after in ((1, soon), (round(1.5 * crowd.fps), late)):
            then, now = missed[:-lag], missed[lag:]
            after += now[(then == 1) & ~np.isnan(now)].tolist()

    assert min(len(soon), len(late)) > 100
    assert np.mean(soon) > 3 * np.mean(late)


def test_making_a_crowd_is_quick() -> None:
    began_s = time.process_time()
    crowd = make_crowd(0, seconds=12.0)

    assert crowd.frames > 100
    assert time.process_time() - began_s < 2.0
