"""Models that tell from a face where its eyes look: MobileGaze, L2CS, PriviGaze and others whose card says how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.adapters.card_angles import degrees, sureness
from nodes.adapters.crop_models import CropModel, crop_model
from nodes.ops import directions
from pipeline.card_fields import FaceGazeOutputs
from pipeline.device import Device
from pipeline.frames import FrameBatch
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FaceGaze:
    """A model of the family `face_gaze`: one crop of a face in, one direction out."""

    model: CropModel
    outputs: FaceGazeOutputs

    def told(
        self, device: Device, frames: FrameBatch, frame_row: Array, head_box: Array, pose_deg: Array
    ) -> tuple[Array, Array]:
        """Return where K > 0 faces look.

        Args:
            device: where models run.
            frames: with pictures.
            frame_row: (K,).
            head_box: (K, 4) whole heads, fractions of the frame.
            pose_deg: (K, 3) yaw, pitch and roll of the heads; not needed here.

        Returns:
            Directions (K, 3) in the axes of `ops.directions`, of any length, NaN where there is none; and how sure the
            model is of each (K,), 0 to 1.
        """
        answer = self.model.answers(device, self.model.cut_out(device, frames, frame_row, head_box), frame_row)
        return told_directions(answer, self.outputs)

    def close(self) -> None:
        """Let go of the model."""
        self.model.session.close()


def face_gaze(session: Session, card: str, where: str) -> FaceGaze:
    """Take an opened model of the family `face_gaze`.

    Raises:
        ModelError: the card is of another family, or the model takes something else than crops.
    """
    model = crop_model(session, card, where, "face_gaze", "face_gaze")
    outputs = session.card.face_gaze
    assert outputs is not None
    return FaceGaze(model, outputs)


def told_directions(answer: Mapping[str, Array], outputs: FaceGazeOutputs) -> tuple[Array, Array]:
    """Return directions (K, 3) and how sure they are (K,) of outputs by name, as `FaceGaze.told` does."""
    if outputs.vector:
        given = answer[outputs.vector].astype(np.float64) * np.array(outputs.axes)
        return given, np.ones(len(given))
    assert outputs.yaw is not None and outputs.pitch is not None  # the card has both or a vector
    both = outputs.yaw, outputs.pitch
    angles = np.stack([degrees(answer, angle) for angle in both], axis=1)
    return directions.vectors(angles), np.prod([sureness(answer, angle) for angle in both], axis=0)
