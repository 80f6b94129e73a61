"""The chain of models of eyes made elsewhere, on photographs of people who look into the camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from nodes.estimate_face_gaze import EstimateFaceGaze
from nodes.estimate_head_pose import EstimateHeadPose
from nodes.ops.directions import vectors
from nodes.types import Tracks
from pipeline.device_cpu import CpuDevice
from pipeline.frames import Picture
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.yaml_source import read_yaml
from tests.helpers import frames, make_node, run_node, table
from tests.repository import ROOT

PHOTOS = {
    "person_a-720p.jpg": (561, 19, 773, 294),
    "person_b2.jpg": (390, 60, 920, 830),
    "two_people.jpg": (764, 1, 978, 300),
}
"""Whole heads of people who look into the camera, pixels."""


@pytest.fixture(scope="module")
def real_chain(real_models: Path, tmp_path_factory: Any) -> dict[str, str]:
    """Return cards of the real chain, with the files of a folder."""
    folder = tmp_path_factory.mktemp("cards")
    names = ("head-pose-estimation-adas-0001", "landmarks-regression-retail-0009", "gaze-estimation-adas-0002")
    for name in names:
        values = {**read_yaml(ROOT / f"configs/models/{name}.yaml").data, "file": str(real_models / f"{name}.onnx")}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values), "utf-8")
    return {name: str(folder / f"{name}.yaml") for name in names}


@pytest.fixture(scope="module")
def told(real_chain: dict[str, str]) -> Any:
    """Return a function that tells yaw and pitch of the head and of its eyes, (2, 2), from a picture and a head box."""
    context = Context("eyes", CpuDevice(), ROOT, ROOT, Graph("", ()))
    head, points, eye = real_chain.values()
    poses = make_node(EstimateHeadPose, context, model=head, faces_only=True)
    gaze = make_node(EstimateFaceGaze, context, model=eye, landmarks=points)

    def ask(image: np.ndarray, box: tuple[int, ...]) -> np.ndarray:
        height, width = image.shape[:2]
        shown = frames(1, pictures=[Picture((image,), "bgr")], size_wh=(width, height))
        tracks = table(
            Tracks,
            frame_row=[0],
            track_id=[1],
            head_box=[np.array(box) / [width, height, width, height]],
            head_score=[0.9],
        )
        (pose,) = run_node(poses, [(tracks, shown)])
        (made,) = run_node(gaze, [(shown, tracks, pose)])
        return np.stack([pose.yaw_pitch_roll_deg[0, :2], made.yaw_pitch_deg[0]])

    return ask


@pytest.mark.parametrize("mirrored", [False, True])
def test_who_looks_into_the_camera_does(mirrored: bool, told: Any, real_data: Path) -> None:
    off = []
    for name, (x1, y1, x2, y2) in PHOTOS.items():
        image = cv2.imread(str(real_data / "face_images" / name))
        width = image.shape[1]
        if mirrored:
            image, x1, x2 = np.ascontiguousarray(image[:, ::-1]), width - x2, width - x1
        off.append(np.degrees(np.arccos(-vectors(told(image, (x1, y1, x2, y2))[1:])[0, 2])))

    assert np.mean(off) < 12
    assert max(off) < 20


@pytest.mark.parametrize(
    ("frame", "axis", "least_deg", "most_deg"),
    [(311, 0, 15, 60), (271, 1, -60, -10)],
    ids=["to the right", "lowered"],
)
def test_eyes_leave_the_head_as_labelled(
    frame: int, axis: int, least_deg: float, most_deg: float, told: Any, real_data: Path
) -> None:
    """A man whose head is still looks to the right of the image, or has his eyes lowered."""
    video = cv2.VideoCapture(str(real_data / "cpc_demo/demo.mp4"))
    video.set(cv2.CAP_PROP_POS_FRAMES, frame)

    head, eyes = told(video.read()[1], (730, 55, 1050, 500))

    assert least_deg < eyes[axis] - head[axis] < most_deg
