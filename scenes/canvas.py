"""A picture under construction: colour, depth and owner of every pixel, and the two shapes that are drawn on it.

All solid things are ellipsoids, met by one ray per pixel, or textured quadrilaterals; a depth test lets them hide each
other. Colours are float32 BGR, 0 to 255, not clipped before the picture is finished.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

Shader = Callable[[Colours], tuple[Colours, NDArray[np.bool_] | None]]
"""Takes (3, K) points of the unit sphere in the ellipsoid's own axes; returns (K, 3) colours and, for shapes with
holes, which of the K points exist (None: all)."""

NEAREST_M = 0.25
FAR_M = np.float32(1e9)


@dataclass(frozen=True)
class Light:
    """One lamp far away and light from everywhere."""

    ambient: float
    diffuse: float
    towards_lamp: Floats
    """(3,) unit vector in camera coordinates."""


def plain(colour: Floats | Colours) -> Shader:
    """Return a shader of one colour."""
    row = np.asarray(colour, np.float32)[None, :]

    def shade(points: Colours) -> tuple[Colours, None]:
        return np.repeat(row, points.shape[1], axis=0), None

    return shade


class Canvas:
    """Colour, depth (metres along the viewing axis) and owner (0 = background) per pixel of one camera's picture."""

    def __init__(self, camera: Camera, light: Light) -> None:
        """Start empty: black and infinitely far."""
        width, height = camera.size_wh
        self.camera = camera
        self.light = light
        self.bgr: Colours = np.zeros((height, width, 3), np.float32)
        self.depth: Colours = np.full((height, width), FAR_M, np.float32)
        self.owner: NDArray[np.int16] = np.zeros((height, width), np.int16)
        self.covered: NDArray[np.int16] = np.zeros((height, width), np.int16)
        """Owner of the last thing drawn at a pixel, hidden or not: what it would cover if it stood alone."""

    def copy(self) -> Canvas:
        """Return a canvas that can be drawn on without changing this one."""
        other = Canvas.__new__(Canvas)
        other.camera, other.light = self.camera, self.light
        other.bgr, other.depth, other.owner = self.bgr.copy(), self.depth.copy(), self.owner.copy()
        other.covered = self.covered.copy()
        return other

    def ellipsoid(self, centre: Floats, axes: Floats, radii: Floats, shader: Shader, owner: int = 0) -> Floats | None:
        """Draw an ellipsoid and return its (4,) outline box in pixels, not clipped; None if too near the camera.

        Args:
            centre: (3,) world point.
            axes: (3, 3) columns are the ellipsoid's axes in the world.
            radii: (3,) metres.
            shader: gives the colour before lighting.
            owner: written where the ellipsoid is in front.
        """
        camera = self.camera
        middle = (centre - camera.position) @ camera.world_from_camera
        if middle[2] - float(radii.max()) < NEAREST_M:
            return None
        turned = camera.world_from_camera.T @ axes
        outline = self._outline(middle, turned, radii)
        width, height = camera.size_wh
        x0, x1 = max(0, math.floor(outline[0])), min(width, math.ceil(outline[2]) + 1)
        y0, y1 = max(0, math.floor(outline[1])), min(height, math.ceil(outline[3]) + 1)
        if x1 <= x0 or y1 <= y0:
            return outline
        # A ray d meets the unit sphere where |s * (M d) - q| = 1; the discriminant is one quadratic form of the pixel.
        sphere_from_camera = (turned / radii).T
        q = sphere_from_camera @ middle
        form = sphere_from_camera.T @ sphere_from_camera
        linear = sphere_from_camera.T @ q
        rest = float(q @ q) - 1.0
        u0, v0 = float(middle[0] / middle[2]), float(middle[1] / middle[2])
        shift = np.array([[1.0, 0.0, u0], [0.0, 1.0, v0], [0.0, 0.0, 1.0]])
        d = shift.T @ (np.outer(linear, linear) - rest * form) @ shift
        du = ((np.arange(x0, x1) + (0.5 - camera.centre_px[0])) / camera.focal_px - u0).astype(np.float32)
        dv = ((np.arange(y0, y1) + (0.5 - camera.centre_px[1])) / camera.focal_px - v0).astype(np.float32)
        d32 = d.astype(np.float32)
        along_x = d32[0, 0] * du * du + 2 * d32[0, 2] * du + d32[2, 2]
        along_y = d32[1, 1] * dv * dv + 2 * d32[1, 2] * dv
        disc = (2 * d32[0, 1] * dv)[:, None] * du[None, :]
        disc += along_x[None, :]
        disc += along_y[:, None]
        rows, columns = np.nonzero(disc > 0)
        if not len(rows):
            return outline
        a_form = (shift.T @ form @ shift).astype(np.float32)
        b_form = (linear @ shift).astype(np.float32)
        x, y = du[columns], dv[rows]
        a = (a_form[0, 0] * x + 2 * a_form[0, 2]) * x + (a_form[1, 1] * y + 2 * a_form[1, 2]) * y + a_form[2, 2]
        a += 2 * a_form[0, 1] * x * y
        b = b_form[0] * x + b_form[1] * y + b_form[2]
        depth = (b - np.sqrt(disc.ravel().take(rows * (x1 - x0) + columns))) / a
        # One index a pixel: far cheaper than a row and a column.
        at = (rows + y0) * width + (columns + x0)
        in_front = depth < self.depth.ravel().take(at)
        covered = self.covered.reshape(-1)
        covered[at[~in_front]] = owner
        nearer = np.flatnonzero(in_front)
        if not len(nearer):
            return outline
        at, depth = at.take(nearer), depth.take(nearer)
        m32 = sphere_from_camera.astype(np.float32)
        u, v = x.take(nearer) + np.float32(u0), y.take(nearer) + np.float32(v0)
        q32 = q.astype(np.float32)
        points: Colours = np.empty((3, len(at)), np.float32)
        for k in range(3):
            points[k] = depth * (m32[k, 0] * u + m32[k, 1] * v + m32[k, 2]) - q32[k]
        colours, exists = shader(points)
        if exists is not None:
            kept = np.flatnonzero(exists)
            if not len(kept):
                return outline
            at, depth, points, colours = at.take(kept), depth.take(kept), points.take(kept, 1), colours.take(kept, 0)
        self.bgr.reshape(-1, 3)[at] = colours * self._lit(points, m32)[:, None]
        self.depth.reshape(-1)[at] = depth
        self.owner.reshape(-1)[at] = owner
        covered[at] = owner
        return outline

    def quad(self, corners: Floats, texture: NDArray[np.uint8], gain: float = 1.0) -> bool:
        """Draw a flat texture whose corners (top left, top right, bottom right, bottom left) are (4, 3) world points.

        Returns whether it was drawn: quads that reach behind the camera are not.
        """
        pixels, depth = self.camera.project(corners)
        width, height = self.camera.size_wh
        if depth.min() < NEAREST_M or np.abs(pixels).max() > 8000:
            return False
        x0, y0 = (max(0, math.floor(pixels[:, k].min())) for k in (0, 1))
        x1 = min(width, math.ceil(pixels[:, 0].max()) + 1)
        y1 = min(height, math.ceil(pixels[:, 1].max()) + 1)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return False
        local = (pixels - [x0, y0]).astype(np.float32)
        texture = self._shrunk(texture, local)
        h, w = texture.shape[:2]
        source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
        warp = cv2.getPerspectiveTransform(source, local)
        warped = cv2.warpPerspective(
            texture, warp, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        covered = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillConvexPoly(covered, np.round(local).astype(np.int32), 1)
        plane = np.linalg.lstsq(np.c_[local, np.ones(4)], 1 / depth, rcond=None)[0].astype(np.float32)
        inverse = plane[0] * np.arange(x1 - x0, dtype=np.float32)[None, :]
        inverse = inverse + (plane[1] * np.arange(y1 - y0, dtype=np.float32) + plane[2])[:, None]
        z = 1 / np.maximum(inverse, np.float32(1e-4))
        here = (slice(y0, y1), slice(x0, x1))
        mask = (covered > 0) & (z < self.depth[here])
        self.bgr[here][mask] = warped[mask] * np.float32(gain)
        self.depth[here][mask] = z[mask]
        self.owner[here][mask] = 0
        return True

    def floor_shade(self, centre: Floats, radius_m: float, strength: float) -> None:
        """Darken a soft disc of the floor, as the shadow of something that stands there."""
        ring = centre + radius_m * np.array([[-1.0, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]])
        pixels, depth = self.camera.project(ring)
        width, height = self.camera.size_wh
        if depth.min() < NEAREST_M or np.abs(pixels).max() > 8000:
            return
        x0, y0 = (max(0, math.floor(pixels[:, k].min())) for k in (0, 1))
        x1 = min(width, math.ceil(pixels[:, 0].max()) + 1)
        y1 = min(height, math.ceil(pixels[:, 1].max()) + 1)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        n = SOFT_DISC.shape[0]
        source = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32)
        warp = cv2.getPerspectiveTransform(source, (pixels - [x0, y0]).astype(np.float32))
        shade = cv2.warpPerspective(SOFT_DISC, warp, (x1 - x0, y1 - y0))
        down = self.camera.world_from_camera[1]
        rays = (
            down[2]
            + down[0] * ((np.arange(x0, x1) - self.camera.centre_px[0]) / self.camera.focal_px)[None, :]
            + down[1] * ((np.arange(y0, y1) - self.camera.centre_px[1]) / self.camera.focal_px)[:, None]
        )
        floor_depth = -self.camera.position[1] / np.maximum(rays, 1e-3)
        on_floor = np.abs(self.depth[y0:y1, x0:x1] - floor_depth) < 0.03 * floor_depth
        self.bgr[y0:y1, x0:x1] *= (1 - np.float32(strength) * shade * on_floor)[..., None].astype(np.float32)

    def outline(self, centre: Floats, axes: Floats, radii: Floats) -> Floats:
        """Return the (4,) outline box in pixels of an ellipsoid in front of the camera, not clipped."""
        camera = self.camera
        middle = (centre - camera.position) @ camera.world_from_camera
        return self._outline(middle, camera.world_from_camera.T @ axes, radii)

    def _outline(self, middle: Floats, turned: Floats, radii: Floats) -> Floats:
        """Return the exact box of an ellipsoid's silhouette (tangent planes through the camera's centre)."""
        dual = (turned * radii**2) @ turned.T - np.outer(middle, middle)
        sides = []
        for k in (0, 1):
            half = math.sqrt(max(0.0, dual[k, 2] ** 2 - dual[k, k] * dual[2, 2]))
            sides.append(sorted(((dual[k, 2] - half) / dual[2, 2], (dual[k, 2] + half) / dual[2, 2])))
        (left, right), (top, bottom) = sides
        f, (cx, cy) = self.camera.focal_px, self.camera.centre_px
        return np.array([left * f + cx, top * f + cy, right * f + cx, bottom * f + cy])

    def _lit(self, points: Colours, sphere_from_camera: Colours) -> Colours:
        """Return (K,) brightness of points of an ellipsoid from their normals."""
        normals = [
            sphere_from_camera[0, k] * points[0]
            + sphere_from_camera[1, k] * points[1]
            + sphere_from_camera[2, k] * points[2]
            for k in range(3)
        ]
        inverse = 1 / (np.sqrt(normals[0] ** 2 + normals[1] ** 2 + normals[2] ** 2) + np.float32(1e-6))
        lamp = self.light.towards_lamp.astype(np.float32)
        towards = (lamp[0] * normals[0] + lamp[1] * normals[1] + lamp[2] * normals[2]) * inverse
        lit = np.float32(self.light.ambient) + np.float32(self.light.diffuse) * np.maximum(towards, 0)
        rim = np.float32(0.8) + np.float32(0.2) * np.clip(-normals[2] * inverse, 0, 1)
        result: Colours = lit * rim
        return result

    @staticmethod
    def _shrunk(texture: NDArray[np.uint8], pixels: Colours) -> NDArray[np.uint8]:
        """Shrink a texture that is much finer than the pixels it will cover, so that it does not glitter."""
        across = max(np.hypot(*(pixels[1] - pixels[0])), np.hypot(*(pixels[2] - pixels[3])), 1.0)
        along = max(np.hypot(*(pixels[3] - pixels[0])), np.hypot(*(pixels[2] - pixels[1])), 1.0)
        h, w = texture.shape[:2]
        size = (max(1, min(w, int(across * 1.2))), max(1, min(h, int(along * 1.2))))
        if size[0] * 1.5 >= w and size[1] * 1.5 >= h:
            return texture
        return cv2.resize(texture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _soft_disc(size: int = 48) -> Colours:
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    return np.clip(1.15 - np.hypot(axis[None, :], axis[:, None]) * 1.25, 0, 1).astype(np.float32)


SOFT_DISC = _soft_disc()
