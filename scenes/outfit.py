"""What lifelike people wear and carry, beyond the plain clothes of `looks`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

KINDS = ("tee", "shirt", "knit", "hoodie", "jacket", "coat", "suit", "dress")
CARRIED = ("none", "handbag", "tote", "suitcase", "basket", "floor-basket", "cart", "phone")


@dataclass(frozen=True)
class Outfit:
    """Cut of the clothes of one person; their colours are those of `Looks.top` and `Looks.trousers`."""

    kind: str
    """One of `KINDS`."""
    inner: Colours
    """What shows in the opening of a jacket, coat or suit."""
    open_m: float
    """Half width of that opening at the waist, 0: closed."""
    tie: Colours | None
    hood: bool
    """Whether a hood lies on the back."""
    hem_m: float
    """Height of the top's lower edge on a standing 1.71 m body."""
    loose: float
    """How wide sleeves and trouser legs are, about 0.85 to 1.35."""
    print_colour: Colours | None
    """Colour of a print on chest or back."""
    print_behind: bool
    soles: Colours
    pack: Colours | None
    """Backpack."""
    carried: str
    """One of `CARRIED`."""
    carried_colour: Colours


@dataclass(frozen=True)
class Collar:
    """A collar that stands up around neck and jaw; lengths are metres of a 1.71 m body."""

    colour: Colours
    lining: Colours
    """Colour of its inside."""
    tall: float
    """Height behind."""
    wide: float
    """Radius."""
    open: float
    """How far it is open to either side of the throat at its upper edge, in radians; 0: closed."""
    drop: float
    """How much lower it is in front, of its height; negative: its tips stand higher."""
