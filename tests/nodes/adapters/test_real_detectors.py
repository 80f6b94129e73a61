"""Detectors made elsewhere, on photographs and footage: they find who is there, where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from nodes.adapters.detectors import Detector, Found, open_detector
from nodes.ops.boxes import iou
from nodes.ops.detected import Limits
from nodes.ops.wholebody import BODY, FACE, HEAD
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context
from tests.helpers import frames
from tests.repository import ROOT

FACES = {
    "person_a-720p.jpg": [(0.458, 0.080, 0.579, 0.387)],
    "person_a2.jpg": [(0.325, 0.195, 0.755, 0.525)],
    "person_a3.jpg": [(0.447, 0.110, 0.637, 0.262)],
    "person_a_and_b.jpg": [(0.380, 0.275, 0.467, 0.450), (0.571, 0.250, 0.662, 0.423), (0.814, 0.730, 0.890, 0.862)],
    "person_a_partial_face.jpg": [(0.0, 0.074, 0.385, 0.372)],
    "person_a_partial_face2.jpg": [(0.680, 0.075, 1.0, 0.375)],
    "person_b.jpg": [(0.442, 0.080, 0.726, 0.258)],
    "person_b2.jpg": [(0.360, 0.122, 0.720, 0.648)],
    "two_people.jpg": [(0.210, 0.040, 0.343, 0.337), (0.702, 0.068, 0.832, 0.386)],
}
"""All faces of each photograph, from the hairline to the chin, by eye."""
MISSED = {("face-detection-adas-0001", "person_b.jpg")}
"""Squeezed from the height of two widths to the width of two heights."""


@pytest.fixture(scope="module")
def detectors(real_models: Path) -> dict[str, Detector]:
    context = Context("it", CpuDevice(), ROOT, ROOT, Graph("", ()))
    names = ("yunet-320", "yunet-640", "yunet-dynamic", "face-detection-adas-0001", "rfb-320")
    persons = ("yolox-nano-416", "person-detection-retail-0013")
    return {name: open_detector(context, name, "it.model") for name in (*names, *persons)}


def limits(min_score: float) -> Limits:
    made = Limits.closed(0.7)
    made.min_score[[BODY, HEAD, FACE]], made.max_iou[[BODY, HEAD, FACE]] = min_score, 0.7
    return made


def photograph(path: Path) -> FrameBatch:
    bgr = cv2.imread(str(path))
    return frames(1, pictures=[Picture((bgr,), "bgr")], size_wh=(bgr.shape[1], bgr.shape[0]))


def footage(path: Path, *rows: int) -> FrameBatch:
    """Return frames of a clip as its decoder gives them."""
    pictures = []
    with av.open(str(path)) as container:
        for row, frame in enumerate(container.decode(video=0)):
            if row in rows:
                planes = frame.to_ndarray(format="yuv420p")
                chroma = planes[frame.height :].reshape(2, frame.height // 2, frame.width // 2)
                pictures.append(Picture((planes[: frame.height], chroma[0], chroma[1]), "i420"))
            if row == max(rows):
                return frames(len(pictures), pictures=pictures, size_wh=(frame.width, frame.height))
    raise AssertionError(f"{path.name} has no frame {max(rows)}")


def of(label: int, found: Found) -> np.ndarray:
    return found.box[found.label == label].astype(np.float64)


@pytest.mark.parametrize(
    ("name", "least", "doubtful"),
    [("yunet-320", 0.70, 0), ("yunet-640", 0.74, 0), ("yunet-dynamic", 0.74, 0), ("face-detection-adas-0001", 0.74, 0),
     ("rfb-320", 0.74, 1)],
)  # fmt: skip
def test_faces_of_photographs_are_found_and_nothing_else(
    name: str, least: float, doubtful: int, detectors: dict[str, Detector], real_data: Path
) -> None:
    false = 0
    for file, boxes in FACES.items():
        (found,) = detectors[name].find(photograph(real_data / "face_images" / file), limits(0.7))
        if (name, file) in MISSED:
            continue
        overlap = iou(np.array(boxes), of(FACE, found))
        assert overlap.max(axis=1).min() >= least, file
        false += overlap.shape[1] - len(boxes)

    assert false == doubtful


@pytest.mark.parametrize("name", ["yunet-320", "yunet-640", "yunet-dynamic"])
def test_four_people_at_a_table_have_four_faces_and_heads(
    name: str, detectors: dict[str, Detector], real_data: Path
) -> None:
    shown = footage(real_data / "intel_sample_videos/classroom.preview.mp4", 0, 4, 8)

    for found in detectors[name].find(shown, limits(0.5)):
        assert (len(of(FACE, found)), len(of(HEAD, found))) == (4, 4)


@pytest.mark.parametrize(("name", "least"), [("yolox-nano-416", 11), ("person-detection-retail-0013", 7)])
def test_people_in_a_shop_are_found_where_they_are(
    name: str, least: int, detectors: dict[str, Detector], real_data: Path
) -> None:
    """Of 15 in two frames that can be seen well: on all labelled frames it is 63 and 40 of 89."""
    table = np.loadtxt(real_data / "retail02/boxes_keyframes.mot.txt", delimiter=",")
    found = detectors[name].find(footage(real_data / "retail02/Retail02_short.mp4", 0, 60), limits(0.3))

    matched, wrong = 0, 0
    for number, one in zip((1, 61), found, strict=True):
        here = table[table[:, 0] == number]
        left_top, seen = here[:, 2:4], here[:, 6] == 1
        boxes = np.concatenate([left_top, left_top + here[:, 4:6]], axis=1) / (1920, 1080, 1920, 1080)
        overlap = iou(boxes, of(BODY, one))
        matched += int((overlap[seen].max(axis=1) >= 0.5).sum())
        wrong += int((overlap.max(axis=0) < 0.5).sum())

    assert matched >= least
    assert wrong == 0


def test_two_people_in_an_aisle_are_as_sure_as_its_makers_runtime_says(
    detectors: dict[str, Detector], real_data: Path
) -> None:
    """Scores of the same file in the runtime it was made for: 0.99 and 0.98."""
    shown = footage(real_data / "intel_sample_videos/store-aisle-detection.preview.mp4", 30)

    (found,) = detectors["person-detection-retail-0013"].find(shown, limits(0.5))

    assert found.score == pytest.approx([0.99, 0.98], abs=0.01)
    assert iou(found.box, np.array([[0.555, 0.22, 0.68, 0.95], [0.705, 0.30, 0.82, 0.88]])).diagonal().min() > 0.8


def test_many_frames_in_one_call_are_each_frame_by_itself(detectors: dict[str, Detector], real_data: Path) -> None:
    shown = footage(real_data / "intel_sample_videos/classroom.preview.mp4", 0, 20, 40)
    detector = detectors["yunet-dynamic"]

    together: list[Any] = detector.find(shown, limits(0.3))
    alone = [detector.find(shown.take([row]), limits(0.3))[0] for row in range(3)]

    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.box, other.box, atol=1e-5)
        np.testing.assert_allclose(one.score, other.score, atol=1e-5)
