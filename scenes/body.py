"""Draw a person below the head: some thirty ellipsoids in clothes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas, Shader, plain
from scenes.collars import draw_collar
from scenes.fabric import fabric
from scenes.garments import draw_arm, draw_legs, draw_torso
from scenes.geometry import along, direction, looking_along, unit
from scenes.grain import grain
from scenes.looks import Cloth, Looks
from scenes.luggage import arms_for, put_beside, put_on_body
from scenes.pose import GRIP, Pose, body_point
from scenes.seats import draw_seat

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]


class BodyPainter:
    """Draws the parts of one person's body and collects their outline boxes."""

    def __init__(self, canvas: Canvas, looks: Looks, pose: Pose, owner: int) -> None:
        """Prepare the shaders."""
        self.canvas, self.looks, self.pose, self.owner = canvas, looks, pose, owner
        self.boxes: list[Floats] = []
        self.carried = np.zeros(3)
        """(3,) how far hands that hold something are from where they will hold it, or did."""
        self.axes = looking_along(direction(pose.body_yaw_rad, 0.0))
        self.scale = looks.height_m / 1.71
        self.shirt = cloth_shader(looks.top)
        self.chest = cloth_shader(looks.top, neckline=looks.neckline, skin=looks.skin)
        self.legs = cloth_shader(looks.trousers)
        self.skin = plain(looks.skin)

    def draw(self) -> None:
        """Draw everything, feet first."""
        draw_seat(self)
        collar, outfit = self.looks.collar, self.looks.outfit
        if collar is not None:
            draw_collar(self, collar)
        if outfit is not None:
            put_beside(self, outfit)
            draw_legs(self, outfit)
            draw_torso(self, outfit)
            self._arms()
            put_on_body(self, outfit)
            return
        self._legs()
        self._torso()
        self._arms()
        self._luggage()

    def at(self, right: float, up: float, ahead: float) -> Floats:
        """Return the world point of a spot of the reference body."""
        return body_point(self.looks, self.pose, right, up, ahead)

    def part(
        self, centre: Floats, radii: tuple[float, float, float], shader: Shader, axes: Floats | None = None
    ) -> None:
        """Draw one ellipsoid whose radii are those of a 1.71 m body."""
        axes = self.axes if axes is None else axes
        box = self.canvas.ellipsoid(centre, axes, np.array(radii) * self.scale, shader, self.owner)
        if box is not None:
            self.boxes.append(box)

    def cut_part(
        self, centre: Floats, radii: tuple[float, float, float], shader: Shader, axes: Floats, kept: float
    ) -> None:
        """Draw an ellipsoid of which `shader` keeps the share `kept` of its height, around the middle."""
        shape = np.array(radii) * self.scale
        if self.canvas.ellipsoid(centre, axes, shape, shader, self.owner) is None:
            return
        rest = self.canvas.outline(centre, axes, shape * [1, kept, 1])
        self.boxes.append(rest)

    def limb(self, start: Floats, end: Floats, radius: float, shader: Shader) -> None:
        """Draw a long ellipsoid between two joints."""
        bone = end - start
        length = float(np.linalg.norm(bone))
        half = length / 2 * 1.16 / self.scale
        self.part((start + end) / 2, (radius, half, radius), shader, along(bone / length))

    def leg(self, side: int) -> tuple[Floats, Floats, Floats]:
        """Return hip, knee and ankle of one leg, -1 left or 1 right."""
        hip = self.at(0.09 * side, 0.90, 0)
        if self.pose.seated:
            knee, ankle = self.at(0.12 * side, 0.91, 0.42), self.at(0.12 * side, 0.51, 0.42)
        else:
            swing = side * self.pose.stride
            knee = self.at(0.095 * side, 0.49, 0.42 * math.sin(swing))
            back = 0.42 * math.sin(swing) - 0.25 * max(0.0, -math.sin(swing))
            ankle = self.at(0.10 * side, 0.08 + 0.25 * max(0.0, -math.sin(swing)), back)
        return hip, knee, ankle

    def _legs(self) -> None:
        looks = self.looks
        bare = looks.skirt == "dress"
        upper = self.skin if bare else self.legs
        for side in (-1, 1):
            hip, knee, ankle = self.leg(side)
            self.limb(hip, knee, 0.083 * looks.build, upper)
            self.limb(knee, ankle, 0.058 * looks.build, upper)
            foot = ankle + self.axes @ np.array([0, 0.03, 0.07]) * self.scale
            self.part(foot, (0.05, 0.045, 0.13), plain(looks.shoes))

    def _torso(self) -> None:
        looks = self.looks
        build, wide = looks.build, looks.shoulder_m
        if looks.skirt != "none" and not self.pose.seated:
            low = 0.82 if looks.skirt == "dress" else 0.78
            self.part(self.at(0, low, 0), (0.2 * build, 0.34, 0.165 * build), self.shirt)
        else:
            hips = self.legs if looks.trousers.phase < 3.8 else self.shirt
            self.part(self.at(0, 0.97, 0), (0.165 * build, 0.16, 0.12 * build), hips)
        self.part(self.at(0, 1.12, 0), (0.16 * build, 0.27, 0.118 * build), self.shirt)
        self.part(self.at(0, 1.2, 0), (0.172 * build, 0.25, 0.116 * build), self.shirt)
        self.part(self.at(0, 1.28, 0), (wide * 1.02, 0.2, 0.125 * build), self.chest)
        self.part(self.at(0, 1.38, 0), (wide * 0.95, 0.085, 0.09), self.chest)
        if looks.scarf is not None:
            self.part(self.at(0, 1.44, 0.01), (0.095, 0.05, 0.09), plain(looks.scarf))
        elif looks.top.pattern == 3:
            self.part(self.at(0, 1.44, -0.02), (0.085, 0.035, 0.075), self.shirt)

    def _arms(self) -> None:
        looks, pose = self.looks, self.pose
        wide = looks.shoulder_m
        sleeve = self.shirt if looks.long_sleeves or looks.skirt == "coat" else self.skin
        arms = pose.arms
        if looks.outfit is not None and GRIP not in arms:
            arms = arms_for(looks.outfit.carried, arms)
        for row, side in enumerate((-1, 1)):
            arm = arms[row]
            shoulder = self.at(wide * side, 1.37, 0)
            self.part(shoulder, (0.062, 0.066, 0.062) if looks.outfit is None else (0.056,) * 3, self.shirt)
            elbow, hand = self._joints(arm, side, shoulder)
            holding = hand if arm == GRIP else None
            if pose.arms_before is not None and pose.arms_before[row] != arm:
                old_elbow, old_hand = self._joints(pose.arms_before[row], side, shoulder)
                holding = old_hand if pose.arms_before[row] == GRIP else holding
                elbow = old_elbow + (elbow - old_elbow) * pose.arms_share
                hand = old_hand + (hand - old_hand) * pose.arms_share
            if holding is not None:
                self.carried = hand - holding
            if looks.outfit is not None:
                draw_arm(self, shoulder, elbow, hand)
                continue
            self.limb(shoulder, elbow, 0.052 * min(looks.build, 1.15), self.shirt)
            self.limb(elbow, hand, 0.042, sleeve)
            self.part(hand, (0.042, 0.055, 0.042), self.skin)
            if side == 1 and looks.bag is not None and arm == "hang":
                self.part(hand + np.array([0, 0.17, 0]), (0.07, 0.17, 0.14), plain(looks.bag))

    def _joints(self, arm: str, side: int, shoulder: Floats) -> tuple[Floats, Floats]:
        """Return elbow and hand of one arm."""
        wide = self.looks.shoulder_m
        if arm == GRIP and self.pose.grip is not None:
            return self._bent_to(self.pose.grip, side, shoulder)
        if arm == "reach":
            local = self.axes.T @ self.pose.gaze
            local[2] = abs(local[2])
            reach = self.axes @ unit(local) * self.scale
            return shoulder + reach * 0.27, shoulder + reach * 0.52
        if arm == "hold":
            return self.at((wide + 0.05) * side, 1.12, 0.1), self.at(0.08 * side, 1.18, 0.33)
        if arm == "hip":
            return self.at((wide + 0.14) * side, 1.14, -0.06), self.at(0.17 * side, 0.98, 0.06)
        if arm == "raise":
            return self.at((wide + 0.16) * side, 1.42, 0.1), self.at(wide * 0.6 * side, 1.6, 0.18)
        if arm == "phone":
            return self.at((wide + 0.07) * side, 1.14, 0.08), self.at(0.1 * side, 1.34, 0.34)
        if arm == "cross":
            return self.at((wide + 0.06) * side, 1.1, 0.06), self.at(-0.04 * side, 1.1, 0.22)
        swing = -0.7 * side * self.pose.stride
        elbow = self.at((wide + 0.05) * side, 1.09, 0.26 * math.sin(swing) - 0.02)
        return elbow, self.at((wide + 0.06) * side, 0.84, 0.45 * math.sin(swing) + 0.05)

    def _bent_to(self, point: Floats, side: int, shoulder: Floats) -> tuple[Floats, Floats]:
        """Return elbow and hand of an arm that holds a point from its side; the elbow hangs below and outside."""
        bone = 0.28 * self.scale
        way = point + self.axes @ np.array([0.05 * side, 0.03, 0.0]) * self.scale - shoulder
        length = min(float(np.linalg.norm(way)), 1.96 * bone)
        along_arm = unit(way)
        out = self.axes @ np.array([0.5 * side, 0.85, -0.15])
        out = unit(out - along_arm * float(out @ along_arm))
        bend = math.sqrt(bone**2 - (length / 2) ** 2)
        return shoulder + along_arm * length / 2 + out * bend, shoulder + along_arm * length

    def _luggage(self) -> None:
        looks = self.looks
        if looks.backpack is not None:
            self.part(self.at(0, 1.2, -0.2), (0.15, 0.23, 0.11), plain(looks.backpack))
            self.part(self.at(0, 1.1, -0.28), (0.11, 0.11, 0.06), plain(looks.backpack * np.float32(0.8)))
        if looks.hat != "hood" and looks.hat_band[0] > 95:
            # A hood that lies on the back.
            self.part(self.at(0, 1.42, -0.09), (0.11, 0.075, 0.06), self.shirt)


