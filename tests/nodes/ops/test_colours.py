import itertools

import pytest

from nodes.ops.colours import BLACK, TRACKS, WHITE, Colour, ink, mix, of_track


def luminance(colour: Colour) -> float:
    """Relative luminance of WCAG 2.1."""
    blue, green, red = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.0722 * blue + 0.7152 * green + 0.2126 * red


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def without_red_and_green(colour: Colour) -> tuple[float, float]:
    """What people see who cannot tell red from green: blue, and a blend of the other two."""
    blue, green, red = colour
    return blue, 0.6 * red + 0.4 * green


@pytest.mark.parametrize("paper", [*TRACKS, BLACK, WHITE])
def test_ink_reads_on_every_paper(paper: Colour) -> None:
    assert contrast(ink(paper), paper) >= 3.0  # WCAG 2.1, large or bold text


def test_tracks_keep_their_colour_and_neighbours_differ() -> None:
    assert of_track(1) == of_track(8) == TRACKS[0]
    assert len(set(TRACKS)) == 7


@pytest.mark.parametrize("pair", list(itertools.combinations(TRACKS, 2)))
def test_colours_differ_for_the_colour_blind(pair: tuple[Colour, Colour]) -> None:
    (blue, rest), (other_blue, other_rest) = map(without_red_and_green, pair)

    assert max(abs(blue - other_blue), abs(rest - other_rest)) > 20


def test_mix_goes_from_one_to_the_other() -> None:
    assert mix((0, 100, 200), (100, 200, 0), 0) == (0, 100, 200)
    assert mix((0, 100, 200), (100, 200, 0), 1) == (100, 200, 0)
    assert mix((0, 100, 200), (100, 200, 0), 0.5) == (50, 150, 100)
