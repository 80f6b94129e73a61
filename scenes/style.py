"""What scenes may show beyond the plain ones of bench-1: groups of things that can be left out one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

_YOUNGER = ("tableware", "tilt", "napes", "backlight", "necks", "muffled")
"""Groups that `full` leaves out: the seeds of sets and stills were published with it."""


@dataclass(frozen=True)
class Style:
    """Which groups a scene draws from; with none it is, pixel for pixel, the plain scene of its seed.

    What a group adds is drawn from a stream of chance of its own, so that the same seed shows the same place and people
    with and without it as far as that is possible, and each scene shows some of it, not all.
    """

    hair: bool = False
    """Strands, highlights, partings, grey and near-skin colours; loose hair that hides the face from the side."""
    headwear: bool = False
    """Hats and helmets as seen from above, masks, glasses."""
    clothes: bool = False
    """Dark and everyday clothes, coats, backpacks, suitcases, baskets, phones."""
    people: bool = False
    """Children, prams, wheelchairs, seated people, crowds of 30, heads cut by the frame and under 16 px."""
    clutter: bool = False
    """Shelves and tables full of small things, round white crockery, heaps of fruit, chairs."""
    lookalikes: bool = False
    """Mannequins, posters with faces, screens that show people, reflections on the floor."""
    lens: bool = False
    """Wide-angle and dome lenses; stills only."""
    camera: bool = False
    """Video compression, night, motion blur."""
    salience: bool = False
    """Things that draw the eye and are looked at: a product picked, a lit screen, a face."""
    tableware: bool = False
    """Teapots, kettles and jars close together; not in `full`."""
    tilt: bool = False
    """Heads leant to the shoulder by up to 50 degrees; stills only, not in `full`."""
    napes: bool = False
    """Napes with their hairlines, shaved sides, hair combed up, ears that stand off; not in `full`."""
    backlight: bool = False
    """People against a bright background, with shadows that keep hardly any detail; stills only, not in `full`."""
    necks: bool = False
    """Broad bare necks below dark short hair that is cut to a point; not in `full`."""
    muffled: bool = False
    """Collars that stand up around the jaw, in the colours of earth and skin, hats pulled down; not in `full`."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `plain`, `full`, or groups to add or leave out: `hair+lens`, `full-hair-lens`, `full-hair+tableware`.

        Raises:
            ValueError: the text names something else.
        """
        names = [field.name for field in fields(cls)]
        start, *added = text.split("+")
        first, *without = start.split("-")
        asked = [] if first == "plain" else [n for n in names if n not in _YOUNGER] if first == "full" else [first]
        unknown = [name for name in (*asked, *added, *without) if name not in names]
        if unknown or (first == "plain" and added):
            raise ValueError(
                "style: expected plain, full, groups such as hair+lens, or full-hair+tableware,"
                f" got {text!r}; groups are {', '.join(names)}"
            )
        return cls(**{name: name in added or (name in asked and name not in without) for name in names})

    def __str__(self) -> str:
        """Return the shortest text that `parse` reads as this style."""
        given = {field.name: bool(getattr(self, field.name)) for field in fields(self)}
        old = [name for name in given if name not in _YOUNGER]
        on, off = [name for name in given if given[name]], [name for name in old if not given[name]]
        added = [name for name in on if name not in old]
        if not on:
            return "plain"
        listed = len(on) - len(added) <= len(off)
        return "+".join(on) if listed else "+".join(["-".join(["full", *off]), *added])

    def without(self, group: str) -> Self:
        """Return the style less one group."""
        return replace(self, **{group: False})


PLAIN = Style()
FULL = Style.parse("full")
