"""Set out things that draw the eye where the camera sees them: packages, lit screens, posters, signs, plinths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import SOFT_DISC, plain
from scenes.colours import grey
from scenes.furniture import box
from scenes.geometry import looking_along, unit
from scenes.place import Block, Place
from scenes.prints import Bytes, contrasting, package_print, poster_print, screen_print, sign_print

Floats = NDArray[np.float64]

_DOWN = np.array([0.0, 1.0, 0.0])
_NEAREST_M, _FARTHEST_M = 1.2, 12.0
_LEAST_WIDTHS = 0.035
"""Least size in frame widths: what no network can see draws nobody's eye."""
_TRIES = 8


@dataclass(frozen=True)
class Exhibit:
    """A thing that stands out."""

    point: Floats
    """(3,) its middle."""
    normal: Floats | None
    """(3,) where its front faces; None if it looks alike from all sides."""
    half_m: float
    """Half of its shorter side."""


def set_out(
    place: Place, rng: np.random.Generator, count: int, *, avoid: Sequence[Floats] = (), standing: bool = True
) -> list[Exhibit]:
    """Draw exhibits on what the camera sees: on walls, shelves, tops of tables, the floor, in the air.

    Args:
        place: drawn on; what stands on the floor becomes one of its blocks.
        rng: source of all choices.
        count: how many at most.
        avoid: (K, 2) polygons in fractions of the frame in which none has its middle.
        standing: whether some may stand on the floor or hang from the ceiling.
    """
    made: list[Exhibit] = []
    for _ in range(count * _TRIES):
        if len(made) == count:
            break
        exhibit = _one(place, rng, avoid, standing=standing)
        if exhibit is not None:
            made.append(exhibit)
    return made


