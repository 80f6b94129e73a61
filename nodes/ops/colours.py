"""Colours that people tell apart, colour-blind or not. Everything is (blue, green, red) u8."""

from __future__ import annotations

Colour = tuple[int, int, int]

# Okabe and Ito, "Color Universal Design" (2008), without black; ordered so that neighbours differ most.
TRACKS: tuple[Colour, ...] = (
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (115, 158, 0),  # bluish green
    (167, 121, 204),  # reddish purple
    (66, 228, 240),  # yellow
    (0, 94, 213),  # vermillion
    (178, 114, 0),  # blue
)
BLACK: Colour = (16, 16, 16)
GREY: Colour = (150, 150, 150)
WHITE: Colour = (255, 255, 255)


def of_track(track_id: int) -> Colour:
    """Return the colour of a track: the same for as long as it lives."""
    return TRACKS[(track_id - 1) % len(TRACKS)]


def ink(paper: Colour) -> Colour:
    """Return black or white, whichever reads better on a colour."""
    blue, green, red = paper
    return BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > 118 else WHITE  # luma of BT.601


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return the colour that is `share` of the way from one to the other."""
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )
