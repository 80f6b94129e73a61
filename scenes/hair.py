"""Colour and extent of hair on points of a head.

Head points are (3, K) in skull radii: x to the person's right, y down, z to the nose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.grain import GRAIN_SIDE, grain
from scenes.looks import Hair
from scenes.napes import above_nape
from scenes.strands import strand_colour

Colours = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SIDE = GRAIN_SIDE


def hair_colour(hair: Hair, points: Colours) -> Colours:
    """Return (K, 3) colours: strands that fall from the crown, darker roots, a ring of shine and a parting."""
    x, y, z = points
    if hair.strands > 0:
        return strand_colour(hair, points)
    noise = grain(hair.grain)
    around = np.arctan2(x, -z)
    if hair.style == "curly":
        across, along = around * 14, y * 11 + 3 * np.sin(around * 5)
    elif hair.style == "scarf":
        across, along = around * 2.5 + y * 3, y * 1.5
    else:
        # Over the top strands run back from the forehead, at the sides they fall.
        over_top = np.clip(-y - 0.55, 0, 1)
        wave = 1.2 * np.sin(y * 5 + hair.phase)
        across, along = around * 26 * (1 - over_top) + x * 34 * over_top + wave, y * 3 + z * over_top * 2
    rows = (along * 6 + 400).astype(np.int64) % _SIDE
    columns = (across * 2 + 400).astype(np.int64) % _SIDE
    strand = noise[rows, columns] * np.float32(hair.contrast if hair.style != "scarf" else 0.06)
    towards_tip = np.clip((y + 0.7) / 1.7, 0, 1).astype(np.float32)[:, None]
    colour = hair.root + (hair.tip - hair.root) * towards_tip
    ring = np.exp(-(((y + 0.42 + 0.12 * np.sin(around * 2 + hair.phase)) / 0.16) ** 2))
    lit = np.clip(1 + strand + np.float32(hair.shine) * ring, 0.25, 2.0)
    colour = colour * lit[:, None] + (np.float32(55 * hair.shine) * ring * np.clip(strand + 0.3, 0, 1))[:, None]
    if hair.parting < 1 and hair.style in ("short", "mid", "long", "pony", "bun"):
        on_line = (np.abs(x - hair.parting) < 0.035) & (y < -0.4) & (z > -0.45)
        colour[on_line] *= np.float32(0.62)
    result: Colours = colour.astype(np.float32)
    return result


def covers(hair: Hair, points: Colours) -> Bools:
    """Say which of K head points (on or above the skull) carry hair: all but the face, ears and neck."""
    x, y, z = points
    wide = np.abs(x)
    if hair.style in ("mid", "long", "scarf"):
        # The face looks out of an oval opening.
        half = (0.66 + 0.5 * hair.ear) * (1 - 0.4 * hair.curtain)
        opening = ((x / half) ** 2 + ((y - 0.42) / (0.42 - hair.hairline)) ** 2 < 1) & (z > 0)
        below = (y > 0.35) & (wide < half) & (z > 0)
        result: Bools = ~(opening | below)
        return result
    edge = hair.hairline + 0.22 * np.clip(wide - 0.4, 0, 1)
    if hair.thin:
        edge = edge - hair.thin * np.exp(-(((wide - 0.45) / 0.2) ** 2))
    on_top = y < edge
    if hair.style == "ring":
        on_top = np.zeros_like(on_top)
    # Behind the ears the hair goes down to the nape; in front of them it ends as sideburns.
    behind = (z < hair.ear - 0.35 * np.clip(y, 0, 1)) & (above_nape(hair, points) > 0)
    temples = (wide > 0.72) & (y < -0.1) & (z < 0.45)
    if hair.style == "ring":
        behind &= y > -0.3 - 0.3 * hair.volume / 0.16
    result = on_top | behind | temples
    return result
