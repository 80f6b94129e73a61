import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.heatmap import cell_centres, hills, peaks, refined_peaks


def hill(x: float, y: float, shape_hw: tuple[int, int] = (48, 64), sigma: float = 0.05) -> np.ndarray:
    xs, ys = cell_centres(shape_hw[1]), cell_centres(shape_hw[0])
    return np.exp(-((xs - x) ** 2 + (ys[:, None] - y) ** 2) / (2 * sigma**2))[None]


def test_cells_lie_evenly() -> None:
    assert cell_centres(4).tolist() == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize(
    ("count", "source", "left_out"),
    [(64, 80, list(range(4, 80, 5))), (48, 52, [12, 25, 38, 51]), (32, 40, list(range(4, 40, 5)))],
)
def test_cells_that_the_model_left_out_are_accounted_for(count: int, source: int, left_out: list[int]) -> None:
    picked = np.round(cell_centres(count, source) * source - 0.5).astype(int)

    assert sorted(set(range(source)) - set(picked.tolist())) == left_out
    assert len(picked) == count


def test_the_peak_is_the_first_of_the_highest_cells() -> None:
    maps = np.array([[[0.1, 0.9, 0.2], [0.0, 0.9, 0.3]], [[0, 0, 0], [0, 0, 0.5]]], np.float32)

    row, column, height = peaks(maps)

    assert (row.tolist(), column.tolist()) == ([0, 1], [1, 2])
    assert height == pytest.approx([0.9, 0.5])


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_gaussian_hill_is_located_exactly(x: float, y: float) -> None:
    maps = hill(x, y)

    point = refined_peaks(maps, cell_centres(64), cell_centres(48))

    assert point[0] == pytest.approx([x, y], abs=1e-6)


@given(st.floats(0.05, 0.95))
def test_a_hill_sampled_with_gaps_is_located_exactly(x: float) -> None:
    xs = cell_centres(64, 80)
    maps = np.exp(-((xs - x) ** 2) / (2 * 0.05**2))[None, None].repeat(3, axis=1)

    assert refined_peaks(maps, xs, cell_centres(3))[0, 0] == pytest.approx(x, abs=1e-6)


def test_a_peak_is_refined_by_half_a_cell_at_most() -> None:
    maps = np.array([[[0.0, 0.9, 0.9, 0.0]], [[0.5, 0.5, 0.5, 0.5]], [[0.0, 0.0, 0.0, 0.0]]], np.float32)

    point = refined_peaks(maps, cell_centres(4), cell_centres(1))

    assert point.tolist() == pytest.approx(np.array([[0.5, 0.5], [0.125, 0.5], [0.125, 0.5]]))


def test_at_the_edge_of_the_map_it_is_the_centre_of_the_cell() -> None:
    maps = np.array([[[0.2, 0.4, 0.9]]], np.float32)

    assert refined_peaks(maps, cell_centres(3), cell_centres(1))[0] == pytest.approx([5 / 6, 0.5])


def test_the_centre_of_a_hill_weighs_the_high_cells() -> None:
    maps = np.array([[[0.2, 0.0, 0.6, 0.9]]], np.float32)

    centres = [hills(maps, cell_centres(4), cell_centres(1), floor)[0][0] for floor in (0.5, 1.0, 0.0)]

    assert centres == [pytest.approx([x, 0.5]) for x in (0.775, 0.875, 1.1875 / 1.7)]


def test_an_empty_map_has_its_centre_in_the_middle_and_is_spread_over_the_frame() -> None:
    centre, spread = hills(np.zeros((1, 3, 3)), cell_centres(3), cell_centres(3), 0.5)

    assert centre[0] == pytest.approx([0.5, 0.5])
    assert spread[0] == pytest.approx([12**-0.5, 12**-0.5])


def test_a_hill_of_one_cell_is_as_wide_as_the_cell() -> None:
    maps = np.array([[[0.1, 0.1, 0.9, 0.2], [0.1, 0.1, 0.4, 0.2]]], np.float32)

    assert hills(maps, cell_centres(4), cell_centres(2), 0.5)[1][0] == pytest.approx([0.25 / 12**0.5, 0.5 / 12**0.5])


@given(st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.floats(0.02, 0.08))
def test_a_gaussian_hill_is_as_wide_as_it_is(x: float, y: float, sigma: float) -> None:
    centre, spread = hills(hill(x, y, sigma=sigma), cell_centres(64), cell_centres(48), 0.0)

    cells = np.array([1 / 64, 1 / 48])
    assert centre[0] == pytest.approx([x, y], abs=1e-3)
    assert spread[0] == pytest.approx(np.sqrt(sigma**2 + cells**2 / 12), rel=0.01)
