"""Colour of lifelike hair: strands at several scales, streaks, tips of another colour, scalp that shows through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.grain import GRAINS, grain, sampled, smooth_grain
from scenes.looks import Hair
from scenes.napes import above_nape

Colours = NDArray[np.float32]
Bools = NDArray[np.bool_]

_PARTED = ("short", "mid", "long", "pony", "bun")
_PULLED = ("pony", "bun")


def strand_colour(hair: Hair, points: Colours) -> Colours:
    """Return (K, 3) colours of (3, K) head points in skull radii."""
    x, y, z = points
    across, down = _flow(hair, points)
    fine = sampled(grain(hair.grain), across * 55 + 4000, down * 6 + 4000)
    middle = sampled(smooth_grain(hair.grain), across * 120 + 4000, down * 14 + 4000)
    locks = sampled(smooth_grain((hair.grain + 5) % GRAINS), across * 42 + 4000, down * 9 + 4000)
    lumps = sampled(smooth_grain((hair.grain + 9) % GRAINS), across * 14 + 4000, (y + z) * 22 + 4000)
    start = -0.7 if hair.melt > 8 else hair.melt
    reach = 1.7 if hair.melt > 8 else 0.7
    tip = np.clip((y - start + 0.22 * locks) / reach, 0, 1)
    if hair.streaks:
        tip = np.maximum(tip, np.clip((middle + locks * 0.7 - 2.2 + 3.2 * hair.streaks) * 1.5, 0, 1))
    colour = hair.root + (hair.tip - hair.root) * tip.astype(np.float32)[:, None]
    ring = np.exp(-(((y + 0.45 + 0.1 * locks) / 0.22) ** 2))
    lit = 1 + hair.strands * (0.5 * fine + 0.65 * middle + 0.5 * locks) + 0.10 * lumps
    lit = lit + hair.shine * ring * (0.6 + 0.4 * middle) - 0.22 * np.clip(y - 0.3, 0, 1) * (np.abs(x) < 0.75)
    colour = colour * np.clip(lit, 0.2, 2.2)[:, None] + (35 * hair.shine * ring * np.clip(middle, 0, 2))[:, None]
    if hair.under != 1:
        # What is combed up or cut short there lies in its own shade.
        below = np.clip((y + 0.15 + 0.08 * locks) / 0.25, 0, 1).astype(np.float32)[:, None]
        colour = colour * (1 - below * np.float32(1 - hair.under))
    if hair.scalp is not None:
        bare = _bare(hair, points, fine).astype(np.float32)[:, None]
        colour = colour * (1 - bare) + hair.scalp * bare
    result: Colours = colour.astype(np.float32)
    return result


def ragged(hair: Hair, points: Colours) -> Bools | None:
    """Say which of (3, K) points of a hanging body of hair's unit sphere exist: its lower end is frayed, not round."""
    if not hair.strands:
        return None
    x, y, z = points
    frayed = sampled(grain(hair.grain), np.arctan2(x, -z) * 12 + 4000, np.zeros_like(x))
    ends: Bools = y < 0.62 + 0.12 * frayed
    return ends


def _flow(hair: Hair, points: Colours) -> tuple[Colours, Colours]:
    """Return coordinates across and along the strands."""
    x, y, z = points
    if hair.style in _PULLED:
        # Strands run towards the knot.
        up, back = -np.sin(hair.knot), -np.cos(hair.knot)
        away = y * back - z * up
        return np.arctan2(x, away).astype(np.float32) * np.float32(0.7), (y * up + z * back).astype(np.float32)
    if hair.style == "curly":
        around = np.arctan2(x, -z)
        return (around * 0.6 + 0.3 * np.sin(y * 9)).astype(np.float32), (y * 3 + np.sin(around * 6)).astype(np.float32)
    # Strands leave a whorl at the back of the crown and fall; waves bend them.
    around = np.arctan2(x - 0.08, -(z + 0.35))
    wave = 0.06 * np.sin(y * 4.5 + hair.phase)
    return (around + wave).astype(np.float32), (y + 0.4 * np.hypot(x, z)).astype(np.float32)


def _bare(hair: Hair, points: Colours, fine: Colours) -> Colours:
    """Return (K,) how much of the scalp shows."""
    x, y, z = points
    share = np.zeros(len(x), np.float32)
    if hair.parting < 1 and hair.style in _PARTED:
        line = hair.parting + 0.03 * np.sin(z * 8 + hair.phase)
        length = (y < -0.35) & (z > (-0.9 if hair.phase > 3 else -0.45))
        share = np.exp(-(((x - line) / 0.045) ** 2)).astype(np.float32) * np.float32(0.8) * length
    whorl = np.exp(-(((x - 0.08) / 0.12) ** 2 + ((z + 0.35) / 0.12) ** 2)) * (y < -0.5)
    share = np.maximum(share, (0.35 * whorl).astype(np.float32))
    if hair.style == "fade":
        share = np.maximum(share, np.clip((y + 0.45) * 1.6, 0, 0.62).astype(np.float32))
    elif hair.style == "ring" or hair.thin > 0.12:
        crown = 0.75 * np.exp(-((x / 0.5) ** 2 + ((z + 0.2) / 0.55) ** 2)) * (y < -0.3)
        share = np.maximum(share, (crown * (hair.thin > 0.12) + 0.25).astype(np.float32))
    if hair.taper:
        thinned = 0.9 * np.clip(1 - above_nape(hair, points) / hair.taper, 0, 1) * (z < 0.3)
        share = np.maximum(share, thinned.astype(np.float32))
    clipped: Colours = np.clip(share * (1 - np.float32(0.25) * fine), 0, 1)
    return clipped
