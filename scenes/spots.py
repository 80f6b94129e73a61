"""Find places for people to stand or sit where the camera sees their heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.looks import Looks, sample_looks
from scenes.place import Place
from scenes.pose import head_centre

Floats = NDArray[np.float64]

DISTANCES_M = {"close": (0.7, 2.4), "eye": (1.6, 8.0), "wall": (1.6, 9.0), "ceiling": (1.4, 8.0)}
"""Nearest and farthest usual spot of each view."""


@dataclass(frozen=True)
class Standing:
    """A person who has a spot but nothing to look at yet."""

    looks: Looks
    ground: Floats
    seated: bool
    head: Floats


def try_spot(
    place: Place, rng: np.random.Generator, distances_m: tuple[float, float], *, seated: bool
) -> Standing | None:
    """Return somebody at a random spot if it is free and the head is in view, partly or whole."""
    camera = place.canvas.camera
    width, _ = camera.size_wh
    nearest, farthest = (math.log(v) for v in distances_m)
    distance = math.exp(rng.uniform(nearest, farthest))
    u = rng.uniform(-0.01, 1.01) * width
    ray = camera.world_from_camera @ np.array([(u - camera.centre_px[0]) / camera.focal_px, 0.0, 1.0])
    azimuth = math.atan2(ray[0], ray[2])
    ground = np.array([math.sin(azimuth) * distance, 0.0, math.cos(azimuth) * distance])
    return stand_at(place, rng, ground, seated=seated)


def stand_at(place: Place, rng: np.random.Generator, ground: Floats, *, seated: bool) -> Standing | None:
    """Return somebody at a spot if it is free and the head is in view, partly or whole."""
    camera = place.canvas.camera
    width, height = camera.size_wh
    if not place.free(float(ground[0]), float(ground[2])):
        return None
    looks = sample_looks(rng)
    head = head_centre(looks, ground, 0.0, 0.0, seated)
    pixel, depth = camera.project(head)
    half = 0.11 * camera.focal_px / max(float(depth), 0.1)
    low = -0.4 * half if rng.random() < 0.5 else half
    if not (low < pixel[1] < height - 0.3 * half) or not (-0.3 * half < pixel[0] < width + 0.3 * half):
        return None
    row, column = int(pixel[1].clip(0, height - 1)), int(pixel[0].clip(0, width - 1))
    if place.canvas.depth[row, column] < depth - 0.1 and rng.random() < 0.8:
        return None
    return Standing(looks=looks, ground=ground, seated=seated, head=head)
