"""How one person stands, turns and looks at one moment, and the frames of reference that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import azimuth_elevation, direction, looking_along
from scenes.looks import Looks

Floats = NDArray[np.float64]

ARMS = ("hang", "hold", "reach", "hip", "raise", "cross")
"""What an arm can do: hang and swing, hold something before the chest, reach along the gaze, rest on the hip, be
raised to the head, lie across the belly. Arms that hold a given point are called `GRIP`."""
GRIP = "grip"
"""An arm whose hand is at `Pose.grip`."""

_REFERENCE_M = 1.71
_HEAD_M = 1.594
_HIP_M = 0.90
_SEAT_M = 0.47
EYE_YAW_LIMIT_DEG, EYE_PITCH_LIMIT_DEG = 28.0, 16.0


@dataclass(frozen=True)
class Pose:
    """Everything that moves."""

    ground: Floats
    """(3,) world point between the feet, y = 0; of who is carried or pushed, y is less."""
    body_yaw_rad: float
    """Azimuth the body faces."""
    lean: float
    """Forward lean in metres per metre above the hip."""
    seated: bool
    stride: float
    """Swing of the legs, radians of the right leg forward."""
    arms: tuple[str, str]
    """Left and right arm, each one of `ARMS`."""
    arms_before: tuple[str, str] | None
    """What they did before, while they still move."""
    arms_share: float
    """How far they have moved from there, 0 to 1."""
    head: Floats
    """(3, 3) columns: the head's right, down and nose directions in the world."""
    gaze: Floats
    """(3,) unit world vector."""
    grip: Floats | None = None
    """(3,) world point that hands of arms in `GRIP` hold."""

    @property
    def eye_in_head(self) -> tuple[float, float]:
        """Return the tangents of the eyes' turn to the person's right and down."""
        local = self.head.T @ self.gaze
        ahead = max(float(local[2]), 0.3)
        return float(local[0]) / ahead, float(local[1]) / ahead


def seat_drop_m(seated: bool) -> float:
    """Return how far the hips of the reference body sink when it sits."""
    return _HIP_M - _SEAT_M if seated else 0.0


def body_point(looks: Looks, pose: Pose, right: float, up: float, ahead: float) -> Floats:
    """Return the (3,) world point of a spot of a standing 1.71 m body; sitting and leaning are applied to it."""
    scale = looks.height_m / _REFERENCE_M
    up = up - seat_drop_m(pose.seated)
    ahead = ahead + pose.lean * max(0.0, up - (_SEAT_M if pose.seated else _HIP_M))
    forward = direction(pose.body_yaw_rad, 0.0)
    sideways = np.array([forward[2], 0.0, -forward[0]])
    moved = pose.ground + scale * (right * sideways + ahead * forward)
    moved[1] -= scale * up
    return moved


def head_centre(looks: Looks, ground: Floats, body_yaw_rad: float, lean: float, seated: bool) -> Floats:
    """Return the (3,) world point of the middle of the skull."""
    scale = looks.height_m / _REFERENCE_M
    up = _HEAD_M - seat_drop_m(seated)
    ahead = lean * (up - (_SEAT_M if seated else _HIP_M))
    centre: Floats = ground + scale * ahead * direction(body_yaw_rad, 0.0)
    centre[1] -= scale * up
    return centre


def turned_head(gaze: Floats, eye_yaw_deg: float, eye_pitch_deg: float, roll_deg: float) -> Floats:
    """Return the (3, 3) head rotation that leaves the eyes turned by the given angles to meet a gaze direction."""
    azimuth, elevation = azimuth_elevation(gaze)
    elevation = min(0.9, max(-1.0, elevation - math.radians(eye_pitch_deg)))
    return looking_along(direction(azimuth - math.radians(eye_yaw_deg), elevation), math.radians(roll_deg))


def sample_eye_turn(rng: np.random.Generator) -> tuple[float, float]:
    """Draw how far the eyes are turned in the head: yaw and pitch in degrees."""
    yaw = float(np.clip(rng.normal(0, 12), -EYE_YAW_LIMIT_DEG, EYE_YAW_LIMIT_DEG))
    pitch = float(np.clip(rng.normal(0, 7), -EYE_PITCH_LIMIT_DEG, EYE_PITCH_LIMIT_DEG))
    return yaw, pitch


def sample_arms(rng: np.random.Generator, *, reaching: float) -> tuple[str, str]:
    """Draw what both arms do; `reaching` is how likely one reaches along the gaze."""
    shares = np.array([0.5, 0.16, reaching, 0.08, 0.05, 0.06])
    shares = shares / shares.sum()
    left = str(rng.choice(ARMS, p=shares))
    right = left if rng.random() < 0.5 and left != "reach" else str(rng.choice(ARMS, p=shares))
    return left, right
