"""Choose what people look at, then turn eyes, head and body to it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.figure import Figure, Target
from scenes.geometry import azimuth_elevation, unit
from scenes.looks import Looks
from scenes.place import Place
from scenes.pose import Pose, head_centre, sample_arms, sample_eye_turn, turned_head

Floats = NDArray[np.float64]

STEEPEST = 0.82
"""Largest vertical part of a gaze direction: nobody looks straight up or down."""

_SHARES = {
    "close": {"object": 0.22, "surface": 0.16, "person": 0.16, "camera": 0.20, "hand": 0.06, "elsewhere": 0.20},
    "far": {"object": 0.30, "surface": 0.22, "person": 0.14, "camera": 0.08, "hand": 0.09, "elsewhere": 0.17},
}


class TargetChooser:
    """Draws targets for heads of one place."""

    def __init__(self, place: Place, rng: np.random.Generator, *, close: bool) -> None:
        """Remember the place as it is without people."""
        self.place, self.rng = place, rng
        self.shares = _SHARES["close" if close else "far"]
        self.depth = place.canvas.depth.copy()

    def choose(self, head: Floats, others: list[tuple[int, Floats]]) -> Target:
        """Return something the head can see, not nearer than 25 cm; `others` are ids and heads of other people."""
        kinds = list(self.shares)
        for _ in range(40):
            kind = str(self.rng.choice(kinds, p=list(self.shares.values())))
            target = self._candidate(kind, head, others)
            if target is None:
                continue
            way = target.point - head
            length = float(np.linalg.norm(way))
            if length < 0.25 or abs(way[1] / length) > STEEPEST:
                continue
            if kind in ("object", "surface", "person") and not self.place.clear(head, target.point):
                continue
            return target
        return Target(head + np.array([0.6, 0.1, 2.0]), "elsewhere")

    def _candidate(self, kind: str, head: Floats, others: list[tuple[int, Floats]]) -> Target | None:
        rng, camera = self.rng, self.place.canvas.camera
        if kind == "object":
            if not self.place.things:
                return None
            return Target(self.place.things[int(rng.integers(len(self.place.things)))].point, kind)
        if kind == "surface":
            width, height = camera.size_wh
            u, v = rng.uniform(0, width), rng.uniform(0, height)
            point = camera.point_at((u, v), float(self.depth[int(v), int(u)]))
            on_floor = point[1] > -0.25
            return None if on_floor and rng.random() < 0.7 else Target(point, kind)
        if kind == "person":
            if not others:
                return None
            person_id, centre = others[int(rng.integers(len(others)))]
            return Target(centre + rng.normal(0, 0.02, 3), kind, f"person:{person_id}")
        if kind == "camera":
            return Target(camera.position + rng.normal(0, 0.05, 3), kind)
        around = rng.uniform(0, 2 * math.pi)
        if kind == "hand":
            ahead = np.array([math.sin(around) * 0.4, rng.uniform(0.3, 0.55), math.cos(around) * 0.4])
            return Target(head + ahead, kind)
        if rng.random() < 0.4:
            around = math.pi + rng.normal(0, 0.8)
        far = rng.uniform(1, 4)
        point = head + np.array([math.sin(around) * far, rng.normal(0.1, 0.5), math.cos(around) * far])
        return Target(point, kind)


def attentive_figure(
    rng: np.random.Generator, person_id: int, looks: Looks, ground: Floats, seated: bool, target: Target
) -> Figure:
    """Return a person whose eyes meet the target, the head nearly and the body roughly turned to it."""
    upright = head_centre(looks, ground, 0.0, 0.0, seated)
    gaze = unit(target.point - upright)
    eye_yaw, eye_pitch = sample_eye_turn(rng)
    roll = rng.normal(0, 7) if rng.random() < 0.85 else rng.normal(0, 22)
    azimuth, _ = azimuth_elevation(gaze)
    twist = float(np.clip(rng.normal(0, 28), -65, 65))
    body_yaw = azimuth - math.radians(eye_yaw) - math.radians(twist)
    lean = float(np.clip(rng.normal(0.03, 0.08), -0.05, 0.35))
    centre = head_centre(looks, ground, body_yaw, lean, seated)
    gaze = unit(target.point - centre)
    near = target.kind in ("object", "surface") and float(np.linalg.norm(target.point - centre)) < 1.5
    pose = Pose(
        ground=ground,
        body_yaw_rad=body_yaw,
        lean=lean,
        seated=seated,
        stride=float(rng.normal(0, 0.25)),
        arms=sample_arms(rng, reaching=0.4 if near else 0.1),
        arms_before=None,
        arms_share=1.0,
        head=turned_head(gaze, eye_yaw, eye_pitch, roll),
        gaze=gaze,
    )
    return Figure(person_id=person_id, looks=looks, pose=pose, target=target)
