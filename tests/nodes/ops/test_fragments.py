"""Pieces of tracks and what a link between two of them is worth: people made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nodes.ops.fragments import Fragments, links, places, straightness
from nodes.ops.linking import Rows
from tests.nodes.ops.sights import path_of, pieces_of, sight, together

LOSS = 0.6 * 0.6
"""What speaks against a link when nobody stands in front of either end."""


def crowd(pan: tuple[float, float] = (0, 0), count: int = 4, frames: int = 100) -> list[Rows]:
    """Return people who stand below where the others are, seen all the time."""
    return [sight(90 + k, range(frames), 0.3 + 0.4 * k, 0.75, tall=0.2, pan=pan) for k in range(count)]


def worth(pieces: Fragments, first: int = 0, second: int = 1) -> float:
    """Return what a link from one fragment of those not in the crowd to another is worth; 0 where there is none."""
    mine = np.flatnonzero(pieces.track_id < 90)
    a, b, gain = links(pieces)
    return float(gain[(a == mine[first]) & (b == mine[second])].sum())


def test_people_are_where_their_body_is_or_else_below_their_head() -> None:
    head = np.array([[0.2, 0.1, 0.24, 0.2], [0.5, 0.4, 0.54, 0.5]], np.float32)
    body = np.array([[0.1, 0.1, 0.2, 0.5], [np.nan] * 4], np.float32)

    assert places(head, body, 2.0) == pytest.approx(np.array([[0.3, 0.1, 0.2, 0.4], [1.04, 0.4, 0.16, 0.6]]))


def test_the_camera_moves_as_most_people_do() -> None:
    still, strays = crowd(pan=(0.2, -0.1)), sight(1, range(100), 1.0, 0.3, speed=(-0.9, 0))

    path = path_of(together(*still, strays))

    assert path == pytest.approx(np.arange(100)[:, None] * [0.02, -0.01], abs=1e-5)


def test_too_few_people_tell_nothing_about_the_camera() -> None:
    assert not path_of(together(*crowd(pan=(0.2, 0), count=3))).any()


def test_steps_over_frames_in_which_somebody_is_not_seen_tell_nothing() -> None:
    others = [sight(k, range(0, 10, 2), 0.2 * k, speed=(0.2, 0)) for k in range(1, 6)]

    assert not path_of(together(*others)).any()


def test_one_who_goes_and_another_who_comes_tell_nothing() -> None:
    pairs = [sight(k, [3 + k % 2], 0.2 * k) for k in range(8)]

    assert not path_of(together(*pairs)).any()


def test_tracks_are_cut_where_somebody_is_out_of_sight_for_longer() -> None:
    pieces = pieces_of(sight(7, [3, 4, 8, 13, 14]), sight(5, [4, 5], 0.3))

    assert pieces.track_id.tolist() == [7, 5, 7]
    assert (pieces.span_ns / 1e8).tolist() == [[3, 8], [4, 5], [13, 14]]
    assert [rows.tolist() for rows in pieces.rows] == [[0, 2, 4], [1, 3], [5, 6]]


def test_speed_is_told_by_a_line_through_the_last_sights_of_either_end() -> None:
    """0.8 s of ten frames a second are nine sights, whose times have squares that sum up to 0.6."""
    there, back = sight(1, range(20), 0.5, speed=(0.2, 0.1)), sight(1, range(20, 40), 1.3, 0.7, speed=(-0.2, -0.1))

    pieces = pieces_of(there, back)

    slow = 0.6 / (0.6 + 0.02)
    assert pieces.speed[0] == pytest.approx(slow * np.array([[0.2, 0.1], [-0.2, -0.1]]), abs=1e-5)
    lags = 0.4 * (1 - slow)  # of the line, in seconds of the walk, at its end
    assert pieces.place[0] == pytest.approx(
        np.array([[0.5 + 0.2 * lags, 0.3 + 0.1 * lags], [0.52 + 0.2 * lags, 0.31 + 0.1 * lags]]), abs=1e-5
    )
    assert pieces.height[0] == pytest.approx([0.3, 0.3])
    assert pieces.width[0] == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("when", [[3], [3, 6], [3, 4]])
def test_who_is_hardly_seen_has_no_speed_and_is_where_it_is_seen(when: list[int]) -> None:
    pieces = pieces_of(sight(1, when, 0.5, speed=(0.2, 0)))

    assert not pieces.speed.any()
    assert pieces.place[0, :, 0] == pytest.approx([0.5 + 0.02 * when[0], 0.5 + 0.02 * when[-1]])


def test_one_wild_box_at_the_end_is_not_taken_at_its_word() -> None:
    steady, wild = sight(1, range(19), 0.5), sight(1, [19], 0.62, tall=0.5)

    pieces = pieces_of(steady, wild)

    assert 0.5 < pieces.place[0, 1, 0] < 0.56
    assert pieces.height[0, 1] == pytest.approx(0.3)


def test_ends_are_as_if_the_camera_stood() -> None:
    pieces = pieces_of(*crowd(pan=(0.1, -0.05)), sight(1, range(40, 60), 0.7, 0.6, pan=(0.1, -0.05)))

    mine = pieces.track_id == 1
    assert pieces.place[mine, 0] == pytest.approx(np.array([[0.7, 0.6]]), abs=1e-4)
    assert not pieces.speed[mine].round(4).any()


def test_who_would_be_outside_the_picture_soon_goes_out() -> None:
    goes = sight(1, range(10), 1.6, speed=(0.3, 0))
    comes = sight(2, range(10), 0.12, 0.1, speed=(0.3, 0))
    near = sight(3, range(10), 1.0, 0.8)  # half of it is below the picture
    stands = sight(4, range(10), 0.3, 0.3)

    assert pieces_of(goes, comes).leaves.tolist() == [[False, True], [True, False]]
    assert not pieces_of(near, stands).leaves.any()
    assert pieces_of(sight(1, range(10), 1.0, 0.9)).leaves.all()
    assert pieces_of(sight(1, range(10), 0.06)).leaves.all()  # its box begins at the edge
    assert pieces_of(sight(1, range(10), 1.94)).leaves.all()


def test_ends_are_hidden_by_the_one_who_covers_most_at_that_very_time() -> None:
    half = sight(2, range(5), 1.05)
    less = sight(3, range(5), 0.98, 0.57)
    later = sight(4, range(12, 20), 1.0)

    pieces = pieces_of(sight(1, range(10)), half, less, later)

    assert pieces.hidden[pieces.track_id == 1] == pytest.approx(np.array([[0.5, 0]]), abs=1e-5)


def test_heads_alone_are_neither_hidden_nor_in_the_way() -> None:
    pieces = pieces_of(sight(1, range(5), head_only=True), sight(2, range(5)))

    assert not pieces.hidden.any()


@pytest.mark.parametrize(("gap", "linked"), [(40, True), (41, False)])
def test_links_are_over_four_seconds_at_most(gap: int, linked: bool) -> None:
    """Who stands before both ends speaks for the link, so that it is worth it."""
    pieces = pieces_of(sight(1, range(5)), sight(2, range(4 + gap, 60)), sight(90, range(100), tall=0.31))

    assert worth(pieces) == pytest.approx((1 - 0.3 * 4.0 + 0.6 * (2 - 0.6)) * linked, abs=1e-5)


def test_only_who_begins_later_is_a_next() -> None:
    a, b, _ = links(pieces_of(sight(1, range(10)), sight(2, range(9, 20)), sight(3, range(10, 20))))

    assert (a.tolist(), b.tolist()) == ([0], [2])


def test_waiting_counts_against_a_link() -> None:
    assert worth(pieces_of(sight(1, range(5)), sight(2, range(9, 15)))) == pytest.approx(1 - LOSS - 0.3 * 0.5)
    assert worth(pieces_of(sight(1, range(5)), sight(2, range(19, 25)))) == pytest.approx(1 - LOSS - 0.3 * 1.5)


def test_the_same_track_speaks_for_its_next_fragment_only() -> None:
    pieces = pieces_of(sight(1, range(5)), sight(1, range(9, 11)), sight(1, range(15, 20)))

    assert worth(pieces) == pytest.approx(1 + 0.5 - LOSS - 0.3 * 0.5)
    assert worth(pieces, 0, 2) == pytest.approx(1 - LOSS - 0.3 * 1.1)


def test_what_misses_the_way_counts_in_body_heights_and_less_the_longer_it_took() -> None:
    for gap, frames in ((0.5, range(9, 15)), (1.0, range(14, 20))):
        pieces = pieces_of(sight(1, range(5)), sight(2, frames, 1.03))

        assert worth(pieces) == pytest.approx(1 - LOSS - 0.3 * gap - 0.1 / (0.3 + 0.35 * gap), abs=1e-5)


def test_walkers_go_on_as_they_went_and_as_they_go_again() -> None:
    """A body height a second to the right, for half a second out of sight."""
    walker = sight(1, range(10), 0.5, speed=(0.3, 0))
    ahead, stays = sight(2, range(14, 24), 0.5, speed=(0.3, 0)), sight(3, range(14, 24), 0.77)

    pieces = pieces_of(walker, ahead, stays)

    assert worth(pieces, 0, 1) > 0.2
    assert worth(pieces, 0, 2) < 0.1


def test_a_speed_fades_while_nobody_looks() -> None:
    walker = sight(1, range(10), 0.5, speed=(0.2, 0))
    walked = 1.5 * (1 - math.exp(-1 / 1.5)) * 0.2 * 0.6 / 0.62
    end = pieces_of(walker).place[0, 1, 0]

    pieces = pieces_of(walker, sight(2, range(19, 21), end + walked / 2))  # too short a look for a speed of its own

    assert worth(pieces) == pytest.approx(1 - LOSS - 0.3, abs=1e-4)


def test_another_size_counts_against_a_link() -> None:
    pieces = pieces_of(sight(1, range(5)), sight(2, range(9, 15), tall=0.33))

    assert worth(pieces) == pytest.approx(1 - LOSS - 0.3 * 0.5 - 2 * math.log(1.1), abs=1e-5)


def test_who_hides_an_end_speaks_for_the_link() -> None:
    before, after = sight(1, range(5)), sight(2, range(9, 15))
    alone = worth(pieces_of(before, after))

    once = worth(pieces_of(before, after, sight(90, range(2, 7), tall=0.31)))
    twice = worth(pieces_of(before, after, sight(90, range(2, 12), tall=0.31)))

    assert (once - alone, twice - alone) == pytest.approx((0.6, 1.2), abs=1e-5)


def test_going_out_and_coming_in_speak_against_a_link() -> None:
    before, after = sight(1, range(5), 0.06), sight(1, range(9, 15), 0.06)
    inside = sight(1, range(9, 15), 0.075)

    assert worth(pieces_of(before, inside)) == pytest.approx(1.5 - LOSS - 0.15 - 0.5 - 0.05 / 0.475, abs=1e-4)
    assert worth(pieces_of(before, after)) == pytest.approx(max(1.5 - LOSS - 0.15 - 1.0, 0), abs=1e-4)
    assert worth(pieces_of(before, after, sight(90, range(20), 0.06, tall=0.31))) > 0.5


def test_while_the_camera_turns_people_stay_where_they_are() -> None:
    pan = (0.2, 0)
    pieces = pieces_of(*crowd(pan=pan, frames=40), sight(1, range(10), pan=pan), sight(2, range(14, 24), pan=pan))

    assert worth(pieces) == pytest.approx(1 - LOSS - 0.15, abs=1e-3)


def test_the_middle_of_a_bend_is_off_by_the_difference_of_speeds() -> None:
    """Two seconds with 0.1 before and -0.1 after, where the straight way stands still: 0.1 × 2 s / 8."""
    there, back = sight(1, range(20), speed=(0.1, 0)), sight(1, range(39, 60), 1.0 + 0.1 * 5.8, speed=(-0.1, 0))

    pieces = pieces_of(there, back)

    assert straightness(pieces, np.array([0]), np.array([1])) == pytest.approx(0.1 * 2 / 8, rel=0.05)
    on = pieces_of(there, sight(1, range(39, 60), speed=(0.1, 0)))
    assert straightness(on, np.array([0]), np.array([1])) == pytest.approx(0, abs=0.002)
