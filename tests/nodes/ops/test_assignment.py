import itertools
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.assignment import Solver, assign, load

BOTH = pytest.mark.parametrize("solver", ["scipy", "lap"])
GAINS = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(-1, 1))
MANY = arrays(np.float64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.floats(-1, 1))


@BOTH
def test_one_good_pair_is_not_broken_up_for_two_bad_ones(solver: Solver) -> None:
    rows, columns = assign(np.array([[0.7, 0.1], [0.1, -0.2]]), solver)

    assert (rows.tolist(), columns.tolist()) == ([0], [0])


@BOTH
def test_two_good_pairs_beat_a_better_one(solver: Solver) -> None:
    rows, columns = assign(np.array([[0.7, 0.6], [0.6, -0.2]]), solver)

    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


@BOTH
def test_what_gains_nothing_stays_alone(solver: Solver) -> None:
    rows, columns = assign(np.array([[0.0, -0.1]]), solver)

    assert (rows.tolist(), columns.tolist()) == ([], [])


@BOTH
def test_nobody_pairs_with_nobody(solver: Solver) -> None:
    rows, columns = assign(np.empty((0, 3)), solver)

    assert (rows.tolist(), columns.tolist()) == ([], [])
    assert rows.dtype == columns.dtype == np.int64


@BOTH
@given(GAINS)
def test_no_other_pairing_gains_more(solver: Solver, gain: np.ndarray) -> None:
    rows, columns = assign(gain, solver)

    square = np.zeros((4, 4))
    square[: gain.shape[0], : gain.shape[1]] = np.maximum(gain, 0)
    best = max(sum(square[k, order[k]] for k in range(4)) for order in itertools.permutations(range(4)))
    assert np.isclose(gain[rows, columns].sum(), best)
    assert (gain[rows, columns] > 0).all()
    assert (np.diff(rows) > 0).all()
    assert len(set(columns.tolist())) == len(columns)


@given(MANY)
def test_both_solvers_gain_the_same(gain: np.ndarray) -> None:
    one, other = (assign(gain, solver) for solver in ("scipy", "lap"))

    assert np.isclose(gain[one].sum(), gain[other].sum())


def test_where_one_pairing_is_best_both_solvers_find_it() -> None:
    gain = np.random.default_rng(5).uniform(-1, 1, (30, 40))

    one, other = (assign(gain, solver) for solver in ("scipy", "lap"))

    assert np.array_equal(one, other)
    assert len(one[0]) == 30


def test_a_solver_that_is_not_installed_is_missed_before_the_first_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lap", None)

    load("scipy")
    with pytest.raises(ModuleNotFoundError, match="lap"):
        load("lap")
