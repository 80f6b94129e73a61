"""What the detector is asked to say of pictures: bodies, heads, faces, and directions of some heads."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import still_rows  # noqa: E402
from training.augment import People  # noqa: E402
from training.detector_draws import DetectorBatch, DetectorDraws, all_heads, batch_of, targets_of  # noqa: E402
from training.draws import Draws  # noqa: E402

BODY, HEAD = range(2)


def people(count: int = 1) -> People:
    return People.of_row(still_rows(1, count).truth[0], count)


def batch(somebody: People) -> DetectorBatch:
    picture = np.zeros((288, 480, 3), np.uint8)
    return batch_of([(picture, somebody)], (480, 288), np.random.default_rng(0))


def test_a_person_is_a_body_and_a_head() -> None:
    for wanted, box in zip(targets_of([people()], (480, 288)), (people().body_box, people().head_box), strict=True):
        np.testing.assert_allclose(wanted.boxes[0], box[0] * [480, 288, 480, 288], rtol=1e-6)
        assert wanted.heat.max() == 1
        assert wanted.counted.all()


@pytest.mark.parametrize(("visible", "seen"), [(1.0, 1.0), (0.3, 1.0), (0.2, np.nan), (0.0, 0.0), (np.nan, np.nan)])
def test_faces_are_seen_or_not_or_nobody_knows(visible: float, seen: float) -> None:
    drawn = batch(replace(people(), face_visible=np.full(1, visible, np.float32)))

    np.testing.assert_array_equal(drawn.face_seen, np.array([seen], np.float32))
    np.testing.assert_array_equal(drawn.face_boxes, people().face_box)


def test_each_picture_has_its_own_targets() -> None:
    body, _ = targets_of([people(0), people(1), people(3)], (480, 288))

    assert [int((body.cells[body.weights == 1][:, 0] == k).sum()) for k in range(3)] == [0, 1, 3]


def test_directions_are_learnt_of_some_judged_heads_whose_vectors_are_known() -> None:
    crowd, few = people(9), people(3)
    few.vectors[0] = np.nan
    few.head_visible[1] = 0.1
    picture = np.zeros((288, 480, 3), np.uint8)

    batch = batch_of([(picture, crowd), (picture, few)], (480, 288), np.random.default_rng(0))

    assert batch.head_rows.tolist() == [0, 0, 0, 0, 1]
    assert np.isfinite(batch.vectors).all()
    assert np.abs(batch.head_boxes[4] - few.head_box[2]).max() < 0.3 * 0.15


def test_of_a_crowd_more_heads_are_learnt_where_more_are_wanted() -> None:
    shown = Draws([still_rows(4, people=9)], 0)

    few, many = (DetectorDraws(shown, 2, 10, 0, most)(9) for most in (4, 7))

    assert len(few.head_rows) <= 8 < len(many.head_rows) <= 14


def draws(seed: int = 0, steps: int = 10) -> DetectorDraws:
    return DetectorDraws(Draws([still_rows(4, people=2)], seed), 2, steps, seed)


def test_small_pictures_come_first_then_all_sizes() -> None:
    sizes = [draws(steps=100)(step).pictures.shape[1:3] for step in (0, 29, *range(30, 44))]

    assert sizes[:2] == [(224, 352)] * 2
    assert {(192, 320), (288, 480)} <= set(sizes[2:]) <= {(192, 320), (256, 416), (288, 480), (384, 640)}


def test_pictures_are_small_no_longer_than_is_said() -> None:
    every = DetectorDraws(Draws([still_rows(4, people=2)], 0), 2, 100, 0, small_until=0.0)

    assert (224, 352) not in {every(step).pictures.shape[1:3] for step in range(5)}


def test_a_batch_is_that_of_its_seed_and_step() -> None:
    one, same, later, other = draws()(3), draws()(3), draws()(4), draws(seed=1)(3)

    np.testing.assert_array_equal(one.pictures, same.pictures)
    np.testing.assert_array_equal(one.targets[HEAD].boxes, same.targets[HEAD].boxes)
    np.testing.assert_array_equal(one.head_boxes, same.head_boxes)
    assert one.pictures.tobytes() != later.pictures.tobytes()
    assert one.pictures.tobytes() != other.pictures.tobytes()


def test_all_heads_are_told_with_those_that_do_not_count() -> None:
    somebody = people(3)
    hidden = replace(somebody, head_visible=np.array([1.0, 0.1, 1.0], np.float32))
    cut = hidden.head_box.copy()
    cut[2] = np.nan

    heads = all_heads([somebody, replace(hidden, head_box=cut)], 288)

    assert heads.rows.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(heads.boxes, np.concatenate([somebody.head_box, somebody.head_box[:2]]))
    assert heads.judged.tolist() == [True, True, True, True, False]
