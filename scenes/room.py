"""Five planes around the people: back wall, side walls, floor and ceiling, met by one ray per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.colours import cloud
from scenes.textures import HEIGHT, WIDTH, random_texture

BACK, LEFT, RIGHT, FLOOR, CEILING = range(5)

_LEVELS = 3


@dataclass(frozen=True)
class Surface:
    """What one plane is covered with."""

    texture: NDArray[np.uint8]
    pixels_per_m: float
    offset_px: float
    gain: float
    stocked: bool
    """Whether it shows shelves."""


@dataclass(frozen=True)
class Room:
    """An open box around the camera: x from `left` to `right`, z up to `back`, y from `top` (negative) to 0."""

    left: float
    right: float
    back: float
    top: float
    surfaces: tuple[Surface, ...]
    """Back, left, right, floor, ceiling."""


def sample_room(
    rng: np.random.Generator, *, size_m: tuple[float, float, float, float], stocked_share: float, clutter_share: float
) -> Room:
    """Cover a room's planes.

    Args:
        rng: source of all choices.
        size_m: left, right, back and top.
        stocked_share: how likely each wall is to carry shelves.
        clutter_share: how likely each plane is to carry meaningless shapes instead.
    """
    surfaces = []
    for plane in range(5):
        stocked = plane <= RIGHT and rng.random() < stocked_share
        if rng.random() < clutter_share:
            family, stocked = "clutter", False
        elif plane == FLOOR:
            family = "floor"
        elif plane == CEILING:
            family = "ceiling" if rng.random() < 0.7 else "wall"
        else:
            family = "shelf" if stocked else "wall"
        surfaces.append(
            Surface(
                texture=random_texture(rng, family),
                pixels_per_m=rng.uniform(120, 230) if plane <= RIGHT else rng.uniform(80, 240),
                offset_px=rng.uniform(0, WIDTH),
                gain=rng.uniform(0.7, 1.2),
                stocked=stocked,
            )
        )
    left, right, back, top = size_m
    return Room(left=left, right=right, back=back, top=top, surfaces=tuple(surfaces))


def paint_room(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    """Fill the whole canvas with the room, nearest plane first along each ray, and soft pools of light."""
    camera = canvas.camera
    width, height = camera.size_wh
    u = ((np.arange(width) + (0.5 - camera.centre_px[0])) / camera.focal_px).astype(np.float32)[None, :]
    v = ((np.arange(height) + (0.5 - camera.centre_px[1])) / camera.focal_px).astype(np.float32)[:, None]
    turn = camera.world_from_camera.astype(np.float32)
    eye = camera.position.astype(np.float32)
    ray = [turn[k, 0] * u + (turn[k, 1] * v + turn[k, 2]) for k in range(3)]
    tiny = np.float32(1e-6)
    walls = np.where(ray[0] > 0, np.float32(room.right) - eye[0], np.float32(room.left) - eye[0])
    to_side = walls / (ray[0] + np.copysign(tiny, ray[0]))
    levels = np.where(ray[1] > 0, -eye[1], np.float32(room.top) - eye[1])
    to_level = levels / (ray[1] + np.copysign(tiny, ray[1]))
    to_back = np.where(ray[2] > tiny, np.float32(room.back) / np.maximum(ray[2], tiny), np.float32(99))
    depth = np.minimum(np.minimum(to_side, to_level), to_back)
    side = np.where(ray[0] > 0, np.uint8(RIGHT), np.uint8(LEFT))
    level_plane = np.where(ray[1] > 0, np.uint8(FLOOR), np.uint8(CEILING))
    plane = np.where(depth == to_back, np.uint8(BACK), np.where(depth == to_side, side, level_plane))
    atlas, row_of_level = _atlas(room)
    scale = _looked_up([s.pixels_per_m for s in room.surfaces], plane)
    offset = _looked_up([s.offset_px for s in room.surfaces], plane)
    gain = _looked_up([s.gain for s in room.surfaces], plane)
    upright = plane <= RIGHT
    x, y, z = (eye[k] + depth * ray[k] for k in range(3))
    along = np.where(plane - np.uint8(LEFT) <= RIGHT - LEFT, z, x) * scale + offset
    on_wall = np.clip((y - np.float32(room.top)) * np.float32((HEIGHT - 1) / -room.top), 0, HEIGHT - 1)
    down = np.where(upright, on_wall, _wrapped(z * scale + offset, HEIGHT - 1))
    texels = depth * scale * np.float32(1 / camera.focal_px)
    cell = plane * np.uint8(_LEVELS) + (texels > 1.6) + (texels > 3.2)
    shrink = _looked_up([0.5**level for _ in range(5) for level in range(_LEVELS)], cell)
    first_row = _looked_up(row_of_level, cell)
    across = _wrapped(along, WIDTH - 1) * shrink
    painted = cv2.remap(atlas, across, down * shrink + first_row, cv2.INTER_LINEAR)
    fade = gain * np.clip(1 - np.float32(0.04 * rng.random()) * depth, 0.3, 1)
    if rng.random() < 0.5:
        pools = cloud(rng, height // 8, width // 8, 3, 2)
        fade = fade * np.clip(1 + 0.12 * cv2.resize(pools, (width, height)), 0.5, 1.4)
    np.multiply(painted, fade[..., None], out=canvas.bgr, casting="unsafe")
    canvas.depth[:] = depth


def _looked_up(table: list[float], index: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return table[index]; OpenCV's table look-up is ten times as fast as indexing."""
    padded = np.zeros(256, np.float32)
    padded[: len(table)] = table
    return cv2.LUT(index, padded).astype(np.float32, copy=False)


def _wrapped(value: NDArray[np.float32], period: int) -> NDArray[np.float32]:
    """Return value modulo period."""
    wrapped: NDArray[np.float32] = value - np.floor(value * np.float32(1 / period)) * np.float32(period)
    return wrapped


def _atlas(room: Room) -> tuple[NDArray[np.uint8], list[float]]:
    """Stack the five textures and their halves and quarters; return it with the first row of each, plane by plane."""
    heights = [HEIGHT >> level for level in range(_LEVELS)]
    atlas = np.zeros((5 * (sum(heights) + _LEVELS), WIDTH, 3), np.uint8)
    first: list[float] = []
    row = 0
    for plane, surface in enumerate(room.surfaces):
        for level, (height, shrunk) in enumerate(zip(heights, _halves(surface.texture), strict=True)):
            first.append(float(row))
            atlas[row : row + height, : WIDTH >> level] = shrunk
            if level:
                atlas[row : row + height, WIDTH >> level] = shrunk[:, 0]
            # One row more, for pixels between the last row and what follows it: walls end, floors repeat.
            atlas[row + height, : WIDTH >> level] = shrunk[-1 if plane <= RIGHT else 0]
            row += height + 1
    return atlas, first


_HALVES: dict[int, tuple[NDArray[np.uint8], ...]] = {}
"""By the identity of a texture, which its first entry keeps alive: textures are made once and never altered."""


def _halves(texture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """Return a texture, its half and its quarter."""
    if id(texture) not in _HALVES:
        levels = [texture]
        for level in range(1, _LEVELS):
            size = (WIDTH >> level, HEIGHT >> level)
            levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
        _HALVES[id(texture)] = tuple(levels)
    return _HALVES[id(texture)]
