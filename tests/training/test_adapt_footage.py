"""Which frames of footage are taken, and what is said of footage that cannot be used."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import ConfigError
from tests.clips import left_side, write_clip
from training.footage import CLIPS, KEPT_WH, SHARP_WH, STILLS, samples, spread


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        list(samples(folder, 2.0, 100))
    return str(caught.value)


def test_frames_are_spread_evenly_and_come_with_those_around_them(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 25)  # a square that moves by 20 of 640 pixels a frame, 25 frames a second

    taken = list(samples(tmp_path, 4.0, 100))

    assert [sample.clip for sample in taken] == ["a.mp4"] * 4
    assert [sample.at_s for sample in taken] == pytest.approx([0.12, 0.36, 0.60, 0.84])
    assert [sample.part for sample in taken] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert [len(sample.beside) for sample in taken] == [1, 2, 2, 1]
    assert {sample.picture.shape for sample in taken} == {(KEPT_WH[1], KEPT_WH[0], 3)}
    places = [left_side(picture) // 20 for picture in (taken[1].beside[0], taken[1].picture, taken[1].beside[1])]
    assert places == [4, 9, 14]  # 0.16, 0.36 and 0.56 s


def test_of_long_clips_so_many_frames_are_taken(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 25)

    assert [sample.at_s for sample in samples(tmp_path, 25.0, 2)] == pytest.approx([0.24, 0.72])
    assert spread(3, 10) == [0, 1, 2]
    assert spread(10, 4) == [1, 3, 6, 8]


def test_clips_that_were_filmed_upright_are_read_upright(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", 2, rotation_deg=90)

    sample = next(iter(samples(tmp_path, 2.0, 100)))
    bright = sample.picture[..., 1] > 128

    # The square at the upper left is at the lower left of a picture that is turned to the left.
    assert sample.aspect < 1
    assert bright[KEPT_WH[1] // 2 :, : KEPT_WH[0] // 2].any() and not bright[: KEPT_WH[1] // 2].any()


def test_stills_of_a_folder_are_a_clip_without_neighbours(tmp_path: Path) -> None:
    (tmp_path / "door").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "door" / f"{number}.png"), np.full((48, 64, 3), number, np.uint8))

    taken = list(samples(tmp_path, 2.0, 100))

    assert {sample.aspect for sample in taken} == {64 / 48}
    assert [(sample.clip, sample.at_s, sample.beside) for sample in taken] == [("door", k, ()) for k in (0.0, 1.0, 2.0)]
    assert [int(sample.picture.max()) for sample in taken] == [0, 1, 2]


def test_frames_of_larger_cameras_are_kept_sharp_too(tmp_path: Path) -> None:
    for name, width in (("small", 640), ("large", 1280)):
        (tmp_path / name).mkdir()
        lines = np.zeros((width * 3 // 5, width, 3), np.uint8)
        lines[:, ::2] = 255  # each of one pixel: gone at half the size
        cv2.imwrite(str(tmp_path / name / "a.png"), lines)

    large, small = samples(tmp_path, 2.0, 100)

    assert small.sharp is None and small.shown_sharp() is small.picture
    assert large.picture.std() < 1 and large.shown_sharp().std() > 120
    assert large.shown_sharp().shape == (SHARP_WH[1], SHARP_WH[0], 3)


def test_footage_that_cannot_be_used_is_refused_by_name(tmp_path: Path) -> None:
    nowhere, empty, text, broken = (tmp_path / name for name in ("nowhere", "empty", "text", "broken"))
    for folder in (empty, text, broken):
        folder.mkdir()
    (text / "notes.txt").write_text("no clip")
    (broken / "a.mp4").write_bytes(b"no clip either")

    assert refusal(nowhere) == (
        f"--footage {str(nowhere)!r}: expected a folder, got none there; name the one with your clips"
    )
    assert refusal(empty) == (
        f"--footage {str(empty)!r}: expected clips or stills, got an empty folder; copy some into it"
    )
    assert refusal(text) == (
        f"--footage {str(text)!r}: expected clips ({' '.join(CLIPS)}) or stills ({' '.join(STILLS)}), got only .txt; "
        "convert them"
    )
    said = refusal(broken)
    assert said.startswith(f"{broken / 'a.mp4'}: expected a clip with pictures that can be decoded, got ")
    assert said.endswith("; remove it, or convert it to .mp4")
    (broken / "a.mp4").rename(broken / "a.png")
    assert refusal(broken) == (
        f"{broken / 'a.png'}: expected a picture, got a file that cannot be read; remove or mend it"
    )
