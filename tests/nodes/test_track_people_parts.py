"""People of whom a head or a body alone is seen."""

import numpy as np
import pytest

from tests.nodes.walkers import follow, ids, person


@pytest.mark.parametrize("part", ["head", "body"])
def test_half_a_person_keeps_the_number(part: str) -> None:
    half = {"body" if part == "head" else "head": False}
    walk = [[person(0.2 + 0.01 * k, **(half if 5 <= k < 30 else {}))] for k in range(40)]

    tracks = follow(*walk)

    assert ids(tracks) == [[1]] * 40
    assert tracks[20].observed.all()


def test_a_head_first_and_a_body_later_are_one_person() -> None:
    coming = [[person(0.5, body=False)]] * 5 + [[person(0.5, head=False)]] * 5 + [[person(0.5)]] * 5

    assert ids(follow(*coming)) == [[1]] * 15


def test_a_head_and_a_body_found_apart_complete_one_person() -> None:
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow([person(0.5)], *[apart] * 10)

    assert ids(tracks) == [[1]] * 11
    assert tracks[-1].head_score[0] == tracks[-1].body_score[0] == np.float32(0.8)


def test_halves_that_turn_out_to_be_one_person_become_one() -> None:
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow(apart, *[[person(0.5)]] * 5, *[apart] * 5)

    assert ids(tracks)[0] == [1, 2]
    assert len(ids(tracks)[-1]) == 1


def test_a_body_not_seen_for_long_is_taken_up_anew() -> None:
    wrong = person(0.5) | {"body_box": [0.4, 0.2, 0.9, 1.0]}
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow([wrong], *[[person(0.5, body=False)]] * 30, *[apart] * 5, max_lost_s=2.0)

    assert ids(tracks) == [[1]] * 36
    assert tracks[-1].body_box[0] == pytest.approx([0.44, 0.2, 0.56, 0.8])


def test_a_hidden_body_is_reported_while_the_head_is_seen_for_coast_s() -> None:
    tracks = follow(*[[person(0.5)]] * 5, *[[person(0.5, body=False)]] * 10, coast_s=0.5, coast_spread=9.0)

    hidden = [bool(np.isnan(frame.body_box).all()) for frame in tracks]
    assert hidden == [False] * 10 + [True] * 5
    assert [frame.body_score[0] > 0 for frame in tracks] == [True] * 5 + [False] * 10
