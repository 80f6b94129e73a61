"""Draw a head: skull, jaw, nose, ears, hair shells and hats, all in the head's own axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas, Shader, plain
from scenes.face import skin_colour
from scenes.felt import around_face, banded, felt, top_of
from scenes.geometry import Triple, along
from scenes.hair import covers, hair_colour
from scenes.haircut import grow
from scenes.hats import COVERS_EARS, put_on, shaded_by_hat
from scenes.looks import Looks
from scenes.pose import Pose
from scenes.strands import ragged

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

SKULL_M: Floats = np.array([0.077, 0.113, 0.098])
"""Radii of the skull of a head of scale 1: half width, half height, half depth."""


class HeadPainter:
    """Draws the parts of one head and collects their outline boxes.

    Offsets and radii are metres of a head of scale 1: x to the person's right, y down, z to the nose.
    """

    def __init__(self, canvas: Canvas, looks: Looks, pose: Pose, centre: Floats, owner: int) -> None:
        """Remember whose head is drawn where."""
        self.canvas, self.looks, self.pose, self.centre, self.owner = canvas, looks, pose, centre, owner
        self.boxes: list[Floats] = []
        """Outlines of what the head box encloses."""
        self.loose_boxes: list[Floats] = []
        """Outlines of the neck and of hair below the head."""

    def draw(self, nape: Floats) -> None:
        """Draw the head on a neck that ends at the world point `nape`."""
        looks = self.looks
        self._neck(nape)
        self._skin_part((0, 0, 0), tuple(SKULL_M))
        self._skin_part((0, 0.06, 0.022), (0.058, 0.062, 0.07))
        if looks.mask is None:
            nose = (0.013, 0.026 * looks.nose, 0.02 * looks.nose)
            self.part((0, 0.012, 0.098), nose, plain(looks.skin * np.float32(1.03)))
        else:
            self.part((0, 0.055, 0.062), (0.048, 0.05, 0.048), plain(looks.mask), counts=False)
        hidden = looks.hair.style in ("mid", "long", "scarf", "curly") or looks.hat in ("hood", *COVERS_EARS)
        if not hidden:
            for side in (-1, 1):
                off, out = 0.078 + 0.012 * looks.ears, 0.012 + 0.009 * looks.ears
                self.part((side * off, 0.004, -0.005), (out, 0.03, 0.019), plain(looks.skin * np.float32(0.93)))
        self._hair()
        self._hat()

    def part(self, offset: Triple, radii: Triple, shader: Shader, *, counts: bool = True) -> None:
        """Draw one ellipsoid; with `counts` the head box encloses it."""
        scale = self.looks.head_scale
        centre = self.centre + self.pose.head @ (np.array(offset) * scale)
        box = self.canvas.ellipsoid(centre, self.pose.head, np.array(radii) * scale, shader, self.owner)
        if box is not None:
            (self.boxes if counts else self.loose_boxes).append(box)

    def _skin_part(self, offset: Triple, radii: Triple) -> None:
        looks, eyes = self.looks, self.pose.eye_in_head

        def shade(points: Colours) -> tuple[Colours, None]:
            on_head = _in_skull_radii(points, offset, radii)
            return shaded_by_hat(looks, on_head, skin_colour(looks, eyes, on_head)), None

        self.part(offset, radii, shade)

    def _neck(self, nape: Floats) -> None:
        # Broad necks end further up and back, without a step where the skull begins: from behind they hide the jaw.
        broad, head_scale = self.looks.neck - 1, self.looks.head_scale
        start = self.centre + self.pose.head @ np.array([0, 0.05 - 0.05 * broad, -0.02 - 0.03 * broad]) * head_scale
        bone = nape - start
        length = float(np.linalg.norm(bone))
        scale = self.looks.height_m / 1.71
        wide = 0.052 * scale * self.looks.neck
        radii = np.array([wide, length / 2 * 1.16, wide])
        shadow = plain(self.looks.skin * np.float32(0.85 + 0.3 * broad))
        box = self.canvas.ellipsoid((start + nape) / 2, along(bone / length), radii, shadow, self.owner - 1)
        if box is not None:
            self.loose_boxes.append(box)

    def hair_part(self, offset: Triple, radii: Triple, *, counts: bool = True, cut: bool = False) -> None:
        """Draw a body of hair; `cut` leaves the face open."""
        hair = self.looks.hair

        def shade(points: Colours) -> tuple[Colours, NDArray[np.bool_] | None]:
            on_head = _in_skull_radii(points, offset, radii)
            kept = covers(hair, on_head) if cut else None if counts else ragged(hair, points)
            return hair_colour(hair, on_head), kept

        self.part(offset, radii, shade, counts=counts)

    def shell(self, grow: float, offset: Triple = (0, 0, 0), shape: Triple = (1, 1, 1)) -> None:
        """Draw hair all around the skull, the face left open."""
        x, y, z = (float(v) for v in SKULL_M * np.array(shape) * grow)
        self.hair_part(offset, (x, y, z), cut=True)

    def _hair(self) -> None:
        hair = self.looks.hair
        if hair.strands > 0:
            grow(self)
            return
        volume = hair.volume if self.looks.hat == "none" else hair.volume * 0.3
        if hair.style == "short":
            self.shell(1 + volume, (0, -0.008, -0.004))
            if volume > 0.1:
                self.hair_part((0, -0.085, 0.028), (0.052, 0.03, 0.05))
        elif hair.style == "curly":
            self._curls(volume)
        elif hair.style in ("mid", "scarf"):
            self.shell(1.08 + volume, (0, 0.004, -0.008), (1.04, 1.02, 1))
            self.hair_part((0, 0.075, -0.045), (0.085 + 0.1 * volume, 0.07, 0.062))
        elif hair.style == "long":
            self.shell(1.06 + volume * 0.8, (0, 0.002, -0.01), (1.04, 1.02, 1))
            self.hair_part((0, 0.06, -0.045), (0.09, 0.085, 0.064))
            self.hair_part((0, 0.06 + hair.hang * 0.55, -0.06), (0.092, hair.hang * 0.75, 0.05), counts=False)
            if hair.phase < 4.4:
                for side in (-1, 1):
                    locks = (0.028, 0.06 + hair.hang * 0.55, 0.042)
                    self.hair_part((side * 0.078, 0.05 + hair.hang * 0.3, -0.002), locks, counts=False)
        elif hair.style in ("pony", "bun"):
            self.shell(1.035 + volume * 0.3, (0, -0.004, -0.004))
            if hair.style == "pony":
                self.hair_part((0, -0.02, -0.115), (0.026, 0.03, 0.03))
                self.hair_part((0, 0.05 + hair.hang * 0.2, -0.128), (0.03, 0.06 + hair.hang * 0.3, 0.032), counts=False)
            else:
                # A knot anywhere between the back of the head and the crown.
                up = 0.22 * hair.phase if self.looks.hat == "none" else 0.0
                offset = (0.0, -0.128 * float(np.sin(up)), -0.115 * float(np.cos(up)))
                self.hair_part(offset, (0.046, 0.044, 0.042))

    def _curls(self, volume: float) -> None:
        grow = 1.1 + 2.2 * volume
        self.shell(grow, (0, -0.012, -0.01), (1.06, 1.0, 1))
        for k in range(9):
            angle = k * 0.7 - 2.8
            away = 0.088 * grow
            offset = (away * float(np.sin(angle)), -0.02 - away * float(np.cos(angle)) * 1.05, -0.025)
            if offset[1] < 0.07 and (self.looks.hat == "none" or offset[1] > -0.02):
                self.hair_part(offset, (0.03 * grow, 0.03 * grow, 0.045 * grow))

    def _hat(self) -> None:
        looks = self.looks
        if put_on(self):
            return
        colour, x, y, z = looks.hat_colour, *(float(v) for v in SKULL_M)
        shell, edge = felt(colour, looks.hair.phase), plain(colour * np.float32(0.82))
        if looks.hat in ("cap", "back-cap"):
            ahead = 1 if looks.hat == "cap" else -1
            self.part((0, -0.045, -0.006), (x * 1.13, y * 0.72, z * 1.1), top_of(shell, 0.32))
            self.part((0, -0.04, ahead * 0.115), (0.07, 0.009, 0.07), edge)
        elif looks.hat == "beanie":
            self.part((0, -0.04, -0.012), (x * 1.17, y * 0.86, z * 1.14), top_of(shell, 0.36))
            if looks.hair.phase < 1.5:
                self.part((0, -0.145, -0.015), (0.03, 0.03, 0.03), edge)
        elif looks.hat == "brim":
            wide = 0.125 + 0.05 * looks.eye_open
            self.part((0, -0.052, 0), (wide, 0.012, wide * 1.1), edge)
            self.part((0, -0.062, -0.004), (x * 1.1, y * 0.62, z * 1.08), banded(shell, looks.hat_band))
        elif looks.hat == "helmet":
            self.part((0, -0.05, -0.004), (x * 1.3, y * 0.8, z * 1.28), top_of(shell, 0.3))
            self.part((0, -0.075, -0.004), (0.016, y * 0.68, z * 1.26), plain(colour * np.float32(1.1)))
            self.part((0, -0.032, 0.045), (0.09, 0.01, 0.098), edge)
        elif looks.hat == "hood":
            cloth = felt(looks.top.colour, looks.hair.phase)
            self.part((0, -0.008, -0.018), (x * 1.28, y * 1.2, z * 1.14), around_face(cloth))


def _in_skull_radii(points: Colours, offset: Triple, radii: Triple) -> Colours:
    """Turn points of a part's unit sphere into skull radii."""
    scale = (np.array(radii) / SKULL_M).astype(np.float32)[:, None]
    shift = (np.array(offset) / SKULL_M).astype(np.float32)[:, None]
    on_head: Colours = points * scale + shift
    return on_head
