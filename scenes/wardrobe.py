"""Draw the everyday clothes of people in shops: mostly black, navy, grey, denim and white, some colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scenes.colours import random_colour
from scenes.looks import Cloth, Looks
from scenes.outfit import Outfit

Colours = NDArray[np.float32]

_TOPS = {
    "tee": 0.17,
    "shirt": 0.12,
    "knit": 0.12,
    "hoodie": 0.2,
    "jacket": 0.2,
    "coat": 0.09,
    "suit": 0.06,
    "dress": 0.04,
}
_CARRIED = {
    "none": 0.55,
    "handbag": 0.1,
    "tote": 0.06,
    "suitcase": 0.05,
    "basket": 0.08,
    "floor-basket": 0.03,
    "cart": 0.05,
    "phone": 0.08,
}
_PALETTE: Colours = np.array(
    [
        [22, 21, 22],
        [32, 31, 33],
        [52, 40, 32],
        [60, 58, 57],
        [92, 90, 88],
        [150, 148, 147],
        [232, 230, 228],
        [205, 208, 210],
        [125, 95, 72],
        [175, 145, 118],
        [120, 150, 172],
        [62, 84, 78],
        [48, 70, 105],
        [48, 38, 90],
    ],
    np.float32,
)
_TOP_SHARES = (0.2, 0.1, 0.12, 0.08, 0.08, 0.09, 0.07, 0.03, 0.05, 0.04, 0.05, 0.03, 0.03, 0.03)
_TROUSER_SHARES = (0.2, 0.1, 0.16, 0.07, 0.06, 0.06, 0.04, 0.02, 0.14, 0.07, 0.05, 0.02, 0.01, 0.0)
_HEMS = {"suit": (0.8, 0.86), "coat": (0.45, 0.72), "dress": (0.4, 0.72), "jacket": (0.82, 0.95)}


def with_clothes(looks: Looks, rng: np.random.Generator) -> Looks:
    """Return the person in everyday clothes."""
    kind = str(rng.choice(list(_TOPS), p=list(_TOPS.values())))
    carried = str(rng.choice(list(_CARRIED), p=list(_CARRIED.values())))
    top, trousers = _cloth(rng, looks.top, _TOP_SHARES, kind), _cloth(rng, looks.trousers, _TROUSER_SHARES, "")
    if kind == "suit":
        top = replace(top, colour=_from(rng, (0.4, 0.2, 0.2, 0.1, 0.1, *[0.0] * 9)), pattern=9)
        trousers = replace(trousers, colour=top.colour, pattern=9)
    openable = kind in ("jacket", "coat", "suit", "hoodie")
    white = np.full(3, rng.uniform(215, 245), np.float32)
    shoes = white if rng.random() < 0.35 else _from(rng, _TROUSER_SHARES)
    outfit = Outfit(
        kind=kind,
        inner=white if kind == "suit" or rng.random() < 0.35 else _from(rng, _TOP_SHARES),
        open_m=float(rng.uniform(0.03, 0.1)) if openable and rng.random() < 0.5 else 0.0,
        tie=random_colour(rng, 15, 170) if kind == "suit" and rng.random() < 0.65 else None,
        hood=kind == "hoodie" or (kind in ("jacket", "coat") and rng.random() < 0.35),
        hem_m=float(rng.uniform(*_HEMS.get(kind, (0.86, 0.97)))),
        loose=float(rng.uniform(0.88, 1.18) + (0.14 if kind in ("jacket", "coat", "hoodie") else 0.0)),
        print_colour=_print_colour(rng, kind),
        print_behind=bool(rng.random() < 0.35),
        soles=white if rng.random() < 0.55 else shoes * np.float32(0.6),
        pack=_from(rng, _TOP_SHARES) if rng.random() < 0.16 else None,
        carried=carried,
        carried_colour=_carried_colour(rng, carried),
    )
    return replace(
        looks,
        top=top,
        trousers=trousers,
        outfit=outfit,
        shoes=shoes,
        long_sleeves=kind not in ("tee", "dress") or bool(rng.random() < 0.2),
        scarf=_from(rng, _TOP_SHARES) if rng.random() < (0.3 if kind == "coat" else 0.04) else None,
        backpack=None,
        bag=None,
        skirt="none",
    )


def _from(rng: np.random.Generator, shares: tuple[float, ...]) -> Colours:
    """Draw an everyday colour, or sometimes any."""
    if rng.random() < 0.13:
        return random_colour(rng, 40, 225)
    base = _PALETTE[int(rng.choice(len(_PALETTE), p=np.array(shares) / sum(shares)))]
    colour = base * np.float32(rng.uniform(0.75, 1.2)) + rng.normal(0, 3, 3)
    clipped: Colours = np.clip(colour, 7, 248).astype(np.float32)
    return clipped


def _cloth(rng: np.random.Generator, old: Cloth, shares: tuple[float, ...], kind: str) -> Cloth:
    pattern = 9
    if kind in ("tee", "knit", "shirt", "dress"):
        pattern = int(
            rng.choice([0, 1, 9], p=[0.1, 0.16 if kind == "shirt" else 0.04, 0.74 if kind == "shirt" else 0.86])
        )
    return replace(
        old,
        colour=_from(rng, shares),
        second=_from(rng, shares),
        pattern=pattern,
        frequency=float(rng.uniform(6, 20)),
        folds=float(rng.uniform(0.05, 0.2)),
    )


def _print_colour(rng: np.random.Generator, kind: str) -> Colours | None:
    if kind in ("tee", "hoodie", "jacket") and rng.random() < 0.28:
        return np.full(3, rng.uniform(170, 240), np.float32) if rng.random() < 0.6 else random_colour(rng, 60)
    return None


def _carried_colour(rng: np.random.Generator, carried: str) -> Colours:
    """Draw baskets and carts in the colours of a shop, all else in everyday ones."""
    if carried in ("basket", "floor-basket", "cart"):
        signal = np.array([[200, 70, 25], [35, 30, 200], [60, 150, 40], [40, 40, 42], [30, 130, 230]], np.float32)
        shares = [0.4, 0.25, 0.12, 0.15, 0.08]
        colour: Colours = signal[int(rng.choice(5, p=shares))] * np.float32(rng.uniform(0.7, 1.15))
        return colour
    return _from(rng, _TOP_SHARES)