def cloth_shader(cloth: Cloth, *, neckline: float = 0.0, skin: Colours | None = None) -> Shader:
    """Return a shader of woven, wrinkled cloth, with a bare V below the neck if `neckline` is positive."""
    if cloth.folds:
        return fabric(cloth)
    wrinkles = grain(int(cloth.phase * 2.5) % 16)

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y, z = points
        colour = np.repeat(cloth.colour[None, :], points.shape[1], axis=0)
        if cloth.pattern == 0:
            colour[np.sin(y * cloth.frequency + cloth.phase) > 0.3] = cloth.second
        elif cloth.pattern == 1:
            check = (np.sin(y * cloth.frequency) > 0.2) ^ (np.sin(x * cloth.frequency) > 0.2)
            colour[check] = colour[check] * np.float32(0.6) + cloth.second * np.float32(0.4)
        elif cloth.pattern == 2:
            colour[(np.abs(x) < 0.35) & (np.abs(y + 0.2) < 0.3) & (z > 0)] = cloth.second
        elif cloth.pattern == 3:
            colour[(np.abs(x) < 0.16 + 0.08 * y) & (z > 0)] = cloth.second
        elif cloth.pattern == 4:
            colour[np.sin(x * cloth.frequency * 0.3 + 2 * np.sin(y * 3 + cloth.phase)) > 0] = cloth.second
        if neckline > 0 and skin is not None:
            bare = (z > 0) & (y < -0.95 + neckline) & (np.abs(x) < (neckline - 0.95 - y) * 0.6)
            colour[bare] = skin
        rows = ((y * 9 + x * 4 + cloth.phase) * 4 + 400).astype(np.int64) % 128
        columns = ((x * 7 + z * 5) * 4 + 400).astype(np.int64) % 128
        folds = 1 + 0.04 * np.sin(x * 5 + y * 4 + cloth.phase) + 0.025 * np.sin(y * 11 + x * 3)
        folds = folds + np.float32(0.03) * wrinkles[rows, columns]
        return (colour * folds[:, None]).astype(np.float32), None

    return shade
