"""The named areas of one camera's picture: displays that it sees well enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.place import Display, Place

Floats = NDArray[np.float64]

_NAMES = {
    "shop": ("coffee", "cereal", "tea", "snacks", "drinks", "bread", "sweets", "offers", "juice", "pasta", "spices"),
    "queue": ("menu", "magazines", "sweets", "drinks", "offers", "notices", "snacks"),
    "office": ("whiteboard", "notices", "calendar", "plan", "books", "prints"),
    "corridor": ("poster", "map", "notices", "timetable", "picture", "adverts"),
}
_SCREENS = {"shop": "checkout", "queue": "checkout", "office": "monitor", "corridor": "screen"}

_SMALLEST_AREA = 0.012
_SMALLEST_SIDE = 0.07
_LEAST_VISIBLE = 0.6


@dataclass(frozen=True)
class Aoi:
    """A named convex polygon of the picture, and the display it is the image of."""

    name: str
    polygon: Floats
    """(K, 2) corners in fractions of the frame, within it."""
    display: Display

    def contains(self, point: Floats) -> bool:
        """Say whether a (2,) point in fractions of the frame lies inside or on the edge."""
        x, y = (float(v) for v in point)
        if not np.isfinite([x, y]).all():
            return False
        return cv2.pointPolygonTest((self.polygon * 1e4).astype(np.float32)[:, None], (x * 1e4, y * 1e4), False) >= 0


@dataclass(frozen=True)
class Framing:
    """What images of areas must be, in fractions of the frame."""

    smallest: float = _SMALLEST_AREA
    largest: float = 1.0
    """Share of the frame."""
    apart: float = 0.0
    """Least distance of two middles, in frame widths."""

    def suits(self, polygon: Floats, others: Sequence[Floats], aspect: float) -> bool:
        """Say whether a (K, 2) image has the right size and is far enough from others; `aspect` is height by width."""
        scale = np.array([1.0, aspect])
        gaps = [float(np.hypot(*((polygon.mean(axis=0) - other.mean(axis=0)) * scale))) for other in others]
        return self.smallest <= _area(polygon) <= self.largest and min(gaps, default=1.0) >= self.apart


ANY_FRAMING = Framing()


def choose_aois(place: Place, rng: np.random.Generator, most: int, framing: Framing = ANY_FRAMING) -> tuple[Aoi, ...]:
    """Name up to `most` displays that the camera sees large and nearly whole and whose images do not overlap."""
    candidates = []
    width, height = place.canvas.camera.size_wh
    for display in place.displays:
        polygon = image_of(place.canvas, display)
        if polygon is not None and visible_share(place.canvas, display) >= _LEAST_VISIBLE:
            candidates.append((_area(polygon), Aoi(display.name, polygon, display)))
    candidates.sort(key=lambda item: (-item[0], item[1].name))
    chosen: list[Aoi] = []
    for _, aoi in candidates:
        polygons = [other.polygon for other in chosen]
        if not framing.suits(aoi.polygon, polygons, height / width):
            continue
        if len(chosen) < most and all(_overlap(aoi.polygon, other) < 0.08 for other in polygons):
            chosen.append(aoi)
    names = list(_NAMES[place.kind])
    rng.shuffle(names)
    named: list[Aoi] = []
    for aoi in chosen:
        name = _SCREENS[place.kind] if aoi.name.startswith("screen") else names.pop()
        taken = sum(other.name.rstrip("0123456789-") == name for other in named)
        named.append(replace(aoi, name=f"{name}-{taken + 1}" if taken else name))
    return tuple(sorted(named, key=lambda aoi: aoi.name))


def visible_share(canvas: Canvas, display: Display) -> float:
    """Return the fraction of a display that the camera sees, furniture and the picture's edge considered."""
    across, down = np.meshgrid(np.linspace(0.06, 0.94, 9), np.linspace(0.06, 0.94, 7))
    spots = [display.at(float(a), float(d)) for a, d in zip(across.flat, down.flat, strict=True)]
    return sum(sees(canvas, spot) for spot in spots) / len(spots)


def sees(canvas: Canvas, point: Floats) -> bool:
    """Say whether the camera sees a (3,) world point, things within 8 cm in front of it forgiven."""
    pixel, depth = canvas.camera.project(point)
    width, height = canvas.camera.size_wh
    if not (depth > 0.3 and 0 <= pixel[0] < width and 0 <= pixel[1] < height):
        return False
    return bool(canvas.depth[int(pixel[1]), int(pixel[0])] > float(depth) * 0.985 - 0.08)


def image_of(canvas: Canvas, display: Display) -> Floats | None:
    """Return the (K, 2) image of a display within the frame, or None if it is too small to name."""
    pixels, depth = canvas.camera.project(display.corners)
    if depth.min() < 0.3:
        return None
    polygon = clip_to_frame(pixels / np.array(canvas.camera.size_wh, np.float64))
    if len(polygon) < 3 or _area(polygon) < _SMALLEST_AREA or np.ptp(polygon, axis=0).min() < _SMALLEST_SIDE:
        return None
    return polygon


def clip_to_frame(polygon: Floats) -> Floats:
    """Cut a convex (K, 2) polygon in fractions of the frame to the frame, edge by edge; may return no corners."""
    for axis in (0, 1):
        for sign, limit in ((1.0, 0.0), (-1.0, -1.0)):
            inside = polygon[:, axis] * sign >= limit
            kept = []
            for k in range(len(polygon)):
                here, there = polygon[k - 1], polygon[k]
                if inside[k] != inside[k - 1]:
                    share = (limit * sign - here[axis]) / (there[axis] - here[axis])
                    kept.append(here + (there - here) * share)
                if inside[k]:
                    kept.append(there)
            polygon = np.array(kept, np.float64).reshape(-1, 2)
    clipped: Floats = np.clip(polygon, 0.0, 1.0)
    return clipped


def _area(polygon: Floats) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _overlap(a: Floats, b: Floats) -> float:
    """Return the common area as a share of the smaller polygon."""
    common, _ = cv2.intersectConvexConvex((a * 1e3).astype(np.float32), (b * 1e3).astype(np.float32))
    return float(common) / 1e6 / max(1e-9, min(_area(a), _area(b)))
