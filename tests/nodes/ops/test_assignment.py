import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.assignment import assign


def test_one_good_pair_is_not_broken_up_for_two_bad_ones() -> None:
    rows, columns = assign(np.array([[0.7, 0.1], [0.1, -0.2]]))

    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_two_good_pairs_beat_a_better_one() -> None:
    rows, columns = assign(np.array([[0.7, 0.6], [0.6, -0.2]]))

    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_what_gains_nothing_stays_alone() -> None:
    rows, columns = assign(np.array([[0.0, -0.1]]))

    assert (rows.tolist(), columns.tolist()) == ([], [])


def test_nobody_pairs_with_nobody() -> None:
    rows, columns = assign(np.empty((0, 3)))

    assert (rows.tolist(), columns.tolist()) == ([], [])
    assert rows.dtype == columns.dtype == np.int64


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-1, 1)))
def test_no_other_pairing_gains_more(gain: np.ndarray) -> None:
    rows, columns = assign(gain)

    square = np.zeros((4, 4))
    square[: gain.shape[0], : gain.shape[1]] = np.maximum(gain, 0)
    best = max(sum(square[k, order[k]] for k in range(4)) for order in itertools.permutations(range(4)))
    assert np.isclose(gain[rows, columns].sum(), best)
    assert (gain[rows, columns] > 0).all()
    assert len(set(columns.tolist())) == len(columns)
