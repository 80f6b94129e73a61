"""Directions in space: yaw and pitch, or unit vectors to image-right, down and away from the camera.

Yaw: 0 to the camera, +90 to image-right, ±180 away. Pitch: up positive. Looking into the camera is (0, 0, -1). Where
heads point is the same thing for a head without roll, see `ops.rotations`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SHORTEST = 1e-8
"""Vectors shorter than this have no direction."""


def vectors(yaw_pitch_deg: Array) -> Array:
    """Return unit vectors (N, 3) of yaw and pitch (N, 2), degrees; NaN where an angle is."""
    yaw, pitch = np.radians(np.asarray(yaw_pitch_deg, np.float64)).T
    return np.stack([np.sin(yaw) * np.cos(pitch), -np.sin(pitch), -np.cos(yaw) * np.cos(pitch)], axis=1)


def yaw_pitch(given: Array) -> Array:
    """Return yaw in (-180, 180] and pitch (N, 2), degrees, of vectors (N, 3) of any length; NaN of one without."""
    x, y, z = np.asarray(given, np.float64).T
    length = np.sqrt(x * x + y * y + z * z)
    angles = np.degrees(np.stack([np.arctan2(x, -z), np.arctan2(-y, np.hypot(x, z))], axis=1))
    angles = np.where(angles <= -180, 180.0, angles) + 0.0  # -0.0 is 0
    return np.where((length > SHORTEST)[:, None], angles, np.nan)


def leaned(given: Array, roll_deg: Array) -> Array:
    """Return vectors (N, 3) turned about the camera's axis, clockwise in the image by roll (N,) degrees."""
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    x, y, z = np.asarray(given, np.float64).T
    return np.stack([x * cos - y * sin, x * sin + y * cos, z], axis=1)
