"""Choose what people look at where things stand out: mostly those, and what they hold in their hands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenes.attention import STEEPEST, attentive_figure
from scenes.exhibits import Exhibit, set_out
from scenes.figure import Figure, Target
from scenes.furniture import box
from scenes.geometry import direction, unit
from scenes.held import gripping_arms, sample_held
from scenes.looks import Looks
from scenes.place import Block, Place
from scenes.pose import Pose, body_point, head_centre, sample_eye_turn, turned_head
from scenes.prints import contrasting

Floats = NDArray[np.float64]

SALIENT_SHARE = 0.7
"""How many scenes of a style with salient things show any."""
_SHARES = {
    "close": {"exhibit": 0.27, "held": 0.24, "person": 0.18, "display": 0.06, "camera": 0.18, "elsewhere": 0.07},
    "far": {"exhibit": 0.47, "held": 0.20, "person": 0.15, "display": 0.07, "camera": 0.06, "elsewhere": 0.05},
}
_EXHIBITS = {"close": (1, 5), "far": (3, 10)}
_LOOKS_BACK = 0.45
_SAME_THING = 0.2
"""How likely people look back at one another, and at what somebody else looks at."""
_IDLE_HANDS = 0.12
"""How many who look at other things hold something."""


class Onlooker(Protocol):
    """A person who has a spot but nothing to look at yet."""

    @property
    def looks(self) -> Looks:
        """Return what it looks like."""

    @property
    def ground(self) -> Floats:
        """Return the (3,) point between the feet."""

    @property
    def seated(self) -> bool:
        """Say whether it sits."""

    @property
    def head(self) -> Floats:
        """Return the (3,) middle of the skull."""


class InterestChooser:
    """Gives the people of one place targets that stand out; some that stand out nobody looks at."""

    def __init__(self, place: Place, rng: np.random.Generator, people: Sequence[Onlooker], *, close: bool) -> None:
        """Remember who is there, and what the place shows."""
        self.place, self.rng, self.people = place, rng, people
        self.view = "close" if close else "far"
        self.exhibits: list[Exhibit] = []
        self.targets: dict[int, Target] = {}

    def figures(self) -> list[Figure]:
        """Set out what stands out and return the people, numbered from 1, who look at it."""
        self.exhibits = set_out(self.place, self.rng, int(self.rng.integers(*_EXHIBITS[self.view])))
        self.exhibits += [self._basket(person) for person in self.people if self.rng.random() < 0.08]
        return [self._figure(row) for row in range(len(self.people))]

    def _figure(self, row: int) -> Figure:
        rng, person = self.rng, self.people[row]
        shares = _SHARES[self.view]
        for _ in range(30):
            kind = str(rng.choice(list(shares), p=list(shares.values())))
            if kind == "held":
                figure = self._holding(row)
            else:
                target = self._target(kind, row)
                if target is None or not self._sensible(person.head, target):
                    continue
                figure = attentive_figure(rng, row + 1, person.looks, person.ground, person.seated, target)
                figure = self._with_hands_full(figure) if rng.random() < _IDLE_HANDS else figure
            self.targets[row] = figure.target
            return figure
        far = Target(person.head + np.array([0.6, 0.1, 2.0]), "elsewhere")
        return attentive_figure(rng, row + 1, person.looks, person.ground, person.seated, far)

    def _target(self, kind: str, row: int) -> Target | None:
        rng, place, head = self.rng, self.place, self.people[row].head
        if kind == "exhibit":
            seen = [target for target in self.targets.values() if target.kind == "object"]
            if seen and rng.random() < _SAME_THING:
                return seen[int(rng.integers(len(seen)))]
            return self._exhibit(head)
        if kind == "person":
            return self._person(row)
        if kind == "display":
            if not place.displays:
                return None
            display = place.displays[int(rng.integers(len(place.displays)))]
            point = display.at(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.85))
            return Target(point, "surface") if float(display.normal @ (head - point)) > 0.3 else None
        if kind == "camera":
            return Target(place.canvas.camera.position + rng.normal(0, 0.05, 3), kind)
        around = rng.uniform(-math.pi, math.pi)
        far = rng.uniform(1, 4)
        point = head + np.array([math.sin(around) * far, rng.normal(0.1, 0.4), math.cos(around) * far])
        return Target(point, "elsewhere")

    def _exhibit(self, head: Floats) -> Target | None:
        """Return one that shows the head its front, nearer ones rather than farther ones."""
        offered, weights = [], []
        for exhibit in self.exhibits:
            way = head - exhibit.point
            length = float(np.linalg.norm(way))
            if exhibit.normal is None or float(exhibit.normal @ way) > 0.2 * length:
                offered.append(exhibit)
                weights.append(1 / (1 + length))
        if not offered:
            return None
        chosen = offered[int(self.rng.choice(len(offered), p=np.array(weights) / sum(weights)))]
        spread = np.clip(self.rng.normal(0, 0.3, 3), -0.6, 0.6) * chosen.half_m
        if chosen.normal is not None:
            spread = spread - chosen.normal * float(spread @ chosen.normal)
        return Target(chosen.point + spread, "object")

    def _person(self, row: int) -> Target | None:
        others = [other for other in range(len(self.people)) if other != row]
        if not others:
            return None
        callers = [other for other in others if self._name(self.targets.get(other)) == row]
        pick = (
            callers[0] if callers and self.rng.random() < _LOOKS_BACK else others[int(self.rng.integers(len(others)))]
        )
        return Target(self.people[pick].head + self.rng.normal(0, 0.02, 3), "person", f"person:{pick + 1}")

    @staticmethod
    def _name(target: Target | None) -> int:
        """Return the row of the person whom a target is, or -1."""
        return int(target.name.removeprefix("person:")) - 1 if target is not None and target.kind == "person" else -1

    def _sensible(self, head: Floats, target: Target) -> bool:
        way = target.point - head
        length = float(np.linalg.norm(way))
        hidden = target.kind in ("object", "surface", "person") and not self.place.clear(head, target.point)
        return length > 0.25 and abs(float(way[1])) < STEEPEST * length and not hidden

    def _basket(self, person: Onlooker) -> Exhibit:
        """Put a basket full of things down a step from somebody's feet."""
        rng = self.rng
        turn = rng.uniform(-math.pi, math.pi)
        at = person.ground + rng.uniform(0.75, 1.0) * direction(turn, 0.0)
        crate = Block(
            float(at[0]), float(at[2]), rng.uniform(0.16, 0.26), rng.uniform(0.14, 0.2), rng.uniform(0.2, 0.6), turn
        )
        colour = contrasting(rng, np.full(3, 120, np.float32))
        box(self.place.canvas, crate, 0.0, crate.height, np.full((8, 8, 3), np.clip(colour, 0, 255), np.uint8), rng)
        return Exhibit(at - np.array([0.0, crate.height, 0.0]), None, 0.15)

    def _holding(self, row: int) -> Figure:
        """Return a person who looks at what it holds in one hand or in both, more often seen from the front."""
        rng, person = self.rng, self.people[row]
        towards = self.place.canvas.camera.position - person.ground
        facing = math.atan2(float(towards[0]), float(towards[2]))
        yaw = facing + rng.normal(0, 1.0) if rng.random() < 0.7 else rng.uniform(-math.pi, math.pi)
        held = sample_held(rng, person.looks.top.colour)
        lean = float(np.clip(rng.normal(0.05, 0.06), -0.03, 0.25))
        centre = head_centre(person.looks, person.ground, yaw, lean, person.seated)
        eye_yaw, eye_pitch = sample_eye_turn(rng)
        pose = Pose(
            ground=person.ground,
            body_yaw_rad=yaw,
            lean=lean,
            seated=person.seated,
            stride=float(rng.normal(0, 0.15)),
            arms=gripping_arms(rng),
            arms_before=None,
            arms_share=1.0,
            head=np.eye(3),
            gaze=np.array([0.0, 0.0, 1.0]),
        )
        grip = grip_before(rng, person.looks, pose, centre)
        gaze = unit(grip - centre)
        turned = turned_head(gaze, eye_yaw, eye_pitch, rng.normal(0, 6))
        return Figure(
            row + 1, person.looks, replace(pose, head=turned, gaze=gaze, grip=grip), Target(grip, "hand"), held
        )

    def _with_hands_full(self, figure: Figure) -> Figure:
        """Return a person who also holds something, without heeding it."""
        rng = self.rng
        pose = replace(figure.pose, arms=gripping_arms(rng))
        grip = body_point(figure.looks, pose, rng.uniform(-0.2, 0.2), rng.uniform(0.95, 1.2), rng.uniform(0.25, 0.35))
        return replace(figure, pose=replace(pose, grip=grip), held=sample_held(rng, figure.looks.top.colour))


def grip_before(rng: np.random.Generator, looks: Looks, pose: Pose, centre: Floats) -> Floats:
    """Return a (3,) point before the chest that hands can reach and that the head can look down at."""
    for _ in range(20):
        grip = body_point(looks, pose, rng.uniform(-0.16, 0.16), rng.uniform(1.1, 1.42), rng.uniform(0.3, 0.46))
        way = grip - centre
        if abs(float(way[1])) < 0.95 * STEEPEST * float(np.linalg.norm(way)):
            return grip
    return body_point(looks, pose, 0.0, 1.4, 0.4)
