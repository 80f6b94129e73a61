"""Render a single head close up with its truth from a seed, as a network that reads head directions sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.attention import attentive_figure
from scenes.camera import Camera
from scenes.canvas import Canvas
from scenes.figure import Figure, Target, draw_people
from scenes.film import sample_film
from scenes.geometry import azimuth_elevation, direction
from scenes.layout import VIEWS, sample_camera, sample_light
from scenes.looks import sample_looks
from scenes.photo import record, sample_recorder
from scenes.pose import head_centre
from scenes.restyle import Restyler
from scenes.style import PLAIN, Style
from scenes.textures import random_texture

Floats = NDArray[np.float64]

_SIDE_STREAM = 20
_BACKGROUNDS = ("shelf", "wall", "clutter", "floor")


@dataclass(frozen=True)
class HeadCrop:
    """A square picture around one head."""

    bgr: NDArray[np.uint8]
    """(size, size, 3)."""
    head_box: Floats
    """(4,) xyxy in fractions of the crop, clipped to it."""
    head_vector: Floats
    """(3,) unit vector of the nose in the camera-ray frame (see `truth.PeopleTruth`)."""
    gaze_vector: Floats
    """(3,) unit vector of the gaze, same frame."""


def render_head_crop(seed: int, size: int = 96, style: Style = PLAIN) -> HeadCrop:
    """Render the head crop of a seed: head height about 0.45 to 0.68 of the crop, resolution from 15 px up to `size`.

    Raises:
        ValueError: for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"render_head_crop: expected a seed of at least 0, got {seed!r}")
    cv2.setNumThreads(1)
    rng = np.random.default_rng([2, seed])
    restyle, side = Restyler(style, seed), _side(style, seed)
    while True:
        crop = _try_crop(rng, size, restyle, side)
        if crop is not None:
            film, chance = sample_film(style, seed, stream=200)
            return replace(crop, bgr=film.shoot(crop.bgr, chance))


def _side(style: Style, seed: int) -> str:
    """Return the side that hair and hats ask to be seen from: behind, above, above-behind or any."""
    if not (style.hair or style.headwear):
        return "any"
    rng = np.random.default_rng([_SIDE_STREAM, seed])
    return str(rng.choice(["behind", "above", "above-behind", "any"], p=[0.16, 0.12, 0.08, 0.64]))


def _try_crop(rng: np.random.Generator, size: int, restyle: Restyler, side: str) -> HeadCrop | None:
    """Return a crop, or None if the drawn head is too near the camera or behind it."""
    view = VIEWS[int(rng.integers(len(VIEWS)))]
    view = "ceiling" if side.startswith("above") else view
    camera = sample_camera(rng, (size, size), view)
    heading, _ = azimuth_elevation(camera.world_from_camera[:, 2])
    heading += rng.uniform(-0.6, 0.6)
    distance = math.exp(rng.uniform(math.log(0.9), math.log(9)))
    if side.startswith("above"):
        distance = 0.9 + 0.25 * distance
    ground = distance * direction(heading, 0.0)
    figure = _figure(rng, ground, heading, restyle, away=side.endswith("behind"))
    centre = figure.head_centre
    in_camera = camera.to_camera(centre)
    if in_camera[2] < 0.4:
        return None
    camera = _aimed_at(rng, camera, in_camera, size)
    canvas = Canvas(camera, sample_light(rng, camera))
    canvas.bgr[:] = _background(rng, size)
    people = draw_people(canvas, [figure])
    if len(people) != 1:
        return None
    return HeadCrop(
        bgr=_degraded(rng, canvas, size),
        head_box=people.head_box[0],
        head_vector=people.head_vector[0],
        gaze_vector=people.gaze_vector[0],
    )


def _figure(rng: np.random.Generator, ground: Floats, heading: float, restyle: Restyler, *, away: bool) -> Figure:
    """Return a person looking `away`, or anywhere, or four times in ten roughly towards the camera."""
    looks = restyle(sample_looks(rng))
    seated = rng.random() < 0.12
    azimuth = rng.uniform(-math.pi, math.pi) if rng.random() < 0.6 else math.pi + heading + rng.normal(0, 0.9)
    if away:
        azimuth = heading + rng.normal(0, 0.6)
    elevation = float(np.clip(rng.normal(-0.12, 0.3), -0.9, 0.7))
    head = head_centre(looks, ground, 0.0, 0.0, seated)
    target = Target(head + rng.uniform(1, 4) * direction(azimuth, elevation), "elsewhere")
    return attentive_figure(rng, 1, looks, ground, seated, target)


def _aimed_at(rng: np.random.Generator, camera: Camera, head: Floats, size: int) -> Camera:
    """Zoom and shift a camera so that a head fills half of the crop, without turning it."""
    pixels = size * rng.uniform(0.44, 0.66)
    focal = pixels / 0.235 * float(head[2])
    off = rng.normal(0, 0.03 * size, 2)
    centre = (size / 2 + off[0] - focal * head[0] / head[2], size / 2 + off[1] - focal * head[1] / head[2])
    return replace(camera, focal_px=focal, centre_px=(float(centre[0]), float(centre[1])))


def _background(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    sheet = random_texture(rng, _BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))])
    side = int(rng.integers(24, min(300, sheet.shape[0] - 1)))
    y, x = int(rng.integers(0, sheet.shape[0] - side)), int(rng.integers(0, sheet.shape[1] - side))
    patch = cv2.resize(sheet[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
    return patch.astype(np.float32) * np.float32(rng.uniform(0.6, 1.1))


def _degraded(rng: np.random.Generator, canvas: Canvas, size: int) -> NDArray[np.uint8]:
    """Record the crop at a resolution drawn between 15 px and its own, and enlarge it again."""
    recorder = replace(sample_recorder(rng, max(0.0, rng.uniform(-1, 1))), stamp=0, vignette=0.0)
    if rng.random() < 0.25:
        return record(canvas.bgr, (size, size), recorder, rng)
    coarse = max(15, int(size * math.exp(rng.uniform(math.log(15 / size), 0))))
    small = record(canvas.bgr, (coarse, coarse), recorder, rng)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
