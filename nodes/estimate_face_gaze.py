"""Estimate where eyes look: by a model of the whole face, or of both eyes and the head pose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.adapters.eye_gaze import EyeGaze, eye_gaze
from nodes.adapters.face_gaze import FaceGaze, face_gaze
from nodes.ops import directions
from nodes.ops.asked import best_of_frames
from nodes.ops.joined import places
from nodes.types import GazeDirections, HeadPoses, Tracks
from pipeline.cards import card_problems, load_card
from pipeline.errors import ConfigError, ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

Array = np.ndarray[Any, np.dtype[Any]]

WHERE, EYES = "estimate_face_gaze", "eye_gaze"
LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str = Field(default="mobilegaze-mobileone-s0", json_schema_extra={"card": True})
    """Card of a model of the family `face_gaze`, which looks at the face alone, or `eye_gaze`, which looks at both eyes
    and needs `landmarks` and the port `poses`: a name in configs/models, or a path to a card or .onnx file."""
    landmarks: str | None = Field(default=None, json_schema_extra={"card": True})
    """For models of the family `eye_gaze`: card of a model of the family `face_landmarks`, which finds the eyes, such
    as `landmarks-regression-retail-0009`."""
    max_yaw_deg: float = Field(default=60.0, gt=0, le=180, json_schema_extra=LIVE)
    """Heads turned farther from the camera are not shown to the model: it sees too little of their eyes. Raise to hear
    of profiles, too, where guesses do no harm."""
    min_head_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Heads with a lower score are not shown to the model. Raise to save time on doubtful heads."""
    max_heads: int = Field(default=16, ge=1, json_schema_extra=LIVE)
    """Heads shown to the model per frame, best scores first. Lower to bound the time of a crowded frame."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        found = {"model": card_problems(self.model, root, ("face_gaze", EYES))}
        found["landmarks"] = [] if self.landmarks is None else card_problems(self.landmarks, root, ("face_landmarks",))
        try:
            family = load_card(self.model, root)[0].family
        except ConfigError:
            return found
        if family == EYES and self.landmarks is None:
            found["landmarks"] = [no_landmarks(self.model)]
        return found


class EstimateFaceGaze(Node[Config]):
    """Tell where the eyes of each face look, as a direction.

    Faces are cut out of the boxes of heads as the card says, and are one call of the model where it takes more than one
    at a time. With `poses`, only heads turned to the camera by `max_yaw_deg` or less are shown to the model; without,
    all of them, which is right where a detector of faces found them. A model that scores steps of angles is as sure as
    its scores agree; what others tell counts in full. Looking straight into the camera is yaw 0, pitch 0.

    State: none.
    Empty: no rows in, no rows out, no call of the model. A head whose face is not seen has no row.
    Ref: Abdelrahman et al., "L2CS-Net", 2022, for angles in steps; the chain of eyes in `adapters.eye_gaze`.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        self._model = self._opened()

    def process(self, frames: FrameBatch, tracks: Tracks, poses: HeadPoses | None = None) -> GazeDirections:
        if poses is None and isinstance(self._model, EyeGaze):
            raise ValueError(
                f"{WHERE}: expected head poses for {self.config.model!r}, which looks at eyes, got none; wire `poses`"
            )
        heads = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        pose_deg = np.full((len(heads), 3), np.nan) if poses is None else _pose_of(heads, poses)
        seen = heads.head_score >= self.config.min_head_score
        if poses is not None:
            seen &= np.abs(pose_deg[:, 0]) <= self.config.max_yaw_deg  # NaN is not seen
        rows = best_of_frames(heads.frame_row, heads.head_score, seen, self.config.max_heads)
        if not len(rows):
            return GazeDirections.empty()
        shown = heads.take(rows)
        device = self.context.device
        told, sure = self._model.told(device, frames, shown.frame_row, shown.head_box, pose_deg[rows])
        angles = directions.yaw_pitch(told)
        known = np.flatnonzero(np.isfinite(angles).all(axis=1))
        return GazeDirections(
            frame_row=shown.frame_row[known],
            track_id=shown.track_id[known],
            yaw_pitch_deg=angles[known].astype(np.float32),
            score=sure[known].astype(np.float32),
        )

    def close(self) -> None:
        self._model.close()

    def _opened(self) -> FaceGaze | EyeGaze:
        model, landmarks = self.config.model, self.config.landmarks
        session = self.context.open_session(model)
        if session.card.family != EYES:
            return face_gaze(session, model, f"{WHERE}.model")
        if landmarks is None:
            raise ModelError(f"{WHERE}.landmarks: {no_landmarks(model)}")
        return eye_gaze(self.context, session, model, landmarks, WHERE)


def no_landmarks(model: str) -> str:
    """Say that the card which finds the eyes is missing."""
    return (
        f"expected the card of a model that finds the eyes for {model!r}, got none; give one of the family "
        f"'face_landmarks', such as landmarks-regression-retail-0009"
    )


def _pose_of(heads: Tracks, poses: HeadPoses) -> Array:
    """Return yaw, pitch and roll (N, 3) of heads, NaN where there is no pose."""
    found = places(heads.frame_row, heads.track_id, poses.frame_row, poses.track_id)
    pose_deg = np.full((len(heads), 3), np.nan)
    pose_deg[found >= 0] = poses.yaw_pitch_roll_deg[found[found >= 0]]
    return pose_deg
