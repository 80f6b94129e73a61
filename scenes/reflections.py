"""What shines: floors that mirror what stands on them, and panes one sees through. Drawn once the people stand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import NEAREST_M, Canvas

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_COARSE = 3
"""Mirror images are worked out for every third pixel: floors blur them."""
_STEPS_M = np.geomspace(0.06, 6.0, 26)


@dataclass(frozen=True)
class Pane:
    """An upright sheet of acrylic or glass."""

    corners: Floats
    """(4, 3) world points: top left, top right, bottom right, bottom left."""
    haze: float
    """Share of white it adds."""
    mirror: float
    """Share of what stands opposite it that it adds."""


def mirror_floor(canvas: Canvas, strength: float) -> None:
    """Add to each pixel of the floor what the camera sees of the thing its mirrored ray meets.

    Rays are followed in steps through the picture's own depth: what the picture does not show is not mirrored.
    """
    camera = canvas.camera
    step = _COARSE
    depth = canvas.depth[step // 2 :: step, step // 2 :: step]
    h, w = depth.shape
    u = (np.arange(w) * step + step // 2 + 0.5 - camera.centre_px[0]) / camera.focal_px
    v = (np.arange(h) * step + step // 2 + 0.5 - camera.centre_px[1]) / camera.focal_px
    rays = np.stack(np.broadcast_arrays(u[None, :], v[:, None], np.ones((1, 1))), axis=-1) @ camera.world_from_camera.T
    floor = (rays[..., 1] > 1e-3) & (np.abs(depth * rays[..., 1] + camera.position[1]) < 0.03)
    rows, columns = np.nonzero(floor)
    if not len(rows):
        return
    rays = rays[rows, columns]
    ground = camera.position + rays * depth[rows, columns, None]
    length = np.linalg.norm(rays, axis=1, keepdims=True)
    mirrored = rays / length * [1.0, -1.0, 1.0]
    start, way = camera.to_camera(ground), mirrored @ camera.world_from_camera
    hit = np.full(len(rows), -1, np.int64)
    left = np.arange(len(rows))
    for far in _STEPS_M:
        points = start[left] + way[left] * far
        z = np.maximum(points[:, 2], 1e-3)
        x = ((points[:, 0] / z * camera.focal_px + camera.centre_px[0]) / step).astype(np.int64)
        y = ((points[:, 1] / z * camera.focal_px + camera.centre_px[1]) / step).astype(np.int64)
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h) & (points[:, 2] > NEAREST_M)
        at = np.where(inside, y * w + x, 0)
        behind = z - depth.ravel()[at]
        met = inside & (behind > 0) & (behind < 0.3 + 0.25 * far)
        hit[left[met]] = at[met]
        left = left[inside & ~met]
    shine = np.where(hit >= 0, strength * (1 - np.abs(rays[:, 1:2] / length)[:, 0]) ** 2, 0.0)
    colours = cv2.resize(canvas.bgr, (w, h), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    added = np.zeros((h, w, 4), np.float32)
    added[rows, columns, :3] = colours[np.maximum(hit, 0)] * shine[:, None]
    added[rows, columns, 3] = shine
    soft = cv2.resize(cv2.GaussianBlur(added, (3, 3), 0), canvas.depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    soft = soft * ((canvas.owner == 0) & _on_floor(canvas))[..., None]
    canvas.bgr *= 1 - soft[..., 3:]
    canvas.bgr += soft[..., :3]


def _on_floor(canvas: Canvas) -> NDArray[np.bool_]:
    """Return which pixels show the floor."""
    camera, down = canvas.camera, canvas.camera.world_from_camera[1]
    height, width = canvas.depth.shape
    across = down[0] * (np.arange(width) + 0.5 - camera.centre_px[0]) / camera.focal_px
    along = down[1] * (np.arange(height) + 0.5 - camera.centre_px[1]) / camera.focal_px + down[2]
    slope = (across[None, :] + along[:, None]).astype(np.float32)
    floor: NDArray[np.bool_] = np.abs(canvas.depth * slope + np.float32(camera.position[1])) < 0.03
    return floor


def draw_pane(canvas: Canvas, pane: Pane) -> None:
    """Lay a pane over what is behind it: haze, a slanting gleam, bright edges and a faint mirror image."""
    pixels, depth = canvas.camera.project(pane.corners)
    if depth.min() < NEAREST_M or np.abs(pixels).max() > 8000:
        return
    height, width = canvas.depth.shape
    x0, y0 = (max(0, int(pixels[:, k].min())) for k in (0, 1))
    x1, y1 = min(width, int(pixels[:, 0].max()) + 1), min(height, int(pixels[:, 1].max()) + 1)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    local = np.round(pixels - [x0, y0]).astype(np.int32)
    glass = np.zeros((y1 - y0, x1 - x0), np.float32)
    cv2.fillConvexPoly(glass, local, pane.haze)
    gleam = np.round(local @ [[0.45, 0], [0, 1]] + local[0] * [0.55, 0] + (local[1] - local[0]) * [0.15, 0])
    cv2.fillConvexPoly(glass, gleam.astype(np.int32), pane.haze * 1.7)
    cv2.polylines(glass, [local], True, 0.55, 1)
    here = (slice(y0, y1), slice(x0, x1))
    before = canvas.depth[here] > np.float32(depth.mean())
    glass *= before
    part = canvas.bgr[here]
    opposite = cv2.GaussianBlur(canvas.bgr[y0:y1, width - x1 : width - x0][:, ::-1], (0, 0), 1.5)
    share = np.float32(pane.mirror) * (glass > 0)
    part += (opposite - part) * share[..., None]
    part += (np.float32(235) - part) * glass[..., None]
