"""The chain of models that tells from both eyes where they look: points of the face, eyes, head pose, direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.adapters.crop_models import CropModel, answers, check_batch, normalised, open_crop_model
from nodes.adapters.face_gaze import told_directions
from nodes.ops import directions
from nodes.ops.boxes import crops_around
from nodes.ops.turned import MARGIN, middles
from pipeline.card_fields import FaceGazeOutputs
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Context
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

EYES, POSE = ("left_eye_image", "right_eye_image"), "head_pose_angles"
"""Inputs of models of this family: the eye at the left of the image, that at its right, the pose of the head."""
EYE_SIDE = 0.85
"""Side of what is cut out around an eye, in distances of the two: 1.8 of the width of an eye, which the makers of the
model cut out, where an eye is 0.48 of that distance wide."""
NEAREST_PX = 2.0
"""Eyes nearer to each other than this are no eyes."""


@dataclass(frozen=True)
class EyeGaze:
    """A model of the family `eye_gaze` behind one of the family `face_landmarks`.

    Eyes are turned upright by the roll of the head, which the model is then told to be 0; the direction that it tells
    is leaned back. Yaw and pitch of the head go in as its head-pose model counts them, the nose down positive.

    Ref: gaze-estimation-adas-0002 and its demo in the Open Model Zoo (Apache-2.0), for the steps and signs.
    """

    landmarks: CropModel
    session: Session
    outputs: FaceGazeOutputs
    side_px: int

    def told(
        self, device: Device, frames: FrameBatch, frame_row: Array, head_box: Array, pose_deg: Array
    ) -> tuple[Array, Array]:
        """Return where K > 0 faces look, as `FaceGaze.told` does; heads without pitch and roll have no direction."""
        eyes = self._eyes(device, frames, frame_row, head_box)  # (K, 2, 2) pixels
        apart = np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=1)
        known = np.flatnonzero((apart >= NEAREST_PX) & np.isfinite(pose_deg).all(axis=1))
        told, sure = np.full((len(eyes), 3), np.nan), np.zeros(len(eyes))
        if not len(known):
            return told, sure
        pose, half = pose_deg[known].astype(np.float64), (apart[known] * EYE_SIDE * MARGIN / 2)[:, None]
        size = np.tile(frames.size_wh[frame_row[known]], 2)
        inputs = {POSE: device.xp.asarray(np.stack([pose[:, 0], -pose[:, 1], 0 * pose[:, 2]], axis=1, dtype="f4"))}
        boxes = np.concatenate(
            [np.concatenate([at - half, at + half], axis=1) / size for at in eyes[known].swapaxes(0, 1)]
        )
        crop, whole = self.session.card.crop, round(self.side_px * MARGIN)
        cut = device.crops(frames, np.tile(frame_row[known], 2), boxes, (whole, whole), crop.colour)
        # On the host: a few thousand numbers, and not all devices turn pictures.
        upright = middles(device.to_host(cut), np.tile(pose[:, 2], 2), self.side_px)
        for name, eye in zip(EYES, np.split(upright, 2), strict=True):
            inputs[name] = normalised(device, device.xp.asarray(eye), crop)
        vectors, sure[known] = told_directions(answers(self.session, device, inputs, frame_row[known]), self.outputs)
        told[known] = directions.leaned(vectors, pose[:, 2])
        return told, sure

    def close(self) -> None:
        """Let go of both models."""
        self.landmarks.session.close()
        self.session.close()

    def _eyes(self, device: Device, frames: FrameBatch, frame_row: Array, head_box: Array) -> Array:
        """Return the eyes of K faces, image-left first, pixels of their frames: (K, 2, 2) as x, y."""
        model, size = self.landmarks, frames.size_wh[frame_row]
        answer = model.answers(device, model.cut_out(device, frames, frame_row, head_box), frame_row)
        (points,) = answer.values()
        recipe = model.crop
        face = crops_around(head_box, size[:, 0] / size[:, 1], recipe.scale, recipe.down, recipe.square)[:, None]
        at = face[..., :2] + points.reshape(len(face), -1, 2)[:, :2] * (face[..., 2:] - face[..., :2])
        return np.asarray(at * size[:, None])


def eye_gaze(context: Context, session: Session, card: str, landmarks: str, where: str) -> EyeGaze:
    """Take an opened model of the family `eye_gaze`, and open that of the points of faces.

    Args:
        context: of the node.
        session: the model.
        card: of the family `eye_gaze`.
        landmarks: card of the family `face_landmarks`, five points with the eyes first, image-left before image-right.
        where: the node, for messages.

    Raises:
        ModelError: a card is of another family, or a model takes something else than its family does.
    """
    found = session.card
    if (
        found.family != "eye_gaze"
        or found.face_gaze is None
        or found.input_size_wh is None
        or sorted(session.inputs) != sorted([*EYES, POSE])
    ):
        raise ModelError(
            f"{where}.model: expected a card of the family 'eye_gaze' with input_size_wh, face_gaze and the inputs "
            f"{sorted([*EYES, POSE])}, got {card!r} of {found.family!r} with {sorted(session.inputs)}; choose a model "
            f"of that family"
        )
    check_batch(session, card, f"{where}.model")
    points = open_crop_model(context, landmarks, f"{where}.landmarks", "face_landmarks")
    return EyeGaze(points, session, found.face_gaze, found.input_size_wh[0])
