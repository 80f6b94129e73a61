"""Labels of the teacher by hand: views merged, frames around asked, things that never move."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from training.adapt_draws import AdaptDraws
from training.data import MOST_PEOPLE, PERSON, Rows
from training.draws import Draws
from training.footage import Sample, kept_sharp
from training.labelled_footage import Clip, held_whole
from training.still_things import Place, on_places, places
from training.teacher import THING, UNKNOWN, WANTED, Boxes, Labels, merged, near, supported, without_things

BODY, HEAD = 0, 1
Box = tuple[float, float, float, float]


def boxes(*rows: tuple[int, Box, float]) -> Boxes:
    return Boxes(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[2] for row in rows], np.float32),
    )


def nowhere(count: int) -> np.ndarray:
    """Return noses that nobody knows."""
    return np.full((count, 3), np.nan, np.float32)


def test_views_are_merged_to_one_box_whose_score_counts_those_that_missed_it() -> None:
    first = boxes((HEAD, (0.1, 0.1, 0.3, 0.3), 0.9), (BODY, (0.1, 0.1, 0.3, 0.3), 0.6))
    second = boxes((HEAD, (0.1, 0.1, 0.3, 0.34), 0.3))

    found = merged([first, second, boxes()], [256, 288, 384])

    assert found.kind.tolist() == [HEAD, BODY]
    assert found.score.tolist() == pytest.approx([1.2 / 3, 0.6 / 3])
    assert found.box[0].tolist() == pytest.approx([0.1, 0.1, 0.3, (0.9 * 0.3 + 0.3 * 0.34) / 1.2])


def test_views_in_which_a_head_is_too_small_to_be_seen_do_not_count() -> None:
    small = boxes((HEAD, (0.1, 0.1, 0.12, 0.125), 0.8))  # 6.4, 7.2 and 9.6 px

    assert merged([boxes(), boxes(), small], [256, 288, 384]).score.tolist() == pytest.approx([0.8])


def test_a_box_is_supported_by_one_frame_beside_it() -> None:
    found = boxes((HEAD, (0.1, 0.1, 0.2, 0.2), 0.9), (HEAD, (0.6, 0.6, 0.7, 0.7), 0.9))
    walked_on = boxes((HEAD, (0.22, 0.1, 0.32, 0.2), 0.9), (BODY, (0.6, 0.6, 0.7, 0.7), 0.9))

    assert supported(found, [boxes(), walked_on]).tolist() == [True, False]
    assert supported(found, []).tolist() == [True, True]
    assert supported(found, [boxes()]).tolist() == [False, False]


def test_boxes_of_very_different_sizes_are_not_one_person() -> None:
    here = boxes((BODY, (0.1, 0.1, 0.2, 0.4), 0.9))

    assert near(here, boxes((BODY, (0.1, 0.1, 0.2, 0.8), 0.9), (BODY, (0.1, 0.1, 0.2, 0.5), 0.9))).tolist() == [
        [False, True]
    ]


def test_labels_become_people_of_one_part_with_unknown_directions_and_faces() -> None:
    found = boxes((HEAD, (0, 0, 0.1, 0.1), 0.9), (BODY, (0, 0, 0.5, 0.9), 0.3), (HEAD, (0.5, 0, 0.6, 0.1), 0.9))

    people = Labels(found, np.array([WANTED, UNKNOWN, THING]), nowhere(3)).people()

    assert people.head_visible.tolist() == [1, 0]
    assert people.body_visible.tolist() == pytest.approx([0, 0.1])
    assert np.isnan(people.face_visible).all()
    assert np.isnan(people.head_box).all(axis=1).tolist() == [False, True]
    assert np.isnan(people.vectors).all()


def scene(number: int, *, sways: bool) -> np.ndarray:
    """Return a frame with a bright bowl at one place, somebody at another, and noise."""
    rng = np.random.default_rng(number)
    frame = np.full((384, 640, 3), 90, np.uint8)
    frame[100:140, 100:140] = 220
    left = 400 + (3 * (number % 3) if sways else 0)
    frame[100:140, left : left + 40] = 200
    return np.clip(frame + rng.normal(0, 1.0, frame.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("sways", "things"), [(True, [True, False]), (False, [True, True])])
def test_what_never_moves_over_a_whole_clip_is_a_thing(sways: bool, things: list[bool]) -> None:
    found = boxes((HEAD, (100 / 640, 100 / 384, 140 / 640, 140 / 384), 0.9), (HEAD, (0.625, 0.26, 0.6875, 0.365), 0.9))
    frames, at_s = [scene(k, sways=sways) for k in range(12)], [2.0 * k for k in range(12)]

    known = places(frames, at_s, [found] * 12, still_s=20.0)

    assert on_places(found, known, 5).tolist() == things


def test_a_thing_counts_as_one_only_in_frames_that_show_it() -> None:
    bowl = boxes((HEAD, (100 / 640, 100 / 384, 140 / 640, 140 / 384), 0.9))
    frames = [scene(k, sways=True) for k in range(12)]
    frames[5][80:160, 90:150] = np.arange(0, 240, 4, dtype=np.uint8)[None, :, None]  # somebody walks by

    known = places(frames, [2.0 * k for k in range(12)], [bowl] * 12, still_s=20.0)

    assert [bool(on_places(bowl, known, k)[0]) for k in (4, 5, 6)] == [True, False, True]


def test_a_body_whose_head_moves_is_no_thing() -> None:
    places_of = [Place(kind, np.array([0, 0, 0.2, 0.8], np.float32), np.array([True])) for kind in (HEAD, BODY)]
    body, still = (BODY, (0, 0, 0.2, 0.8), 0.9), (HEAD, (0, 0, 0.2, 0.8), 0.9)
    moving, other = (HEAD, (0.05, 0.1, 0.15, 0.2), 0.9), (HEAD, (0.5, 0.1, 0.6, 0.2), 0.9)

    assert on_places(boxes(body, still, other), places_of, 0).tolist() == [True, True, False]
    assert on_places(boxes(body, moving), places_of, 0).tolist() == [False, False]


def test_short_clips_tell_nothing_of_things() -> None:
    bowl = boxes((HEAD, (100 / 640, 100 / 384, 140 / 640, 140 / 384), 0.9))
    frames = [scene(k, sways=True) for k in range(12)]

    assert places(frames, [1.0 * k for k in range(12)], [bowl] * 12, still_s=20.0) == []


def test_labels_are_counted_by_verdict_and_split() -> None:
    two = Labels(boxes((HEAD, (0, 0, 1, 1), 0.9), (BODY, (0, 0, 1, 1), 0.9)), np.array([WANTED, UNKNOWN]), nowhere(2))
    clip = Clip("a", labels=[two, without_things(two, np.array([False, True]))], held_back=[False, True])

    assert [clip.count(verdict) for verdict in (WANTED, UNKNOWN, THING)] == [2, 1, 1]
    assert (clip.count(UNKNOWN, held_back=True), clip.count(UNKNOWN, held_back=False)) == (0, 1)


def test_every_fourth_clip_is_held_back_whole() -> None:
    assert [held_whole(k, 9) for k in range(9)] == [False, False, False, True] * 2 + [False]
    assert [held_whole(k, 2) for k in range(2)] == [False, True]


def test_frames_of_nobody_are_drawn_beside_stills() -> None:
    rows = Rows(
        np.zeros((4, 288, 480, 3), np.uint8), np.zeros((4, MOST_PEOPLE), PERSON), np.zeros(4, np.int16)
    )  # fmt: skip
    frame = np.full((384, 640, 3), 255, np.uint8)
    somebody = Labels(boxes((HEAD, (0.4, 0.4, 0.6, 0.6), 0.9)), np.array([WANTED]), nowhere(1))
    nobody = Labels(boxes(), np.empty(0, np.int64), nowhere(0))
    taken = Sample("a", 0.0, 0.5, frame)
    draws = AdaptDraws(Draws([rows], 0), [(taken, somebody), (taken, nobody)], batch=5, of_footage=2, seed=0)

    batch, again = draws(3), draws(3)

    assert np.array_equal(batch.pictures, again.pictures)
    bright = batch.pictures.reshape(5, -1).mean(axis=1) > 128
    assert bright[3:].all() and batch.pictures.shape[0] == 5
    assert len(batch.head_boxes) == 0  # nobody knows the direction of the one head
    head = batch.targets[HEAD]
    assert set(head.cells[:, 0].tolist()) <= {3, 4} and len({int(k) for k in head.cells[:, 0]}) == 1


def test_frames_that_are_kept_sharp_are_shown_larger_than_others() -> None:
    rows = Rows(
        np.zeros((4, 288, 480, 3), np.uint8), np.zeros((4, MOST_PEOPLE), PERSON), np.zeros(4, np.int16)
    )  # fmt: skip
    person = Labels(boxes((HEAD, (0.45, 0.45, 0.55, 0.55), 0.9)), np.array([WANTED]), nowhere(1))
    grey = np.full((768, 1280, 3), 128, np.uint8)

    def widths(sample: Sample) -> list[float]:
        """Return how wide the head is, in parts of the picture, at each step that shows it."""
        draws = AdaptDraws(Draws([rows], 0), [(sample, person)], batch=1, of_footage=1, seed=0)
        shown = [draws(step) for step in range(60)]
        return [
            float(np.ptp(boxes_px[:, [0, 2]], axis=1).max() / batch.pictures.shape[2])
            for batch in shown
            if len(boxes_px := batch.targets[HEAD].boxes)
        ]

    usual = widths(Sample("a", 0.0, 0.5, grey))
    sharp = widths(Sample("a", 0.0, 0.5, grey, sharp=kept_sharp(grey)))

    assert max(usual) < 0.18 and min(usual) < 0.07
    assert max(sharp) > 0.2 and min(sharp) < 0.07
    assert 0.3 < np.mean([width > 0.12 for width in sharp]) < 0.8
