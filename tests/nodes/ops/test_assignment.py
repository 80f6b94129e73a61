import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.assignment import assign


def test_one_good_pair_is_not_broken_up_for_two_bad_ones() -> None:
    rows, columns = assign(np.array([[0.9, 0.3], [0.3, 0.0]]), 0.2)

    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_two_good_pairs_beat_a_better_one() -> None:
    rows, columns = assign(np.array([[0.9, 0.8], [0.8, 0.0]]), 0.2)

    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_what_is_not_alike_enough_stays_alone() -> None:
    rows, columns = assign(np.array([[0.2, 0.1]]), 0.2)

    assert (rows.tolist(), columns.tolist()) == ([], [])


def test_nobody_pairs_with_nobody() -> None:
    rows, columns = assign(np.empty((0, 3)), 0.2)

    assert (rows.tolist(), columns.tolist()) == ([], [])
    assert rows.dtype == columns.dtype == np.int64


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(0, 1)))
def test_no_other_pairing_gains_more(similarity: np.ndarray) -> None:
    rows, columns = assign(similarity, 0.25)

    gain = np.maximum(similarity - 0.25, 0)
    square = np.zeros((4, 4))
    square[: gain.shape[0], : gain.shape[1]] = gain
    best = max(sum(square[k, order[k]] for k in range(4)) for order in itertools.permutations(range(4)))
    assert np.isclose(gain[rows, columns].sum(), best)
    assert (similarity[rows, columns] > 0.25).all()
    assert len(set(columns.tolist())) == len(columns)
