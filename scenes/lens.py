"""Wide-angle and dome lenses: scenes are drawn by a wider pinhole camera and bent, pictures and truth alike.

A ray at angle t from the axis lands atan(bend * tan t) / bend focal lengths from the middle: bend 0 is a pinhole, 1 an
equidistant fisheye, and for small angles it is barrel distortion with k1 = -bend^2 / 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.geometry import azimuth_elevation, direction, looking_along
from scenes.style import Style

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_NOTHING_SHARE = 0.4
_WIDEST_PX = 840
"""Width of the largest pinhole picture; stronger lenses see the middle more coarsely."""


@dataclass(frozen=True)
class Lens:
    """A lens in front of a wide pinhole camera."""

    bend: float
    """Strength, above 0."""
    focal_px: float
    """Focal length in the middle of the bent picture, in its pixels."""
    size_wh: tuple[int, int]
    """Size of the bent picture in pixels."""
    camera: Camera
    """The pinhole camera that draws what the lens sees; its picture is larger."""

    def bent_px(self, points: Floats) -> Floats:
        """Turn (..., 2) pixels of the pinhole camera's picture into pixels of the bent one; nan stays nan."""
        flat = (points - np.array(self.camera.centre_px)) / self.camera.focal_px
        far = np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-9)
        shrunk = np.arctan(self.bend * far) / (self.bend * far)
        bent: Floats = flat * shrunk * self.focal_px + np.array(self.size_wh) / 2
        return bent

    def maps(self) -> tuple[Colours, Colours]:
        """Return where in the pinhole picture each pixel of the bent one comes from, x and y for `cv2.remap`."""
        width, height = self.size_wh
        x = ((np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) / np.float32(self.focal_px))[None, :]
        y = ((np.arange(height, dtype=np.float32) + np.float32(0.5 - height / 2)) / np.float32(self.focal_px))[:, None]
        far = np.maximum(np.hypot(x, y), np.float32(1e-6)) * np.float32(self.bend)
        grown = np.tan(far) / far * np.float32(self.camera.focal_px)
        centre = self.camera.centre_px
        return x * grown + np.float32(centre[0] - 0.5), y * grown + np.float32(centre[1] - 0.5)

    def picture(self, drawn: Colours) -> Colours:
        """Bend a drawn (h, w, 3) picture."""
        return np.asarray(cv2.remap(drawn, *self.maps(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    def owners(self, owner: NDArray[np.int16]) -> NDArray[np.int16]:
        """Bend who owns which pixel; each takes the nearest one."""
        return np.asarray(cv2.remap(owner, *self.maps(), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE), np.int16)


def sample_lens(style: Style, seed: int, camera: Camera, view: str) -> Lens | None:
    """Draw the lens of a still, None for the plain camera in four of ten.

    Domes look down steeper than the camera they replace, and all lenses see more than it.
    """
    rng = np.random.default_rng([27, seed])
    if not style.lens or rng.random() < _NOTHING_SHARE:
        return None
    strong = view != "close" and rng.random() < 0.55
    bend = rng.uniform(0.65, 1.1) if strong else rng.uniform(0.25, 0.65)
    half_view = math.radians(rng.uniform(46, 58) if strong else rng.uniform(34, 48))
    if view == "ceiling" and strong and rng.random() < 0.5:
        azimuth, _ = azimuth_elevation(camera.world_from_camera[:, 2])
        axes = looking_along(direction(azimuth, -math.radians(rng.uniform(45, 72))), rng.normal(0, 0.05))
        camera = replace(camera, world_from_camera=axes)
    return fitted_lens(camera, bend, half_view)


def fitted_lens(camera: Camera, bend: float, half_view_rad: float) -> Lens:
    """Return a lens that sees `half_view_rad` from the middle to the left and right edges of a camera's picture."""
    width, height = camera.size_wh
    focal = width / 2 * bend / math.atan(bend * math.tan(half_view_rad))
    corner = math.hypot(width, height) / 2 / focal
    grown = math.tan(bend * corner) / (bend * corner)
    # The pinhole picture reaches the corners of the bent one; along its edges it shows more.
    drawn = min(focal, focal * _WIDEST_PX / (width * grown))
    size = (2 * math.ceil(width / 2 * grown * drawn / focal) + 2, 2 * math.ceil(height / 2 * grown * drawn / focal) + 2)
    wide = replace(camera, size_wh=size, focal_px=drawn, centre_px=(size[0] / 2, size[1] / 2))
    return Lens(bend, focal, (width, height), wide)
