"""A pinhole camera in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.geometry import direction, looking_along

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """Where a picture is taken from and how points of the world land in it."""

    size_wh: tuple[int, int]
    """Size of the picture in pixels."""
    focal_px: float
    """Focal length in pixels."""
    centre_px: tuple[float, float]
    """Principal point in pixels."""
    position: Floats
    """(3,) metres."""
    world_from_camera: Floats
    """(3, 3) columns: the picture's right, the picture's down and the viewing axis, in the world."""

    def to_camera(self, points: Floats) -> Floats:
        """Turn (..., 3) world points into camera coordinates, metres."""
        return (points - self.position) @ self.world_from_camera

    def project(self, points: Floats) -> tuple[Floats, Floats]:
        """Return (..., 2) pixels and (...) depths of (..., 3) world points; pixels are nan behind the camera."""
        in_camera = self.to_camera(points)
        depth = in_camera[..., 2]
        ahead = np.where(depth > 1e-3, depth, np.nan)
        pixels = in_camera[..., :2] / ahead[..., None] * self.focal_px + np.array(self.centre_px)
        return pixels, depth

    def point_at(self, pixel: tuple[float, float], depth: float) -> Floats:
        """Return the (3,) world point seen at a pixel and a depth."""
        u, v = ((pixel[k] - self.centre_px[k]) / self.focal_px * depth for k in (0, 1))
        point: Floats = self.position + self.world_from_camera @ np.array([u, v, depth])
        return point


def aimed_camera(
    size_wh: tuple[int, int],
    *,
    focal_in_widths: float,
    height_m: float,
    yaw_deg: float,
    pitch_down_deg: float,
    roll_deg: float = 0.0,
) -> Camera:
    """Place a camera above the world's origin; pitch turns it towards the floor."""
    forward = direction(math.radians(yaw_deg), -math.radians(pitch_down_deg))
    return Camera(
        size_wh=size_wh,
        focal_px=size_wh[0] * focal_in_widths,
        centre_px=(size_wh[0] / 2, size_wh[1] / 2),
        position=np.array([0.0, -height_m, 0.0]),
        world_from_camera=looking_along(forward, math.radians(roll_deg)),
    )
