"""A furnished room: what stands in it, what can be looked at, where one can walk."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.geometry import cross, unit
from scenes.room import Room

Floats = NDArray[np.float64]

KINDS = ("shop", "office", "corridor", "queue")


@dataclass(frozen=True)
class Block:
    """An upright box on the floor that hides things and cannot be walked through."""

    x: float
    z: float
    half_x: float
    half_z: float
    height: float
    yaw: float = 0.0

    def point(self, along: float, deep: float, up: float) -> Floats:
        """Return the (3,) world point at an offset from the foot's centre, in the block's own axes."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        return np.array([self.x + cos * along + sin * deep, -up, self.z - sin * along + cos * deep])

    def local(self, point: Floats) -> Floats:
        """Return (3,) along, up, deep of a world point; undoes `point`."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        dx, dz = point[0] - self.x, point[2] - self.z
        return np.array([cos * dx - sin * dz, -point[1], sin * dx + cos * dz])

    def holds(self, x: float, z: float, margin: float) -> bool:
        """Say whether a spot of the floor lies within the footprint widened by a margin."""
        along, _, deep = self.local(np.array([x, 0.0, z]))
        return bool(abs(along) < self.half_x + margin and abs(deep) < self.half_z + margin)

    def cuts(self, start: Floats, end: Floats) -> bool:
        """Say whether the line between two points passes through the block, its skin of 3 cm apart."""
        a, b = self.local(start), self.local(end)
        step = b - a
        low = np.array([-self.half_x + 0.03, 0.0, -self.half_z + 0.03])
        high = np.array([self.half_x - 0.03, self.height - 0.03, self.half_z - 0.03])
        step = np.where(np.abs(step) < 1e-9, 1e-9, step)
        first, second = (low - a) / step, (high - a) / step
        enter = float(np.minimum(first, second).max())
        leave = float(np.maximum(first, second).min())
        return enter < leave and leave > 0 and enter < 1


@dataclass(frozen=True)
class Display:
    """A named rectangle that people look at: a stretch of shelf, a screen, a poster."""

    name: str
    corners: Floats
    """(4, 3) world points: top left, top right, bottom right, bottom left as seen from its front."""

    def at(self, across: float, down: float) -> Floats:
        """Return the (3,) point at fractions of the rectangle."""
        top = self.corners[0] + (self.corners[1] - self.corners[0]) * across
        bottom = self.corners[3] + (self.corners[2] - self.corners[3]) * across
        point: Floats = top + (bottom - top) * down
        return point

    @property
    def normal(self) -> Floats:
        """Return the (3,) unit vector that leaves its front."""
        return unit(cross(self.corners[3] - self.corners[0], self.corners[1] - self.corners[0]))

    @property
    def lies(self) -> bool:
        """Say whether it is the top of something rather than upright."""
        return float(self.normal[1]) < -0.7


@dataclass(frozen=True)
class Thing:
    """A single product or object that stands out."""

    point: Floats
    """(3,) centre."""


@dataclass
class Place:
    """A room with its furniture drawn on a canvas."""

    kind: str
    room: Room
    canvas: Canvas
    blocks: list[Block] = field(default_factory=list)
    displays: list[Display] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)

    def free(self, x: float, z: float, margin: float = 0.25) -> bool:
        """Say whether a person can stand at a spot of the floor."""
        room = self.room
        inside = room.left + margin < x < room.right - margin and z < room.back - margin
        return inside and not any(block.holds(x, z, margin) for block in self.blocks)

    def clear(self, start: Floats, end: Floats) -> bool:
        """Say whether one point can be seen from another, people disregarded."""
        return not any(block.cuts(start, end) for block in self.blocks)


def open_spot(place: Place, rng: np.random.Generator) -> tuple[float, float]:
    """Return x and z of a spot of the floor within the picture's width, free or not."""
    camera = place.canvas.camera
    u = rng.uniform(0.0, 1.0) * camera.size_wh[0]
    ray = camera.world_from_camera @ np.array([(u - camera.centre_px[0]) / camera.focal_px, 0.0, 1.0])
    far = math.exp(rng.uniform(math.log(1.6), math.log(max(2.0, place.room.back))))
    azimuth = math.atan2(float(ray[0]), float(ray[2]))
    return math.sin(azimuth) * far, math.cos(azimuth) * far
