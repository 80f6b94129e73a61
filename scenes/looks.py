"""What one person looks like: everything that stays the same from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scenes.colours import grey, random_colour, random_skin
from scenes.outfit import Collar, Outfit

Colours = NDArray[np.float32]

HAIR_STYLES = ("bald", "buzz", "short", "curly", "mid", "long", "pony", "bun", "scarf")
_STYLE_SHARES = (0.07, 0.08, 0.30, 0.07, 0.12, 0.19, 0.08, 0.06, 0.03)

_HAIR_COLOURS: Colours = np.array(
    [
        [14, 14, 17],
        [25, 28, 35],
        [22, 30, 50],
        [30, 45, 70],
        [40, 70, 110],
        [70, 115, 165],
        [110, 160, 200],
        [150, 195, 225],
        [120, 125, 130],
        [165, 165, 168],
        [215, 215, 220],
        [40, 55, 135],
    ],
    np.float32,
)
_HAIR_SHARES = (0.16, 0.14, 0.12, 0.11, 0.1, 0.08, 0.07, 0.06, 0.05, 0.04, 0.04, 0.03)


@dataclass(frozen=True)
class Hair:
    """A haircut and its colours; lengths in skull radii."""

    style: str
    root: Colours
    tip: Colours
    hairline: float
    """Height of the hair's edge on the forehead, -1 crown to 0 eyes."""
    ear: float
    """How far forward the hair reaches at the sides, -0.2 to 0.5."""
    volume: float
    """Thickness of the hair."""
    hang: float
    """Length of loose hair below the skull in metres."""
    parting: float
    """Sideways place of the parting; beyond 1: none."""
    shine: float
    contrast: float
    """Strength of strands."""
    grain: int
    """Which noise picture the strands follow."""
    phase: float
    strands: float = 0.0
    """Strength of strands, streaks and lumps at several scales; 0: the plain haircuts."""
    melt: float = 9.0
    """Height in skull radii, down, at which the root's colour gives way to the tip's; 9: slowly from the crown on."""
    streaks: float = 0.0
    """Share of strands in the tip's colour."""
    scalp: Colours | None = None
    """Colour that shows through partings, the whorl and thin hair."""
    thin: float = 0.0
    """How far the hairline recedes at the temples, in skull radii."""
    knot: float = 0.0
    """Angle of a tail or bun above the back of the head, radians."""
    curtain: float = 0.0
    """How much loose hair hides the cheeks, 0 to 1."""
    nape: float | None = None
    """Height in skull radii, down, to which the hair reaches in the middle of the nape; None: as the cut has it."""
    point: float = 0.0
    """How much higher it ends at the sides of the nape, in skull radii."""
    sharp: float = 1.0
    """Exponent of how it rises to the sides: 1 in straight lines, less with a sharper point."""
    taper: float = 0.0
    """Height over which it thins out to the scalp above that edge, in skull radii."""
    under: float = 1.0
    """Brightness of the hair of the nape and above the ears, of that of the rest."""


@dataclass(frozen=True)
class Cloth:
    """A piece of clothing's colours and weave."""

    colour: Colours
    second: Colours
    pattern: int
    """0 stripes across, 1 checks, 2 print on the chest, 3 open front, 4 blocks, above: plain."""
    frequency: float
    phase: float
    folds: float = 0.0
    """Strength of light and dark folds; 0: plain cloth."""


@dataclass(frozen=True)
class Looks:
    """Body, face, hair and clothes of one person. Colours are BGR."""

    height_m: float
    head_scale: float
    build: float
    shoulder_m: float
    skin: Colours
    hair: Hair
    hat: str
    """cap, back-cap, beanie, brim, helmet, hood, none, or one of `hats.WEARS`."""
    hat_colour: Colours
    hat_band: Colours
    mask: Colours | None
    glasses: Colours | None
    dark_glasses: bool
    beard: float
    """Darkness of a beard, 0: none."""
    eye: Colours
    eye_open: float
    nose: float
    smile: float
    top: Cloth
    trousers: Cloth
    long_sleeves: bool
    skirt: str
    """dress, coat or none."""
    neckline: float
    """Depth of bare skin below the neck in torso radii, 0: closed."""
    backpack: Colours | None
    bag: Colours | None
    scarf: Colours | None
    shoes: Colours
    hat_size: float = 1.0
    """How wide the brim, how long the visor, how large the hat: about 0.4 to 1.6; a narrow brim is below 0."""
    hat_low: float = 0.0
    """How far the hat is pulled down, metres of a head of scale 1."""
    hat_shadow: float = 0.0
    """How far down the face the hat's shadow reaches, 0 (none) to 1."""
    headphones: Colours | None = None
    ears: float = 0.0
    """How far they stand off, 0 (hardly) to 1."""
    neck: float = 1.0
    """How broad the neck is, in those of a slim person."""
    outfit: Outfit | None = None
    """Lifelike clothes; None: plain ones."""
    collar: Collar | None = None
    """What stands up around the neck."""
    seat: str = "none"
    """What the person sits on when it sits: one of `seats.SEATS`."""
    seat_colour: Colours = field(default_factory=lambda: np.full(3, 60, np.float32))