def carrier(place: Place, point: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Return right, down and normal of the upright surface that a point lies on; None on a floor or nowhere."""
    for display in place.displays:
        offset = point - display.corners[0]
        right, down = display.corners[1] - display.corners[0], display.corners[3] - display.corners[0]
        across, low = float(offset @ right) / float(right @ right), float(offset @ down) / float(down @ down)
        if abs(float(offset @ display.normal)) < 0.05 and 0.04 < across < 0.96 and 0.04 < low < 0.92:
            return unit(right), unit(down), display.normal
    room = place.room
    gaps = (room.back - point[2], point[0] - room.left, room.right - point[0])
    normals = ((0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0))
    for gap, normal in zip(gaps, normals, strict=True):
        if abs(float(gap)) < 0.05 and -2.4 < point[1] < -0.5:
            axes = looking_along(-np.array(normal))
            return axes[:, 0], axes[:, 1], np.array(normal)
    return None


def _one(place: Place, rng: np.random.Generator, avoid: Sequence[Floats], *, standing: bool) -> Exhibit | None:
    camera = place.canvas.camera
    width, height = camera.size_wh
    across, low = rng.uniform(0.04, 0.96), rng.uniform(0.06, 0.94)
    if any(_within(across, low, polygon) for polygon in avoid):
        return None
    u, v = across * width, low * height
    depth = float(place.canvas.depth[int(v), int(u)])
    if not _NEAREST_M < depth < _FARTHEST_M:
        return None
    point = camera.point_at((u, v), depth)
    least = _LEAST_WIDTHS * width * depth / camera.focal_px
    if standing and rng.random() < 0.15:
        return _hung(place, rng, (u, v), depth)
    axes = carrier(place, point)
    if axes is not None:
        return _flat(place, rng, point, axes, least)
    if point[1] > -0.05:
        return _on_floor(place, rng, point, least) if standing else None
    top = next((block for block in place.blocks if block.holds(float(point[0]), float(point[2]), 0.0)), None)
    if top is not None and abs(top.height + float(point[1])) < 0.05:
        size = max(rng.uniform(0.12, 0.3), least)
        return _package(place, rng, Block(float(point[0]), float(point[2]), size / 2, size / 3, top.height), size)
    return None


_ON_SHELF = [0.72, 0.10, 0.05, 0.13]
_ON_WALL = [0.05, 0.35, 0.42, 0.18]
"""Shares of packages, screens, posters and signs."""


def _flat(
    place: Place, rng: np.random.Generator, point: Floats, axes: tuple[Floats, Floats, Floats], least: float
) -> Exhibit | None:
    """Hang a package, a screen, a poster or a sign on an upright surface."""
    right, down, normal = axes
    on_shelf = any(abs(float((point - display.corners[0]) @ display.normal)) < 0.05 for display in place.displays)
    kind = str(rng.choice(["package", "screen", "poster", "sign"], p=_ON_SHELF if on_shelf else _ON_WALL))
    small, large, aspects = {
        "package": (0.18, 0.5, (0.5, 1.4)),
        "screen": (0.3, 1.0, (1.3, 1.8)),
        "poster": (0.4, 1.1, (0.55, 1.5)),
        "sign": (0.25, 0.7, (0.7, 3.0)),
    }[kind]
    h, aspect = max(rng.uniform(small, large), least), rng.uniform(*aspects)
    middle = point + normal * rng.uniform(0.03, 0.06)
    around = _colour_around(place, point)
    if on_shelf:
        # It stands out the better the plainer what lies around it: a dark or pale backing.
        backing = np.full((8, 8, 3), np.clip(contrasting(rng, around), 0, 255), np.uint8)
        if rng.random() < 0.4:
            place.canvas.quad(_rectangle(middle - normal * 0.012, right, down, 1.25 * h * aspect, 1.25 * h), backing)
            around = backing[0, 0].astype(np.float32)
    gain = rng.uniform(1.1, 1.45) if kind == "screen" else rng.uniform(0.85, 1.15)
    corners = _rectangle(middle, right, down, h * aspect, h)
    if float((place.canvas.camera.position - middle) @ normal) < 0.1:
        return None
    if not place.canvas.quad(corners, _print(rng, kind, around, aspect), gain):
        return None
    return Exhibit(middle, normal, h * min(1.0, aspect) / 2)


def _hung(place: Place, rng: np.random.Generator, pixel: tuple[float, float], depth: float) -> Exhibit | None:
    """Hang a sign or a screen in the air, above heads, facing roughly the camera."""
    near = depth * rng.uniform(0.45, 0.9)
    camera = place.canvas.camera
    middle = camera.point_at(pixel, near)
    if not place.room.top + 0.2 < middle[1] < -1.75 or near < _NEAREST_M:
        return None
    back = middle - camera.position
    back[1] = 0.0
    axes = looking_along(unit(back) + 0.35 * np.array([rng.normal(), 0.0, rng.normal()]))
    kind = "screen" if rng.random() < 0.35 else "sign"
    h, aspect = max(rng.uniform(0.2, 0.5), _LEAST_WIDTHS * camera.size_wh[0] * near / camera.focal_px), 1.6
    corners = _rectangle(middle, axes[:, 0], axes[:, 1], h * aspect, h)
    if not place.canvas.quad(corners, _print(rng, kind, _colour_around(place, middle), aspect), rng.uniform(0.9, 1.3)):
        return None
    return Exhibit(middle, -axes[:, 2], h / 2)


def _on_floor(place: Place, rng: np.random.Generator, point: Floats, least: float) -> Exhibit | None:
    """Stand a sign, a screen on a column or a plinth with a product on the floor."""
    x, z = float(point[0]), float(point[2])
    if not place.free(x, z, 0.4):
        return None
    half = rng.uniform(0.16, 0.32)
    yaw = rng.normal(0, 0.5)
    if rng.random() < 0.5:
        plinth = Block(x, z, half, half, rng.uniform(0.35, 1.0), yaw)
        place.blocks.append(plinth)
        box(place.canvas, plinth, 0.0, plinth.height, _sheet_of(grey(rng, 60, 255)), rng)
        size = max(rng.uniform(0.2, 0.45), least)
        return _package(place, rng, Block(x, z, size / 2, size / 3, plinth.height, yaw), size)
    low, h = rng.uniform(0.0, 0.9), max(rng.uniform(0.45, 0.9), least)
    aspect = rng.uniform(0.55, 1.3)
    stand = Block(x, z, 0.5 * h * aspect, 0.06, low + h, yaw)
    middle = stand.point(0, -0.06, low + h / 2)
    normal = unit(stand.point(0, -1, 0) - stand.point(0, 0, 0))
    if float((place.canvas.camera.position - middle) @ normal) < 0.1:
        return None
    place.blocks.append(stand)
    if low > 0.1:
        foot = stand.point(0, 0.02, low / 2)
        place.canvas.ellipsoid(foot, np.eye(3), np.array([0.04, low / 2 + 0.03, 0.04]), plain(grey(rng, 20, 180)))
    right = unit(stand.point(1, 0, 0) - stand.point(0, 0, 0))
    kind = str(rng.choice(["sign", "poster", "screen"]))
    around = _colour_around(place, middle)
    gain = rng.uniform(1.1, 1.4) if kind == "screen" else rng.uniform(0.85, 1.1)
    corners = _rectangle(middle, right, _DOWN, h * aspect, h)
    drawn = place.canvas.quad(corners, _print(rng, kind, around, aspect), gain)
    return Exhibit(middle, normal, h * min(1.0, aspect) / 2) if drawn else None


def _package(place: Place, rng: np.random.Generator, foot: Block, height: float) -> Exhibit:
    """Stand one product on something, at times lit from above."""
    middle = np.array([foot.x, -foot.height - height / 2, foot.z])
    around = _colour_around(place, middle)
    main = contrasting(rng, around)
    if rng.random() < 0.5:
        _lit(place, middle, 2.2 * height, rng.uniform(0.2, 0.6))
    if rng.random() < 0.35:
        radii = np.array([0.55 * foot.half_x + 0.05, height / 2, 0.55 * foot.half_x + 0.05])
        place.canvas.ellipsoid(middle, np.eye(3), radii, plain(main))
        cap = middle - np.array([0.0, height * 0.5, 0.0])
        place.canvas.ellipsoid(cap, np.eye(3), radii * [0.4, 0.25, 0.4], plain(contrasting(rng, main)))
    else:
        sheet = package_print(rng, main, 2 * foot.half_x / height)
        box(place.canvas, foot, foot.height, foot.height + height, sheet, rng)
    return Exhibit(middle, None, height / 2)


def _print(rng: np.random.Generator, kind: str, around: NDArray[np.float32], aspect: float) -> Bytes:
    if kind == "screen":
        return screen_print(rng, aspect)
    maker = {"package": package_print, "poster": poster_print, "sign": sign_print}[kind]
    return maker(rng, contrasting(rng, around), aspect)


def _rectangle(middle: Floats, right: Floats, down: Floats, width: float, height: float) -> Floats:
    """Return the (4, 3) corners of an upright rectangle: top left, top right, bottom right, bottom left."""
    across, low = right * width / 2, down * height / 2
    return np.stack([middle - across - low, middle + across - low, middle + across + low, middle - across + low])


def _colour_around(place: Place, point: Floats) -> NDArray[np.float32]:
    """Return the (3,) mean colour of the picture about a point."""
    canvas = place.canvas
    pixel, depth = canvas.camera.project(point)
    reach = max(3, int(0.3 * canvas.camera.focal_px / max(float(depth), 0.5)))
    x, y = (int(np.clip(pixel[k], 0, canvas.camera.size_wh[k] - 1)) for k in (0, 1))
    near = canvas.bgr[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    return np.asarray(near.mean(axis=(0, 1)), np.float32)


def _lit(place: Place, point: Floats, radius_m: float, strength: float) -> None:
    """Brighten a soft disc of the picture, as a spotlight does."""
    canvas = place.canvas
    pixel, depth = canvas.camera.project(point)
    reach = int(radius_m * canvas.camera.focal_px / max(float(depth), 0.5))
    x, y = int(pixel[0]), int(pixel[1])
    width, height = canvas.camera.size_wh
    x0, x1, y0, y1 = max(0, x - reach), min(width, x + reach), max(0, y - reach), min(height, y + reach)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    disc = cv2.resize(SOFT_DISC, (2 * reach, 2 * reach))[
        y0 - y + reach : y1 - y + reach, x0 - x + reach : x1 - x + reach
    ]
    canvas.bgr[y0:y1, x0:x1] *= (1 + np.float32(strength) * disc)[..., None]


def _within(x: float, y: float, polygon: Floats) -> bool:
    """Say whether a point lies in a polygon or 4 % of the frame beside it."""
    return cv2.pointPolygonTest((polygon * 1e3).astype(np.float32)[:, None], (x * 1e3, y * 1e3), True) >= -40


def _sheet_of(colour: NDArray[np.float32]) -> Bytes:
    return np.full((16, 16, 3), np.clip(colour, 0, 255), np.uint8)
