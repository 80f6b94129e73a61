"""Yaws of real heads that trainings are chosen by: read off the rows of a file, by hand."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.real_frames import SIZE_WH
from benchmarks.real_labels import Heads
from benchmarks.real_yaws import LABELS, as_line, main, read, shown, window
from nodes.ops.wholebody import HEAD, NAMES
from pipeline.errors import ConfigError

HERE, THERE = [0.1, 0.1, 0.2, 0.3], [0.5, 0.1, 0.6, 0.3]
FRONT, BACK = NAMES.index("front"), NAMES.index("back")
PICTURE = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)


def rows(*told: tuple[int, list[float], float]) -> np.ndarray:
    return np.array([[label, *box, sure] for label, box, sure in told], np.float32)


def test_a_head_is_right_within_45_degrees_and_wrong_where_it_is_not_found() -> None:
    told = rows((HEAD, HERE, 0.9), (FRONT, HERE, 0.8), (HEAD, THERE, 0.9), (BACK, THERE, 0.8))
    known = Heads(np.array([HERE, THERE, [0.8, 0.6, 0.9, 0.8]]), np.array([40.0, 100.0, -170.0]))

    seen = read(lambda _: told, [("shop/a.mp4", PICTURE, known)])

    facing, side, behind = (seen["shop/a.mp4", name] for name in ("facing", "side", "behind"))
    assert (facing.right, facing.wanted, facing.errors_deg) == (1, 1, [pytest.approx(40.0)])
    assert (side.right, side.wanted, side.errors_deg) == (0, 1, [pytest.approx(80.0)])
    assert (behind.right, behind.wanted, behind.errors_deg) == (0, 1, [])
    assert as_line("mine.onnx", seen).endswith(
        "facing 1/1 (1.000), turned away 0/2 (0.000), all 1/3 (0.333), off by 60.0 degrees, 60.0 in the median"
    )


def test_a_window_holds_its_head_and_stays_within_the_frame() -> None:
    frame = np.zeros((720, 1280, 3), np.uint8)
    frame[700:716, 1260:1276] = 255

    picture, known = window(frame, np.array([1260.0, 700.0, 1276.0, 716.0, 180.0]))

    assert picture.shape == (*SIZE_WH[::-1], 3)
    x1, y1, x2, y2 = (known.box[0] * np.array(SIZE_WH * 2)).round().astype(int)
    assert picture[y1:y2, x1:x2].min() == 255
    assert picture.sum() == frame.sum()
    assert known.yaw_deg.tolist() == [180.0]


def test_labels_are_of_the_two_clips_without_yaws_in_bench_real() -> None:
    clips = {line.split(",")[0] for line in LABELS.read_text(encoding="utf-8").splitlines() if line[0] != "#"}

    assert clips == {"clip", "retail02/Retail02_short.mp4", "luxonis_people/people.mp4"}


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)
    with pytest.raises(ConfigError, match="GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it"):
        main([])
    with pytest.raises(ConfigError, match=r"expected .*Retail02_short\.mp4.* in it, got none; name another one"):
        next(shown(tmp_path))
    monkeypatch.setenv("GAZE_REAL_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"--model: expected an \.onnx file, got no\.onnx, which is not there"):
        main(["--model", "no.onnx"])
