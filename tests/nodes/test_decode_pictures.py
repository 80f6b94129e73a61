"""Reading folders and globs of pictures as streams."""

from __future__ import annotations

from pathlib import Path

import cv2

from tests.clips import square, write_clip
from tests.decoding import pts_ms, read, refusal, steps


def write_pictures(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for step, name in enumerate(names):
        cv2.imwrite(str(folder / name), square(step))
    return folder


def test_a_folder_of_pictures_is_read_in_counting_order(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.jpg", "10.bmp", "b1.webp"])
    (folder / "notes.txt").write_text("not a picture")

    frames, other = read(folder, pictures_fps=4)

    assert (steps(frames), pts_ms(frames), other) == ([0, 1, 2, 3], [0, 250, 500, 750], {})


def test_a_glob_of_pictures_is_read(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["a1.png", "a2.png", "b1.png"])

    assert steps(read(folder / "a*.png")[0]) == [0, 1]


def test_a_damaged_picture_is_dropped_and_counted(tmp_path, caplog):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"no picture")

    frames, other = read(folder)

    assert (steps(frames), pts_ms(frames), other) == ([0, 2], [0, 200], {"corrupt": 1})
    assert caplog.messages == [f"stream=door {folder}: damaged or missing frames: 1; the rest was read"]


def test_pictures_are_thinned_before_they_are_decoded(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"no picture")

    assert read(folder, pictures_fps=10, max_fps=5)[1] == {"rate_limit": 1}


def test_a_folder_of_damaged_pictures_is_refused(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"")

    assert refusal(folder) == (f"stream 'door': {folder}: expected pictures, got 1 damaged files; copy them again")


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    write_clip(tmp_path / "a.mp4", 1)

    assert refusal(tmp_path) == (
        f"stream 'door': {tmp_path}: expected pictures (.bmp, .jpeg, .jpg, .png, .tif, .tiff, .webp), got .mp4; give a "
        "folder of pictures, or videos one by one, each as a stream of its own"
    )
