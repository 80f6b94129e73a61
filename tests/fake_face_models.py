"""Models of faces and eyes that are functions written in a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.card_fields import Angle, Bins, Crop, FaceGazeOutputs
from tests.helpers import FakeSession

Answer = Callable[..., Sequence[float]]
STEPS = Bins(width_deg=4, first_deg=-180)


def face_gaze_model(answer: Answer, batch: Any = "N", colour: Any = "bgr", **card: Any) -> FakeSession:
    """Return a gaze model: yaw and pitch, in our signs, for a crop (C, H, W), told as scores of 90 steps of 4°."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        told = np.array([answer(image) for image in inputs["face"]], np.float32).reshape(-1, 2)
        return {name: scores(told[:, k]) for k, name in enumerate(("yaw", "pitch"))}

    outputs = FaceGazeOutputs(yaw=Angle(output="yaw", bins=STEPS), pitch=Angle(output="pitch", bins=STEPS))
    values = {"input_size_wh": (8, 8), "crop": Crop(colour=colour), "face_gaze": outputs, **card}
    shape = (batch, 1 if colour == "grey" else 3, 8, 8)
    columns = {"yaw": (batch, 90), "pitch": (batch, 90)}
    return FakeSession(run, inputs={"face": shape}, outputs=columns, family="face_gaze", **values)


def scores(angle_deg: np.ndarray) -> np.ndarray:
    """Return scores (N, 90) whose mean is an angle (N,) in degrees, on the two steps next to it."""
    place = (angle_deg + 180) / 4
    share = np.maximum(1 - np.abs(np.arange(90) - place[:, None]), 1e-9)
    return np.log(share).astype(np.float32)


def landmarks_model(answer: Answer, batch: Any = "N", **card: Any) -> FakeSession:
    """Return a model of the points of a face: five points (10,), fractions of the crop, for a crop (3, H, W)."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        told = np.array([answer(image) for image in inputs["0"]], np.float32).reshape(-1, 10, 1, 1)
        return {"95": told}

    values = {"input_size_wh": (48, 48), "crop": Crop(), **card}
    shapes = {"inputs": {"0": (batch, 3, 48, 48)}, "outputs": {"95": (batch, 10, 1, 1)}}
    return FakeSession(run, **shapes, family="face_landmarks", **values)


def eye_gaze_model(answer: Answer, batch: Any = "N", **card: Any) -> FakeSession:
    """Return a model of gaze from eyes: x, y and z, in our axes, for crops (3, 12, 12) of both eyes and a pose (3,)."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        three = (inputs[name] for name in ("left_eye_image", "right_eye_image", "head_pose_angles"))
        told = [answer(*one) for one in zip(*three, strict=True)]
        return {"gaze_vector": np.array(told, np.float32).reshape(-1, 3)}

    eye = (batch, 3, 12, 12)
    inputs = {"left_eye_image": eye, "right_eye_image": eye, "head_pose_angles": (batch, 3)}
    values = {"input_size_wh": (12, 12), "crop": Crop(), "face_gaze": FaceGazeOutputs(vector="gaze_vector"), **card}
    return FakeSession(run, inputs=inputs, outputs={"gaze_vector": (batch, 3)}, family="eye_gaze", **values)
