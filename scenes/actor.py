"""One person of a clip: a route, a list of looks, and the pose that follows from them at any moment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenes.figure import Figure, Target
from scenes.geometry import azimuth_elevation, direction, looking_along, unit, wrapped
from scenes.held import Held
from scenes.looks import Looks
from scenes.pose import Pose, head_centre
from scenes.route import Route

Floats = NDArray[np.float64]

_STEP_S = 0.05
_BODY_LAG_S = 0.28
_HEAD_LAG_S = 0.16
"""How long after the gaze has arrived the head still turns."""
_MOST_TWIST_RAD = math.radians(78)
_WALKING_M_PER_S = 0.2
_TREMOR_RAD = math.radians(1.3)
"""A head is never quite still."""


@dataclass(frozen=True)
class Look:
    """A stretch of time with one target; between two looks the gaze moves."""

    start_s: float
    end_s: float
    kind: str
    """One of `truth.TARGET_KINDS`."""
    name: str
    """AOI, `person:<id>`, or empty."""
    point: Callable[[float], Floats]
    """(3,) world point of the target at a time."""
    eye_yaw_deg: float
    eye_pitch_deg: float
    roll_deg: float
    twist_rad: float
    """How far the standing body stays turned away from the head."""
    arms: tuple[str, str]
    held: Held | None = None
    """What is in the hands, its middle at `point`."""


@dataclass(frozen=True)
class Actor:
    """A person with a part to play."""

    person_id: int
    looks: Looks
    seated: bool
    lean: float
    route: Route
    plan: tuple[Look, ...]
    """In order of time, without overlap."""
    enters_s: float
    leaves_s: float
    body_yaws: Floats = field(init=False)
    """(T,) azimuth of the body every 50 ms from `enters_s` on, unwrapped."""

    def __post_init__(self) -> None:
        """Turn the body with a lag along the whole part, so that a pose depends on its time alone."""
        steps = max(2, math.ceil((self.leaves_s - self.enters_s) / _STEP_S) + 2)
        share = 1 - math.exp(-_STEP_S / _BODY_LAG_S)
        yaws = np.zeros(steps)
        yaws[0] = self._wanted_body_yaw(self.enters_s)
        for k in range(1, steps):
            wanted = self._wanted_body_yaw(self.enters_s + k * _STEP_S)
            yaws[k] = yaws[k - 1] + share * wrapped(wanted - yaws[k - 1])
        object.__setattr__(self, "body_yaws", yaws)

    def present(self, at_s: float) -> bool:
        """Say whether the person is in the place."""
        return self.enters_s <= at_s < self.leaves_s

    def ground(self, at_s: float) -> Floats:
        """Return the (3,) point between the feet; who stands still sways by a centimetre."""
        phase = 1.7 * self.person_id
        sway = (math.sin(2.1 * at_s + phase), 0.0, math.sin(1.6 * at_s + 2 * phase))
        ground: Floats = self.route.position(at_s) + 0.009 * np.array(sway)
        return ground

    def upright_head(self, at_s: float) -> Floats:
        """Return the (3,) middle of the skull without lean: what others look at."""
        return head_centre(self.looks, self.ground(at_s), 0.0, 0.0, self.seated)

    def figure(self, at_s: float) -> Figure:
        """Return the person as it stands and looks at a time."""
        ground = self.ground(at_s)
        body_yaw = float(np.interp((at_s - self.enters_s) / _STEP_S, np.arange(len(self.body_yaws)), self.body_yaws))
        old, new, gaze_share, head_share = self._phase(at_s)
        facing = self._nose(old, at_s), self._nose(new, at_s)
        azimuth, elevation = _between(*facing, head_share)
        azimuth += _TREMOR_RAD * math.sin(2.9 * at_s + self.person_id)
        elevation += _TREMOR_RAD * math.sin(2.3 * at_s + 3 * self.person_id)
        too_far = wrapped(azimuth - body_yaw)
        if abs(too_far) > _MOST_TWIST_RAD:
            body_yaw += too_far - math.copysign(_MOST_TWIST_RAD, too_far)
        roll = math.radians(old.roll_deg + (new.roll_deg - old.roll_deg) * head_share)
        centre = head_centre(self.looks, ground, body_yaw, self.lean, self.seated)
        target, gaze = self._gaze(old, new, gaze_share, centre, at_s)
        speed = float(np.hypot(*self.route.velocity(at_s)))
        holding = new if new.held is not None else old if head_share < 1 else None
        held = None if holding is None else holding.held
        pose = Pose(
            ground=ground,
            body_yaw_rad=body_yaw,
            lean=self.lean,
            seated=self.seated,
            stride=min(0.5, 0.42 * speed) * math.sin(math.pi * self.route.walked_m(at_s) / 0.68),
            arms=new.arms,
            arms_before=old.arms,
            arms_share=head_share,
            head=looking_along(direction(azimuth, min(0.9, max(-1.0, elevation))), roll),
            gaze=gaze,
            grip=None if holding is None or held is None else holding.point(at_s),
        )
        return Figure(person_id=self.person_id, looks=self.looks, pose=pose, target=target, held=held)

    def _phase(self, at_s: float) -> tuple[Look, Look, float, float]:
        """Return the last look, the present one, and how far gaze and head have moved from one to the other."""
        number = sum(look.end_s <= at_s for look in self.plan)
        if number >= len(self.plan):
            return self.plan[-1], self.plan[-1], 1.0, 1.0
        new = self.plan[number]
        if number == 0:
            return new, new, 1.0, 1.0
        old = self.plan[number - 1]
        shift = new.start_s - old.end_s
        since = at_s - old.end_s
        return old, new, _eased(since / shift), _eased(since / (shift + _HEAD_LAG_S))

    def _nose(self, look: Look, at_s: float) -> tuple[float, float]:
        """Return azimuth and elevation of the head during a look."""
        azimuth, elevation = azimuth_elevation(look.point(at_s) - self.upright_head(at_s))
        return azimuth - math.radians(look.eye_yaw_deg), elevation - math.radians(look.eye_pitch_deg)

    def _gaze(self, old: Look, new: Look, share: float, centre: Floats, at_s: float) -> tuple[Target, Floats]:
        """Return target and gaze direction; while the gaze moves it crosses the points in between."""
        ahead = new.point(at_s) - centre
        if share >= 1:
            return Target(centre + ahead, new.kind, new.name), unit(ahead)
        behind = old.point(at_s) - centre
        azimuth, elevation = _between(azimuth_elevation(behind), azimuth_elevation(ahead), share)
        gaze = direction(azimuth, elevation)
        far = float(np.linalg.norm(behind) * (1 - share) + np.linalg.norm(ahead) * share)
        if old.name == new.name != "":
            # From one spot of a display to another the gaze does not leave it.
            return Target(centre + gaze * far, new.kind, new.name), gaze
        return Target(centre + gaze * far, "elsewhere"), gaze

    def _wanted_body_yaw(self, at_s: float) -> float:
        velocity = self.route.velocity(at_s)
        if float(np.hypot(*velocity)) > _WALKING_M_PER_S:
            return math.atan2(float(velocity[0]), float(velocity[1]))
        _, new, _, _ = self._phase(at_s)
        return self._nose(new, at_s)[0] - new.twist_rad


def _between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
    """Return azimuth and elevation on the shorter way from one direction to another."""
    return a[0] + wrapped(b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _eased(share: float) -> float:
    """Start and end a movement softly: the minimum-jerk course."""
    t = min(1.0, max(0.0, share))
    return t * t * t * (10 - 15 * t + 6 * t * t)
