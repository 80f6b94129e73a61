import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.heatmap import cell_centres, evened, hills, in_frame_by_peak, kept_cells, log_odds, peaks, refined_peaks

THINNED = [(64, 80), (48, 52), (32, 40)]
"""Cells that come out of Gaze-LLE-DINOv3 files of 640, 416 and 320 px, and cells of the map inside."""


def hill(x: float, y: float, shape_hw: tuple[int, int] = (48, 64), sigma: float = 0.05) -> np.ndarray:
    xs, ys = cell_centres(shape_hw[1]), cell_centres(shape_hw[0])
    return np.exp(-((xs - x) ** 2 + (ys[:, None] - y) ** 2) / (2 * sigma**2))[None]


def test_cells_lie_evenly() -> None:
    assert cell_centres(4).tolist() == [0.125, 0.375, 0.625, 0.875]


@pytest.mark.parametrize(
    ("count", "source", "left_out"),
    [(64, 80, list(range(4, 80, 5))), (48, 52, [12, 25, 38, 51]), (32, 40, list(range(4, 40, 5)))],
)
def test_a_thinned_axis_has_lost_the_cells_that_upstreams_files_drop(
    count: int, source: int, left_out: list[int]
) -> None:
    kept = kept_cells(count, source)

    assert sorted(set(range(source)) - set(kept.tolist())) == left_out
    assert len(kept) == count
    assert kept[5] == {80: 6, 52: 5, 40: 6}[source]


def gaussians(source: int, sigma: float, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return maps (N, source, source) with one hill each, and where these have their tops (N, 2)."""
    tops = np.random.default_rng(source).uniform(0.06, 0.94, (count, 2))
    near = cell_centres(source)[None] - tops.T[:, :, None]  # (2, N, source)
    x, y = np.exp(-((near * source) ** 2) / (2 * sigma**2))
    return (0.9 * y[:, :, None] * x[:, None, :]).astype(np.float32), tops


def peak_points(maps: np.ndarray) -> np.ndarray:
    row, column, _ = peaks(maps)
    return np.stack([cell_centres(maps.shape[2])[column], cell_centres(maps.shape[1])[row]], axis=1)


@pytest.mark.parametrize("sigma", [1.5, 3.75])
@pytest.mark.parametrize(("count", "source"), THINNED)
def test_evened_maps_are_those_inside_the_model(count: int, source: int, sigma: float) -> None:
    inside, tops = gaussians(source, sigma)
    kept = kept_cells(count, source)
    thinned = inside[:, kept][:, :, kept]

    even = evened(thinned, (source, source))

    assert (even.dtype, even.shape) == (np.float32, inside.shape)
    assert np.array_equal(even[:, kept][:, :, kept], thinned)
    apart = np.abs(even - inside)
    within, at_the_end = float(apart[:, :-1, :-1].max()), float(apart.max())
    assert (within < (0.13 if sigma < 2 else 0.01), at_the_end < 0.2) == (True, True)
    off = [np.linalg.norm(peak_points(maps) - tops, axis=1).mean() for maps in (inside, even, thinned)]
    assert off[1] < 1.1 * off[0]
    assert off[1] < 0.6 * off[2]


def test_axes_are_evened_each_by_its_own_count_and_ramps_stay_ramps() -> None:
    """Of six columns 2 and 5 are dropped, of five rows the last."""
    inside = np.add.outer(0.1 * np.arange(5), 0.05 * np.arange(6))[None]
    thinned = inside[:, [0, 1, 2, 3]][:, :, [0, 1, 3, 4]]

    assert evened(thinned, (6, 5)) == pytest.approx(inside, abs=1e-6)


def test_what_is_filled_in_is_the_cubic_through_its_neighbours() -> None:
    """Column 4 of ten: weights -1/6, 4/6, 4/6, -1/6 of columns 2, 3, 5 and 6."""
    thinned = np.array([[[0.0, 0.0, 0.6, 0.3, 0.9, 0.0, 0.0, 0.0]]])

    assert evened(thinned, (10, 1))[0, 0, 4] == pytest.approx((-0.6 + 4 * 0.3 + 4 * 0.9 - 0.0) / 6)


def test_evened_maps_stay_between_0_and_1_and_none_are_ordinary() -> None:
    rng = np.random.default_rng(0)
    noise = (rng.random((3, 64, 64)) > 0.5).astype(np.float32)

    even = evened(noise, (80, 80))

    assert (even.min(), even.max()) == (0, 1)
    assert evened(np.ones((1, 64, 64), np.float32), (80, 80)) == pytest.approx(np.ones((1, 80, 80)))
    assert evened(np.empty((0, 64, 64), np.float32), (80, 80)).shape == (0, 80, 80)


def test_who_looks_out_of_the_frame_leaves_a_low_peak() -> None:
    heights = np.array([0.3, 0.5, 0.9, 0.0, 1.0], np.float32)
    maps = np.zeros((5, 2, 2), np.float32)
    maps[:, 1, 0] = heights

    plain = in_frame_by_peak(maps, 0.5, 1.0)
    told = in_frame_by_peak(maps, 0.3, 2.0)

    assert plain == pytest.approx([0.3, 0.5, 0.9, 0.0, 1.0], abs=1e-5)
    # twice the log-odds of 0.5 over 0.3: odds (7 / 3) ** 2
    assert told[:2] == pytest.approx([0.5, 49 / 58], abs=1e-6)
    assert plain.dtype == np.float32
    assert in_frame_by_peak(maps[:0], 0.3, 1.0).shape == (0,)


def test_log_odds_are_never_infinite() -> None:
    assert log_odds(np.array(0.8)) == pytest.approx(np.log(4))
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


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
    xs = (kept_cells(64, 80) + 0.5) / 80
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
