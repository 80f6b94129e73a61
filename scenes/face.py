"""The painted skin of a head: eyes that look somewhere, brows, nose, mouth, beard, glasses, mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.hair import covers, hair_colour
from scenes.looks import Looks

Colours = NDArray[np.float32]
Floats = NDArray[np.float64]


def skin_colour(looks: Looks, eye_in_head: tuple[float, float], points: Colours) -> Colours:
    """Return (K, 3) colours of head points.

    Args:
        looks: the person.
        eye_in_head: tangents of the eyes' turn to the person's right and down.
        points: (3, K) in skull radii: x to the person's right, y down, z to the nose.
    """
    x, y, z = points
    colour = np.repeat(looks.skin[None, :], points.shape[1], axis=0)
    front = z > 0
    if front.any():
        rows = np.flatnonzero(front)
        colour[rows] = _front(looks, eye_in_head, colour[rows], x[rows], y[rows], z[rows])
    if looks.glasses is not None:
        arm = (np.abs(y + 0.08) < 0.035) & (z < 0.75) & (np.abs(x) > 0.4) & (z > -0.1)
        colour[arm] = looks.glasses
    if looks.beard:
        cheeks = 0.24 + 0.25 * (np.abs(x) < 0.3) * (y < 0.4)
        on_lips = (x / 0.3) ** 2 + ((y - 0.52) / 0.055) ** 2 < 1
        hairy = (y > cheeks) & (z > -0.15) & ~on_lips
        colour[hairy] = colour[hairy] * np.float32(1 - looks.beard) + looks.hair.root * np.float32(looks.beard)
    hair = looks.hair
    if hair.style == "bald":
        stubble = (z < 0.1) & (y < 0.3) & (y > -0.45)
        colour[stubble] = colour[stubble] * np.float32(0.75) + hair.root * np.float32(0.25)
        colour *= (1 + np.float32(0.25) * np.exp(-(((y + 0.75) / 0.2) ** 2)))[:, None]
    else:
        if hair.style == "ring":
            colour *= (1 + np.float32(0.25) * np.exp(-(((y + 0.75) / 0.25) ** 2)))[:, None]
        hairy = covers(hair, points)
        if hairy.any():
            grown = hair_colour(hair, points[:, hairy])
            share = np.float32(0.55 if hair.style == "buzz" else 1.0)
            colour[hairy] = grown * share + colour[hairy] * (1 - share)
    if looks.mask is not None:
        nose_bridge = 0.1 - 0.08 * (np.abs(x) < 0.25)
        cloth = (y > nose_bridge) & (z > 0.12)
        strap = (np.abs(y - 0.2 - 0.15 * np.abs(x)) < 0.03) & (z > -0.25) & (z <= 0.12)
        shade = np.float32(1) - np.float32(0.08) * (np.sin(y * 22) > 0.3)
        colour[cloth] = looks.mask * shade[cloth, None]
        colour[strap] = looks.mask
    return colour


def _front(
    looks: Looks, eye_in_head: tuple[float, float], colour: Colours, x: Colours, y: Colours, z: Colours
) -> Colours:
    """Paint eyes, brows, nose, mouth and glasses on the points with z > 0."""
    cheek = np.exp(-(((np.abs(x) - 0.5) / 0.25) ** 2 + ((y - 0.3) / 0.22) ** 2))
    colour[:, 2] += cheek * 12
    colour[:, :2] -= (cheek * 8)[:, None]
    ex, ey = np.clip(eye_in_head[0], -0.5, 0.5), np.clip(eye_in_head[1], -0.35, 0.35)
    for side in (-1, 1):
        dx, dy = x - np.float32(side * 0.37), y + np.float32(0.06)
        colour *= (1 - np.float32(0.3) * np.exp(-((dx / 0.25) ** 2 + (dy / 0.16) ** 2)))[:, None]
        white = (dx / 0.185) ** 2 + (dy / (0.085 * looks.eye_open)) ** 2 < 1
        colour[white] = (215, 218, 222)
        iris = (((dx - 0.33 * ex) / 0.085) ** 2 + ((dy - 0.22 * ey) / 0.1) ** 2 < 1) & white
        colour[iris] = looks.eye
        brow = (dx / 0.25) ** 2 + ((dy + 0.18 - 0.12 * dx * side) / 0.05) ** 2 < 1
        colour[brow] = (
            looks.hair.root * np.float32(0.8) if looks.hair.style != "scarf" else looks.skin * np.float32(0.4)
        )
        if looks.glasses is not None:
            rim = (dx / 0.3) ** 2 + ((dy - 0.02) / 0.2) ** 2
            colour[(rim < 1) & (rim > (0 if looks.dark_glasses else 0.62))] = looks.glasses
    if looks.glasses is not None:
        colour[(np.abs(y + 0.06) < 0.03) & (np.abs(x) < 0.12)] = looks.glasses
    nostrils = np.exp(-((x / 0.16) ** 2 + ((y - 0.3) / 0.07) ** 2))
    colour *= (1 - np.float32(0.35) * nostrils)[:, None]
    bow = y - 0.52 + np.float32(0.35 * looks.smile) * x * x
    lips = (x / (0.28 + 0.06 * looks.smile)) ** 2 + (bow / 0.055) ** 2 < 1
    colour[lips] = looks.skin * np.array([0.75, 0.6, 0.85], np.float32)
    if looks.smile > 0.5:
        teeth = (x / 0.22) ** 2 + (bow / 0.03) ** 2 < 1
        colour[teeth] = (225, 230, 235)
    under_chin = np.clip((y - 0.75) * 1.2, 0, 0.4) + np.clip(0.25 - z, 0, 0.25) * 0.3
    colour *= (1 - under_chin.astype(np.float32))[:, None]
    return colour
