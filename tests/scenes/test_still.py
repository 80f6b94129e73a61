import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scenes.crops import render_head_crop
from scenes.sets import fingerprint
from scenes.still import render_still
from scenes.truth import TARGET_KINDS, PeopleTruth

SMALL = (160, 96)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def people() -> list[PeopleTruth]:
    return [render_still(seed).people for seed in range(8)]


def test_a_seed_gives_the_same_still_whatever_was_drawn_before() -> None:
    first = render_still(5, SMALL)
    render_still(6, SMALL)
    second = render_still(5, SMALL)

    np.testing.assert_array_equal(first.bgr, second.bgr)
    assert fingerprint([first.people]) == fingerprint([second.people])
    assert not np.array_equal(first.bgr, render_still(6, SMALL).bgr)


def test_another_process_gives_the_same_truth() -> None:
    program = "from scenes.sets import fingerprint as f; from scenes.still import render_still as r; import json;"
    program += "s = r(5, (160, 96)); print(json.dumps([f([s.people]), int(s.bgr.sum())]))"

    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    here = render_still(5, SMALL)
    assert json.loads(answer.stdout) == [fingerprint([here.people]), int(here.bgr.sum())]


def test_stills_have_the_size_asked_for() -> None:
    still = render_still(3, (200, 120))

    assert still.bgr.shape == (120, 200, 3)
    assert still.bgr.dtype == np.uint8


def test_truth_of_stills_is_consistent(people: list[PeopleTruth]) -> None:
    assert sum(len(rows) for rows in people) > 10
    for rows in people:
        for box in (rows.head_box, rows.body_box):
            assert (box >= 0).all() and (box <= 1).all()
            assert (box[:, :2] < box[:, 2:]).all()
        for share in (rows.head_visible, rows.body_visible):
            assert (share >= 0).all() and (share <= 1).all()
        for vector in (rows.head_vector, rows.gaze_vector):
            np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 1, atol=1e-9)
        yaw, pitch, _ = rows.yaw_pitch_roll_deg.T
        np.testing.assert_array_equal(rows.direction, np.round(yaw / 45).astype(int) % 8)
        np.testing.assert_allclose(rows.head_vector[:, 1], -np.sin(np.radians(pitch)), atol=1e-9)
        inside = ((rows.target_point >= 0) & (rows.target_point < 1)).all(axis=1)
        assert (inside | ~rows.in_frame).all()
        assert not rows.in_frame[rows.target_kind == TARGET_KINDS.index("camera")].any()
        assert rows.person_id.tolist() == sorted(rows.person_id.tolist())


def test_eyes_stay_within_reach_of_the_head(people: list[PeopleTruth]) -> None:
    for rows in people:
        angle = np.degrees(np.arccos(np.clip((rows.head_vector * rows.gaze_vector).sum(axis=1), -1, 1)))
        assert (angle < 36).all()


def test_difficulty_changes_the_picture() -> None:
    assert not np.array_equal(render_still(9, SMALL, difficulty=0.0).bgr, render_still(9, SMALL, difficulty=1.0).bgr)


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^render_still: expected a seed of at least 0, got -1$"):
        render_still(-1)
    with pytest.raises(ValueError, match=r"^render_head_crop: expected a seed of at least 0, got -1$"):
        render_head_crop(-1)


def test_crops_show_one_head_and_repeat() -> None:
    for seed in range(6):
        crop = render_head_crop(seed)
        again = render_head_crop(seed)

        assert crop.bgr.shape == (96, 96, 3)
        np.testing.assert_array_equal(crop.bgr, again.bgr)
        np.testing.assert_array_equal(crop.head_box, again.head_box)
        assert (crop.head_box[:2] < 0.5).all() and (crop.head_box[2:] > 0.5).all()
        assert np.linalg.norm(crop.head_vector) == pytest.approx(1)
        assert crop.head_vector @ crop.gaze_vector > 0.8


def test_crops_show_heads_from_all_sides() -> None:
    noses = np.stack([render_head_crop(seed, 48).head_vector for seed in range(40)])

    assert (noses[:, 2] < -0.3).sum() > 5, "faces"
    assert (noses[:, 2] > 0.3).sum() > 5, "backs of heads"
    assert (noses[:, 0] > 0.3).sum() > 3 and (noses[:, 0] < -0.3).sum() > 3
