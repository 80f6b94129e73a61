"""Fill the time of one person of a clip with looks, from entrance to exit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.actor import Actor, Look
from scenes.aois import Aoi, sees
from scenes.attention import STEEPEST
from scenes.geometry import azimuth_elevation
from scenes.habits import PLAIN_HABITS, Habits
from scenes.held import Held, gripping_arms, sample_held
from scenes.looks import Looks
from scenes.place import Place, Thing
from scenes.pose import head_centre, sample_arms, sample_eye_turn
from scenes.route import Route

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A person with a route, before the looks are chosen."""

    person_id: int
    looks: Looks
    seated: bool
    route: Route
    enters_s: float
    leaves_s: float
    stops: tuple[tuple[float, float, Aoi | None], ...]
    """Start, end and display of each stop."""


@dataclass(frozen=True)
class _Aim:
    """A thing that could be looked at."""

    kind: str
    name: str
    point: Callable[[float], Floats]
    held: Held | None = None


class PlanWriter:
    """Fills one person's time with looks."""

    def __init__(
        self,
        place: Place,
        aois: tuple[Aoi, ...],
        rng: np.random.Generator,
        parts: list[Part],
        part: Part,
        habits: Habits = PLAIN_HABITS,
    ) -> None:
        """Remember the place, everybody's part and whose part this is."""
        self.place, self.aois, self.rng, self.part, self.habits = place, aois, rng, part, habits
        self.others = [other for other in parts if other is not part]
        self.depth = place.canvas.depth

    def actor(self) -> Actor:
        """Return the person with a plan from entrance to exit."""
        part, rng = self.part, self.rng
        plan: list[Look] = []
        now, busy = part.enters_s, 0
        while now < part.leaves_s + 0.5:
            stop = next((stop for stop in part.stops if stop[0] <= now + 0.3 < stop[1]), None)
            length = rng.uniform(0.5, 3.0) if stop is not None else rng.uniform(0.5, 1.5)
            if rng.random() < 0.15:
                length = rng.uniform(0.25, 0.6)
            first = stop is not None and (not plan or plan[-1].end_s < stop[0] + 0.3)
            kind, aim = self._choose(now, stop, plan[-1] if plan else None, first=first)
            if self.habits.lengths_s:
                length = self.habits.length_s(rng, kind)
            shift = self._shift_s(plan[-1], aim, now) if plan else 0.0
            eye_yaw, eye_pitch = sample_eye_turn(rng)
            near = stop is not None and aim.name != "" and not aim.name.startswith("person")
            kept = bool(plan) and busy % 2 == 1 and plan[-1].held is None
            arms = plan[-1].arms if kept else sample_arms(rng, reaching=0.3 if near else 0.0)
            if aim.held is not None:
                arms = gripping_arms(rng)
            busy += 1
            plan.append(
                Look(
                    start_s=now + shift,
                    end_s=now + shift + length,
                    kind=aim.kind,
                    name=aim.name,
                    point=aim.point,
                    eye_yaw_deg=eye_yaw,
                    eye_pitch_deg=eye_pitch,
                    roll_deg=float(rng.normal(0, 5)),
                    twist_rad=math.radians(float(np.clip(rng.normal(0, 20 if aim.held is None else 8), -45, 45))),
                    arms=arms if stop is not None or aim.held is not None else ("hang", "hang"),
                    held=aim.held,
                )
            )
            now += shift + length
        return Actor(
            person_id=part.person_id,
            looks=part.looks,
            seated=part.seated,
            lean=float(np.clip(rng.normal(0.03, 0.04), -0.03, 0.14)),
            route=part.route,
            plan=tuple(plan),
            enters_s=part.enters_s,
            leaves_s=part.leaves_s,
        )

    def _head(self, at_s: float, part: Part | None = None) -> Floats:
        part = self.part if part is None else part
        return head_centre(part.looks, part.route.position(at_s), 0.0, 0.0, part.seated)

    def _shift_s(self, old: Look, aim: _Aim, now: float) -> float:
        """Return how long the gaze takes to the next target: longer the wider the turn."""
        head = self._head(now)
        a, b = old.point(now) - head, aim.point(now) - head
        cosine = float(a @ b) / (float(np.linalg.norm(a)) * float(np.linalg.norm(b)) + 1e-9)
        return 0.12 + 0.26 * math.acos(min(1.0, max(-1.0, cosine))) / (math.pi / 2)

    def _choose(
        self, now: float, stop: tuple[float, float, Aoi | None] | None, before: Look | None, *, first: bool
    ) -> tuple[str, _Aim]:
        """Return something that can be seen at the moment and, on the way, lies ahead, and what it was drawn as."""
        shares = self.habits.walking if stop is None else self.habits.at_stop
        for _ in range(40):
            kind = str(self.rng.choice(list(shares), p=list(shares.values())))
            aoi = stop[2] if stop is not None and (first or self.rng.random() < self.habits.faithful) else None
            if first and aoi is not None and self.rng.random() < 0.85:
                kind = "aoi"
            held = kind == "hand" and self.habits.holds
            aim = self._in_hand(now, before) if held else self._aim(kind, now, aoi)
            if aim is not None and self._sensible(aim, now, walking=stop is None):
                return kind, aim
        return "elsewhere", self._ahead(now)

    def _in_hand(self, now: float, before: Look | None) -> _Aim | None:
        """Return a product just taken from a display, or a telephone, held where the person faces."""
        rng, head = self.rng, self._head(now)
        if before is None or before.held is not None:
            return None
        taken = any(aoi.name == before.name for aoi in self.aois)
        if not taken and rng.random() < 0.6:
            return None
        turn = azimuth_elevation(before.point(now) - head)[0] + rng.normal(0, 1.0)
        velocity = self.part.route.velocity(now + 0.3)
        if float(np.hypot(*velocity)) > 0.2:
            turn = math.atan2(float(velocity[0]), float(velocity[1]))
        far = rng.uniform(0.33, 0.43)
        offset = np.array([far * math.sin(turn), rng.uniform(0.24, 0.40), far * math.cos(turn)])
        held = sample_held(rng, self.part.looks.top.colour, None if taken else "phone")
        return _Aim("hand", "", lambda at_s: self._head(at_s) + offset, held)

    def _ahead(self, now: float) -> _Aim:
        """Return a point three metres ahead, below eye level."""
        velocity = self.part.route.velocity(now + 0.2)
        speed = float(np.hypot(*velocity))
        angle = math.atan2(*velocity) if speed > 0.1 else self.rng.uniform(-math.pi, math.pi)
        angle += self.rng.normal(0, 0.3)
        fixed = self._head(now + 0.5) + 4.0 * np.array([math.sin(angle), self.rng.uniform(0, 0.2), math.cos(angle)])
        return _Aim("elsewhere", "", _still(fixed))

    def _aim(self, kind: str, now: float, preferred: Aoi | None) -> _Aim | None:
        rng, place = self.rng, self.place
        head = self._head(now)
        if kind == "aoi":
            if not self.aois:
                return None
            aoi = preferred or self.aois[int(rng.integers(len(self.aois)))]
            return self._spot_of(aoi)
        if kind == "surface":
            width, height = place.canvas.camera.size_wh
            u, v = rng.uniform(0, width), rng.uniform(0, height)
            if any(aoi.contains(np.array([u / width, v / height])) for aoi in self.aois):
                return None
            fixed = place.canvas.camera.point_at((u, v), float(self.depth[int(v), int(u)]))
            return _Aim(kind, "", _still(fixed))
        if kind == "person":
            seen = [other for other in self.others if other.enters_s <= now and now + 1 < other.leaves_s]
            if not seen:
                return None
            other = seen[int(rng.integers(len(seen)))]
            return _Aim(kind, f"person:{other.person_id}", lambda at_s: self._head(at_s, other))
        if kind == "camera":
            return _Aim(kind, "", _still(place.canvas.camera.position))
        if kind == "hand":
            angle, low = rng.uniform(-math.pi, math.pi), rng.uniform(0.32, 0.5)
            offset = np.array([0.4 * math.sin(angle), low, 0.4 * math.cos(angle)])
            return _Aim(kind, "", lambda at_s: self._head(at_s) + offset)
        if kind == "thing":
            return self._thing()
        # Often to this side of the camera's place, outside the picture.
        towards = rng.random() < 0.5
        angle = math.pi + rng.normal(0, 0.8) if towards else rng.uniform(-math.pi, math.pi)
        far = rng.uniform(1.5, 5)
        fixed = head + np.array([far * math.sin(angle), rng.normal(0.1, 0.4), far * math.cos(angle)])
        return _Aim("elsewhere", "", _still(fixed))

    def _spot_of(self, aoi: Aoi) -> _Aim | None:
        """Return a product on a display or, as often, a bare spot of it; both well inside its image."""
        rng, canvas = self.rng, self.place.canvas
        things = [thing for thing in self.place.things if _lies_on(thing, aoi)]
        if things and rng.random() < self.habits.at_products:
            kind, fixed = "object", things[int(rng.integers(len(things)))].point
        else:
            kind, fixed = "surface", aoi.display.at(rng.uniform(0.12, 0.88), rng.uniform(0.12, 0.85))
        pixel, _ = canvas.camera.project(fixed)
        inside = aoi.contains(pixel / np.array(canvas.camera.size_wh, np.float64))
        return _Aim(kind, aoi.name, _still(fixed)) if inside and sees(canvas, fixed) else None

    def _ambiguous(self, aim: _Aim, point: Floats) -> bool:
        """Say whether, in the picture, a look at the hand or at nothing could be one at an area."""
        return self.habits.over_areas < 1 and aim.kind in ("hand", "elsewhere") and self._over_area(point)

    def _over_area(self, point: Floats) -> bool:
        """Say whether a (3,) point is seen in front of an area or behind it."""
        pixel, _ = self.place.canvas.camera.project(point)
        spot = pixel / np.array(self.place.canvas.camera.size_wh, np.float64)
        return any(aoi.contains(spot) for aoi in self.aois)

    def _thing(self) -> _Aim | None:
        """Return something that stands out and is in the picture outside all areas."""
        if not self.place.things:
            return None
        fixed = self.place.things[int(self.rng.integers(len(self.place.things)))].point
        seen = not self._over_area(fixed) and sees(self.place.canvas, fixed)
        return _Aim("object", "", _still(fixed)) if seen else None

    def _sensible(self, aim: _Aim, now: float, *, walking: bool) -> bool:
        """Say whether a target is neither too near, too steep, behind furniture, behind a display nor the walker."""
        for at_s in (now + 0.2, now + 1.0):
            head, point = self._head(at_s), aim.point(at_s)
            way = point - head
            length = float(np.linalg.norm(way))
            if length < 0.3 or abs(float(way[1])) / length > STEEPEST:
                return False
            if aim.kind in ("object", "surface", "person") and not self.place.clear(head, point):
                return False
            if self._ambiguous(aim, point) and self.rng.random() >= self.habits.over_areas:
                return False
            aoi = next((aoi for aoi in self.aois if aoi.name == aim.name), None)
            if aoi is not None and float(aoi.display.normal @ -way) / length < 0.2:
                return False
            velocity = self.part.route.velocity(at_s)
            speed = float(np.hypot(*velocity))
            if walking and speed > 0.2 and aim.kind != "hand":
                flat = float(np.hypot(way[0], way[2])) + 1e-9
                if (velocity[0] * way[0] + velocity[1] * way[2]) / (speed * flat) < math.cos(math.radians(75)):
                    return False
        return True


def _lies_on(thing: Thing, aoi: Aoi) -> bool:
    """Say whether a thing hangs on a display."""
    offset = thing.point - aoi.display.corners[0]
    right, down = (aoi.display.corners[k] - aoi.display.corners[0] for k in (1, 3))
    across, low = float(offset @ right) / float(right @ right), float(offset @ down) / float(down @ down)
    return abs(float(offset @ aoi.display.normal)) < 0.06 and 0.05 < across < 0.95 and 0.05 < low < 0.95


def _still(point: Floats) -> Callable[[float], Floats]:
    return lambda at_s: point
