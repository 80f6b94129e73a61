"""What walking tells of labelled heads is compared with yaws by eye and with what the detector tells, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from pipeline.errors import ConfigError
from training.footage import Sample
from training.labelled_footage import Clip
from training.teacher import WANTED, Boxes, Labels
from training.walk_labels import Labelled, Walked, as_line, compare, main

HERE, THERE, BESIDE = [0.1, 0.1, 0.2, 0.3], [0.5, 0.1, 0.6, 0.3], [0.8, 0.1, 0.9, 0.3]


class Detector:
    """Tells three heads, two with yaws."""

    def find_with_yaws(self, picture: np.ndarray) -> tuple[Boxes, np.ndarray]:
        return boxes(HERE, THERE, BESIDE), np.array([-170, np.nan, 60], np.float32)


def boxes(*given: list[float]) -> Boxes:
    return Boxes(np.ones(len(given), np.int64), np.array(given, np.float32), np.full(len(given), 0.9, np.float32))


def clip() -> Clip:
    nose = np.array([[1, 0, 0], [0, 0, -1], [np.nan] * 3], np.float32)  # to the right, to the camera, nobody knows
    labels = Labels(boxes(HERE, THERE, BESIDE), np.full(3, WANTED), nose)
    return Clip("a", [Sample("a", 1.0, 0.5, np.zeros((384, 640, 3), np.uint8))], [labels], [False])


def test_heads_of_those_who_walk_are_compared_with_yaws_by_eye() -> None:
    known = Labelled(1.05, np.array([HERE, THERE, BESIDE]), np.array([120.0, 0.0, 60.0]))

    walked = compare(clip(), iter([known]), Detector())  # type: ignore[arg-type]

    assert walked.labelled == 3
    assert walked.walking_deg == pytest.approx([30.0, 0.0])
    assert walked.detector_deg == pytest.approx([70.0, np.nan], nan_ok=True)
    assert as_line("square", walked) == (
        "square: 2 of 3 heads by eye are of those who walk; where they go is within 45 degrees of 2, off by 15 on "
        "average; the detector is of 0"
    )


def test_frames_far_from_labelled_ones_are_not_compared() -> None:
    known = Labelled(1.1, np.array([HERE]), np.array([90.0]))

    walked = compare(clip(), iter([known]), Detector())  # type: ignore[arg-type]

    assert walked == Walked(1)
    assert as_line("shop", walked) == "shop: of 1 heads by eye none is of somebody who walks"


def test_the_folder_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)
    with pytest.raises(ConfigError, match=r"^GAZE_REAL_DATA: expected the folder of real footage, got nothing"):
        main()
    monkeypatch.setenv("GAZE_REAL_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match=r"^GAZE_REAL_DATA=.*: expected retail02/Retail02_short.mp4, luxonis"):
        main()
