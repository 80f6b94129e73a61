"""What the detector is asked to say of pictures: bodies, heads, faces, and directions of some heads."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import still_rows  # noqa: E402
from training.augment import People  # noqa: E402
from training.detector_draws import DetectorDraws, batch_of, targets_of  # noqa: E402
from training.draws import Draws  # noqa: E402

BODY, HEAD, FACE = range(3)


def people(count: int = 1) -> People:
    return People.of_row(still_rows(1, count).truth[0], count)


def test_a_person_who_faces_the_camera_is_a_body_a_head_and_a_face() -> None:
    body, head, face = targets_of([people()], (480, 288))

    for wanted, box in ((body, people().body_box), (head, people().head_box), (face, people().face_box)):
        np.testing.assert_allclose(wanted.boxes[0], box[0] * [480, 288, 480, 288], rtol=1e-6)
        assert wanted.heat.max() == 1
        assert wanted.counted.all()


def test_from_behind_there_is_no_face_and_one_that_is_seen_there_is_false() -> None:
    behind = replace(people(), face_box=np.full((1, 4), np.nan, np.float32), face_visible=np.zeros(1, np.float32))

    body, head, face = targets_of([behind], (480, 288))

    assert [int((wanted.weights == 1).sum()) for wanted in (body, head, face)] == [1, 1, 0]
    assert len(face.boxes) == 0
    assert face.heat.max() == 0
    assert face.counted.all()


def test_a_face_of_which_nobody_knows_is_neither_wanted_nor_punished() -> None:
    unknown = replace(people(), face_box=np.full((1, 4), np.nan, np.float32), face_visible=np.full(1, np.nan))

    face = targets_of([unknown], (480, 288))[FACE]

    assert len(face.boxes) == 0
    assert face.heat.max() == 0
    x1, y1, x2, y2 = (people().head_box[0] * [480, 288, 480, 288] / 8).astype(int)
    assert not face.counted[0, y1 : y2 + 1, x1 : x2 + 1].any()
    assert face.counted.sum() == face.counted.size - (y2 + 1 - y1) * (x2 + 1 - x1)


def test_each_picture_has_its_own_targets() -> None:
    body, _, _ = targets_of([people(0), people(1), people(3)], (480, 288))

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


def draws(seed: int = 0, steps: int = 10) -> DetectorDraws:
    return DetectorDraws(Draws([still_rows(4, people=2)], seed), 2, steps, seed)


def test_small_pictures_come_first_then_all_sizes() -> None:
    sizes = [draws(steps=100)(step).pictures.shape[1:3] for step in (0, 29, *range(30, 44))]

    assert sizes[:2] == [(224, 352)] * 2
    assert {(192, 320), (288, 480)} <= set(sizes[2:]) <= {(192, 320), (256, 416), (288, 480), (384, 640)}


def test_a_batch_is_that_of_its_seed_and_step() -> None:
    one, same, later, other = draws()(3), draws()(3), draws()(4), draws(seed=1)(3)

    np.testing.assert_array_equal(one.pictures, same.pictures)
    np.testing.assert_array_equal(one.targets[HEAD].boxes, same.targets[HEAD].boxes)
    np.testing.assert_array_equal(one.head_boxes, same.head_boxes)
    assert one.pictures.tobytes() != later.pictures.tobytes()
    assert one.pictures.tobytes() != other.pictures.tobytes()
