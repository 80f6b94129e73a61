"""Small things drawn once from clouds of shaded points, then set up by the hundred as upright pictures with a depth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import NEAREST_M, Canvas

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

PITCHES_DEG = (3.0, 20.0, 38.0, 60.0)
"""How far from above things are drawn; the nearest one is taken."""
_SIDE_PX = 80
_LAMP = np.array([-0.35, 0.8, 0.5], np.float32) / np.float32(math.sqrt(0.35**2 + 0.8**2 + 0.5**2))


@dataclass(frozen=True)
class Cloud:
    """Points of a thing's surface: x right, y up from its foot, z towards the viewer; metres for a thing of size 1."""

    points: Colours
    """(N, 3)."""
    normals: Colours
    """(N, 3), either way round."""
    colours: Colours
    """(N, 3) BGR, 0 to 255."""


@dataclass(frozen=True)
class Sprite:
    """A thing of size 1 as seen from one height."""

    bgra: NDArray[np.uint8]
    """(h, w, 4), colours multiplied by alpha."""
    pixels_per_m: float
    foot_px: tuple[float, float]
    """Where the middle of its foot lies."""
    reach_m: float
    """How far its surface comes towards the viewer."""


def splat(cloud: Cloud, pitch_deg: float) -> Sprite:
    """Draw a cloud of points as seen from far away and `pitch_deg` above."""
    sin, cos = (np.float32(f(math.radians(pitch_deg))) for f in (math.sin, math.cos))
    x, y, z = cloud.points.T
    down, near = z * sin - y * cos, z * cos + y * sin
    towards = cloud.normals[:, 2] * cos + cloud.normals[:, 1] * sin
    normals = np.where(towards[:, None] < 0, -cloud.normals, cloud.normals)
    lit = 0.5 + 0.5 * np.clip(normals @ _LAMP, 0, 1) + 0.08 * np.abs(towards)
    side = 2 * _SIDE_PX
    low_x, low_down = float(x.min()), float(down.min())
    scale = (side - 8) / max(float(np.ptp(x)), float(np.ptp(down)), 1e-6)
    columns, rows = ((x - low_x) * scale + 4).astype(np.int64), ((down - low_down) * scale + 4).astype(np.int64)
    width, height = (math.ceil((int(v.max()) + 5) / 2) * 2 for v in (columns, rows))
    order = np.argsort(near, kind="stable")
    at = rows[order] * width + columns[order]
    flat = np.zeros((height * width, 4), np.float32)
    flat[at, :3] = np.clip(cloud.colours[order] * lit[order, None], 0, 255)
    flat[at, 3] = 255
    picture = flat.reshape(height, width, 4)
    # Points never cover every pixel: gaps take the colour around them, as far as the outline is closed.
    closed = cv2.morphologyEx(picture[..., 3], cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
    gaps = (picture[..., 3] == 0) & (closed > 0)
    picture[gaps] = soft[gaps] * (255 / np.maximum(soft[gaps][:, 3:], 1))
    shrunk = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    foot = (-low_x * scale + 4) / 2, (-low_down * scale + 4) / 2
    return Sprite(np.clip(shrunk, 0, 255).astype(np.uint8), scale / 2, foot, float(z.max()))


def nearest_pitch(canvas: Canvas, point: Floats) -> int:
    """Return the index into `PITCHES_DEG` at which the camera looks down on a (3,) world point."""
    ray = point - canvas.camera.position
    pitch = math.degrees(math.atan2(float(ray[1]), math.hypot(float(ray[0]), float(ray[2]))))
    return min(range(len(PITCHES_DEG)), key=lambda k: abs(PITCHES_DEG[k] - pitch))


def put_sprites(canvas: Canvas, sprites: list[Sprite], feet: Floats, sizes: Floats, gains: Colours) -> None:
    """Set things up, farthest first.

    Args:
        canvas: what is drawn on; owners stay as they are.
        sprites: N.
        feet: (N, 3) world points.
        sizes: (N,) metres of what is 1 in a sprite.
        gains: (N, 3) factors of the colours.
    """
    if not sprites:
        return
    pixels, depths = canvas.camera.project(feet)
    focal = canvas.camera.focal_px
    resized: dict[tuple[int, int], NDArray[np.uint8]] = {}
    for k in np.argsort(-depths, kind="stable"):
        depth = float(depths[k])
        if depth < NEAREST_M + 0.2:
            continue
        sprite, scale = sprites[k], float(sizes[k]) * focal / depth / sprites[k].pixels_per_m
        h, w = sprite.bgra.shape[:2]
        width = max(1, round(w * scale))
        if width < 2 or width > 600:
            continue
        key = (id(sprite), width)
        if key not in resized:
            height = max(1, round(h * scale))
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            resized[key] = np.asarray(cv2.resize(sprite.bgra, (width, height), interpolation=method), np.uint8)
        x = round(float(pixels[k, 0]) - sprite.foot_px[0] * scale)
        y = round(float(pixels[k, 1]) - sprite.foot_px[1] * scale)
        _paste(canvas, resized[key], x, y, depth - sprite.reach_m * float(sizes[k]), gains[k])


def _paste(canvas: Canvas, bgra: NDArray[np.uint8], x: int, y: int, depth: float, gain: Colours) -> None:
    height, width = canvas.depth.shape
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + bgra.shape[1], width), min(y + bgra.shape[0], height)
    if x1 <= x0 or y1 <= y0:
        return
    here = (slice(y0, y1), slice(x0, x1))
    part = bgra[y0 - y : y1 - y, x0 - x : x1 - x]
    seen = canvas.depth[here] > depth
    alpha = part[..., 3] * seen
    kept = 1 - alpha * np.float32(1 / 255)
    painted = part[..., :3] * (gain * seen[..., None])
    canvas.bgr[here] = canvas.bgr[here] * kept[..., None] + painted
    canvas.depth[here][alpha > 127] = depth