def sample_looks(rng: np.random.Generator) -> Looks:
    """Draw a person."""
    child = rng.random() < 0.08
    height = rng.uniform(1.05, 1.45) if child else rng.normal(1.70, 0.09)
    skin = random_skin(rng)
    coat = rng.random()
    skirt = "dress" if coat < 0.10 else "coat" if coat < 0.24 else "none"
    return Looks(
        height_m=float(height),
        head_scale=float(rng.uniform(0.92, 1.1) * (0.9 if child else 1.0)),
        build=float(rng.uniform(0.85, 1.3)),
        shoulder_m=float(0.185 * rng.uniform(0.9, 1.12)),
        skin=skin,
        hair=_sample_hair(rng, skin),
        hat=_pick(rng, ("cap", "back-cap", "beanie", "brim", "helmet", "hood"), (0.05, 0.015, 0.04, 0.04, 0.03, 0.03)),
        hat_colour=random_colour(rng, 20) if rng.random() < 0.6 else grey(rng, 15, 245),
        hat_band=random_colour(rng, 10, 120),
        mask=_mask_colour(rng) if rng.random() < 0.16 else None,
        glasses=random_colour(rng, 5, 90, saturation=40) if rng.random() < 0.24 else None,
        dark_glasses=bool(rng.random() < 0.15),
        beard=float(rng.uniform(0.3, 0.85)) if rng.random() < 0.22 else 0.0,
        eye=np.array([25, 20, 15] if rng.random() < 0.7 else [110, 90, 60], np.float32),
        eye_open=float(rng.uniform(0.7, 1.2)),
        nose=float(rng.uniform(0.85, 1.3)),
        smile=float(rng.uniform(0, 1) if rng.random() < 0.35 else 0),
        top=_sample_cloth(rng, 20, 245, 13),
        trousers=_sample_cloth(rng, 20, 160 if rng.random() < 0.75 else 240, 40),
        long_sleeves=bool(rng.random() < 0.65),
        skirt=skirt,
        neckline=float(rng.uniform(0.2, 0.8)) if rng.random() < 0.35 else 0.0,
        backpack=random_colour(rng, 15, 230) if rng.random() < 0.1 else None,
        bag=random_colour(rng, 15, 230) if rng.random() < 0.18 else None,
        scarf=random_colour(rng, 20, 240) if rng.random() < 0.08 else None,
        shoes=random_colour(rng, 10, 120, saturation=30) if rng.random() < 0.75 else grey(rng, 150, 250),
    )


def _pick(rng: np.random.Generator, names: tuple[str, ...], shares: tuple[float, ...]) -> str:
    """Pick a name by its share; the rest is "none"."""
    left = rng.random()
    for name, share in zip(names, shares, strict=True):
        left -= share
        if left < 0:
            return name
    return "none"


def _mask_colour(rng: np.random.Generator) -> Colours:
    if rng.random() < 0.7:
        return np.array([235, 225, 205], np.float32) * np.float32(rng.uniform(0.8, 1.05))
    return random_colour(rng, 10, 200)


def _sample_hair(rng: np.random.Generator, skin: Colours) -> Hair:
    style = str(rng.choice(HAIR_STYLES, p=np.array(_STYLE_SHARES) / sum(_STYLE_SHARES)))
    root = _HAIR_COLOURS[int(rng.choice(len(_HAIR_COLOURS), p=_HAIR_SHARES))] * np.float32(rng.uniform(0.7, 1.2))
    if rng.random() < 0.10:
        # Light hair whose colour is close to the skin's is what nets take for a face from behind.
        root = skin * rng.uniform(0.6, 1.0, 3).astype(np.float32) * np.array([0.85, 0.95, 1.0], np.float32)
    tip = root * np.float32(rng.uniform(0.9, 1.2))
    if style in ("mid", "long", "pony", "bun") and rng.random() < 0.3:
        tip = root * np.float32(rng.uniform(1.2, 2.2)) + np.float32(rng.uniform(0, 45))
    if style == "scarf":
        root = random_colour(rng, 15, 240)
        tip = root
    return Hair(
        style=style,
        root=root.astype(np.float32),
        tip=tip.astype(np.float32),
        hairline=float(rng.uniform(-0.68, -0.34)),
        ear=float(rng.uniform(-0.1, 0.35)),
        volume=float(rng.uniform(0.03, 0.16)),
        hang=float(rng.uniform(0.12, 0.32)),
        parting=float(rng.uniform(-0.5, 0.5)) if rng.random() < 0.55 else 2.0,
        shine=float(rng.uniform(0, 0.5)),
        contrast=float(rng.uniform(0.08, 0.38)),
        grain=int(rng.integers(16)),
        phase=float(rng.uniform(0, 6.28)),
    )


def _sample_cloth(rng: np.random.Generator, darkest: int, brightest: int, patterns: int) -> Cloth:
    """Draw clothing; the more `patterns` there are, the likelier it is plain."""
    plain_hue = rng.random() < 0.5
    saturation = int(rng.integers(0, 45)) if plain_hue else None
    if rng.random() < 0.3:
        brightest = 75
    return Cloth(
        colour=random_colour(rng, darkest, brightest, saturation),
        second=random_colour(rng, 15, 245),
        pattern=int(rng.integers(0, patterns)),
        frequency=float(rng.uniform(5, 22)),
        phase=float(rng.uniform(0, 6.28)),
    )
