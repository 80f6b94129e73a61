"""What models are tried on: the same each time, at the model's size, with heads in every picture."""

from pathlib import Path

import numpy as np
import pytest

from nodes.surgery.trials import made_up, of_clips
from pipeline.card_fields import Picture
from pipeline.errors import SourceError
from tests.clips import write_clip
from tests.repository import ROOT

DEMO = ROOT / "scenes" / "demo" / "shop.mp4"


def test_made_up_pictures_are_the_same_each_time() -> None:
    one, other = made_up((32, 16), 2), made_up((32, 16), 2)

    np.testing.assert_array_equal(one.pictures, other.pictures)
    np.testing.assert_array_equal(one.boxes, other.boxes)
    assert one.pictures.shape == (2, 16, 32, 3)
    assert one.rows.tolist() == [0, 0, 1, 1]
    assert (one.boxes[:, 2:] > one.boxes[:, :2]).all() and one.boxes.min() >= 0 and one.boxes.max() <= 1


def test_one_picture_is_taken_with_its_heads() -> None:
    trial = made_up((32, 16), 2)

    one = trial.of(1)

    np.testing.assert_array_equal(one.pictures[0], trial.pictures[1])
    np.testing.assert_array_equal(one.boxes, trial.boxes[2:])
    assert one.rows.tolist() == [0, 0]


def test_frames_of_the_demo_clip_have_the_heads_that_are_in_them() -> None:
    trial = of_clips([DEMO], (48, 32), Picture(), 3, ROOT)

    assert trial.pictures.shape == (3, 32, 48, 3)
    assert np.unique(trial.rows).tolist() == [0, 1, 2]
    assert ((trial.boxes[:, 2] - trial.boxes[:, 0]) < 0.2).all()


def test_frames_are_spread_over_all_clips(tmp_path: Path) -> None:
    """Squares begin at 2 × step: of 20 frames four are at 0, 4, 8, 12 or so, and not all at the beginning."""
    clips = [write_clip(tmp_path / f"{k}.mp4", 20) for k in range(2)]

    trial = of_clips(clips, (64, 48), Picture(), 5, ROOT)

    assert len(trial.pictures) == 5
    begins = [int(np.argmax(picture[8, :, 1] > 128)) for picture in trial.pictures]
    assert begins[:3] == sorted(begins[:3]) and begins[2] >= 12
    assert begins[3:] == sorted(begins[3:]) and begins[4] >= 10
    assert np.bincount(trial.rows).tolist() == [2] * 5  # nobody is found: two made-up heads each


def test_a_letterbox_is_filled(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "wide.mp4", 2, size_wh=(64, 32))

    trial = of_clips([clip], (64, 64), Picture(fit="letterbox", fill=114), 1, ROOT)

    assert (trial.pictures[0, 32:] == 114).all()
    assert not (trial.pictures[0, :32] == 114).all()


def test_a_clip_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video")

    with pytest.raises(SourceError):
        of_clips([path], (64, 48), Picture(), 1, ROOT)
