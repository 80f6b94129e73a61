"""Bodies of lifelike hair on a head; the plain haircuts are `head.HeadPainter`'s own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenes.grain import GRAIN_SIDE, grain

if TYPE_CHECKING:
    from scenes.head import HeadPainter


def grow(head: HeadPainter) -> None:
    """Draw the hair of a head whose `Hair.strands` is positive."""
    hair = head.looks.hair
    volume = hair.volume if head.looks.hat == "none" else hair.volume * 0.3
    if hair.style in ("short", "fade"):
        _short(head, volume)
    elif hair.style == "ring":
        head.shell(1.02 + volume * 0.6, (0, 0.006, -0.006), (1.02, 1, 1))
    elif hair.style == "curly":
        head.shell(1.06 + 1.4 * volume, (0, -0.01, -0.012), (1.06, 1.0, 1))
        _lumps(head, 1.06 + 1.4 * volume, 10, 0.034)
    elif hair.style in ("mid", "scarf"):
        head.shell(1.06 + volume, (0, 0.004, -0.008), (1.04, 1.02, 1))
        head.hair_part((0.004, 0.07, -0.045), (0.086 + 0.1 * volume, 0.075, 0.062))
        _lumps(head, 1.02 + volume, 4, 0.03)
        _curtain(head, 0.085)
    elif hair.style == "long":
        head.shell(1.045 + volume * 0.8, (0, 0.002, -0.01), (1.04, 1.02, 1))
        head.hair_part((0, 0.055, -0.045), (0.09, 0.085, 0.064))
        _lumps(head, 1.02 + volume * 0.7, 3, 0.028)
        _fall(head)
    elif hair.style in ("pony", "bun"):
        head.shell(1.03 + volume * 0.3, (0, -0.004, -0.004))
        _knot(head)


def _short(head: HeadPainter, volume: float) -> None:
    hair = head.looks.hair
    head.shell(1.012 + (0.0 if hair.style == "fade" else volume * 0.8), (0, -0.006, -0.004))
    if head.looks.hat == "none":
        lean = 0.012 * math.sin(hair.phase)
        tall = 0.034 + 0.13 * volume
        head.hair_part((lean, -0.078, 0.012), (0.064, tall, 0.07))
        head.hair_part((-lean, -0.07, -0.04), (0.055, tall, 0.05))


def _lumps(head: HeadPainter, grown: float, count: int, size: float) -> None:
    """Set rounded bodies of hair on the shell, so that its outline is uneven."""
    if head.looks.hat != "none":
        return
    noise = grain(head.looks.hair.grain)
    for k in range(count):
        around = math.pi * (k + 0.5 + 0.3 * float(noise[k, 3])) / count - math.pi / 2
        back = -0.03 + 0.025 * float(noise[k, 7])
        away = 0.9 * grown
        offset = (0.077 * away * math.sin(around), -0.113 * away * math.cos(around) + 0.01, back)
        head.hair_part(offset, (size * 1.05, size * 0.9, size * 1.5))


def _curtain(head: HeadPainter, length: float) -> None:
    """Let locks hang before the ears, over the cheeks the more the further they reach forward."""
    hair = head.looks.hair
    if hair.curtain > 0:
        for side in (-1, 1):
            ahead = 0.01 + 0.045 * hair.curtain
            head.hair_part((side * 0.074, length - 0.05, ahead), (0.026, length, 0.04), counts=False)


def _fall(head: HeadPainter) -> None:
    """Hang long hair down the back, in uneven bodies, and perhaps over the shoulders."""
    hair = head.looks.hair
    noise = grain(hair.grain)
    half = 0.04 + hair.hang * 0.65
    for k in range(3):
        shift = 0.03 * (k - 1) + 0.006 * float(noise[k, 20])
        long = half * (1 + 0.12 * float(noise[k, 21]))
        deep = -0.062 + 0.01 * (k == 1)
        head.hair_part((shift, long - 0.07, deep), (0.06, long, 0.046), counts=False)
    _curtain(head, 0.06 + hair.hang * 0.4)
    if hair.phase < 4.4:
        for side in (-1, 1):
            drop = 0.06 + hair.hang * (0.5 + 0.1 * float(noise[5 + side, 9]))
            ahead = -0.002 + 0.03 * hair.curtain
            head.hair_part((side * 0.08, drop - 0.05, ahead), (0.03, drop, 0.044), counts=False)


def _knot(head: HeadPainter) -> None:
    """Tie a tail or a bun at any height between nape and crown."""
    hair = head.looks.hair
    angle = hair.knot if head.looks.hat == "none" else min(hair.knot, -0.1)
    up, back = -math.sin(angle), -math.cos(angle)
    if hair.style == "bun":
        size = 0.034 + 0.1 * hair.volume
        head.hair_part((0, 0.125 * up, 0.112 * back), (size * 1.1, size, size))
        wisp = float(grain(hair.grain)[0, GRAIN_SIDE // 2])
        head.hair_part((0.012 * wisp, 0.14 * up, 0.125 * back), (size * 0.7, size * 0.8, size * 0.6))
        return
    head.hair_part((0, 0.11 * up, 0.11 * back), (0.026, 0.028, 0.03))
    swing = 0.03 * math.sin(hair.phase * 3)
    start_y, start_z = 0.12 * up, 0.125 * back - 0.012
    head.hair_part((swing * 0.4, start_y + 0.06, start_z), (0.03, 0.07, 0.034), counts=False)
    head.hair_part(
        (swing, start_y + 0.07 + hair.hang * 0.35, start_z + 0.01), (0.034, 0.05 + hair.hang * 0.4, 0.032), counts=False
    )
