"""Rows are drawn in rounds, each once a round, in an order that the seed alone decides."""

import numpy as np
import pytest

from tests.training.rows import crop_rows
from training.data import NOT_RENDERED, Rows
from training.draws import Draws


def drawn(draws: Draws, first: int, count: int) -> list[tuple[int, int]]:
    """Return number of pictures of the set, which tells sets apart, and row of some draws."""
    return [(len(rows.count), row) for rows, row in (draws[k] for k in range(first, first + count))]


SETS = [crop_rows(3), crop_rows(5)]
ALL = sorted([(3, k) for k in range(3)] + [(5, k) for k in range(5)])


def test_each_round_has_every_row_once() -> None:
    draws = Draws(SETS, seed=1)

    first, second = drawn(draws, 0, 8), drawn(draws, 8, 8)

    assert len(draws) == 8
    assert sorted(first) == sorted(second) == ALL
    assert first != second


def test_the_order_is_that_of_the_seed_wherever_one_begins() -> None:
    whole = drawn(Draws(SETS, seed=1), 0, 24)

    assert drawn(Draws(SETS, seed=1), 11, 13) == whole[11:]
    assert drawn(Draws(SETS, seed=2), 0, 24) != whole


def test_sets_count_as_often_as_is_asked() -> None:
    draws = Draws(SETS, seed=1, repeats=[3, 1])

    assert sorted(drawn(draws, 0, 14)) == sorted([(3, k) for k in range(3)] * 3 + [(5, k) for k in range(5)])


def test_only_rendered_rows_are_drawn() -> None:
    half = Rows(SETS[1].pictures, SETS[1].truth, np.array([1, NOT_RENDERED, 1, NOT_RENDERED, 0], np.int16))

    assert sorted(drawn(Draws([half], seed=1), 0, 3)) == [(5, 0), (5, 2), (5, 4)]


def test_nothing_rendered_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        Draws([], seed=1)

    assert str(caught.value) == ("training data: expected rendered rows, got none; run python -m training.data first")
