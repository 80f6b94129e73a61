import numpy as np
import pytest

from nodes.locate_gaze import LocateGaze
from nodes.types import GazeMaps, GazePoints
from tests.helpers import make_node, run_node, table

SLOPE = [[0.1, 0.2, 0.1, 0.0], [0.2, 0.8, 0.4, 0.1], [0.1, 0.2, 0.1, 0.0]]


def locate(*maps: list[list[float]], **config: object) -> GazePoints:
    gaze = table(
        GazeMaps,
        frame_row=[0] * len(maps),
        track_id=[k + 1 for k in range(len(maps))],
        head_box=[[0.1, 0.2, 0.3, 0.6]] * len(maps),
        heatmap=maps,
        in_frame_prob=[0.7] * len(maps),
        asked_ns=[5] * len(maps),
    )
    return run_node(make_node(LocateGaze, **config), [(gaze,)])[0]


def test_the_peak_is_the_centre_of_the_highest_cell() -> None:
    points = locate(SLOPE, how="peak")

    assert points.point[0] == pytest.approx([1.5 / 4, 1.5 / 3])
    assert (points.peak[0], points.in_frame_prob[0]) == (np.float32(0.8), np.float32(0.7))
    assert points.head_point[0] == pytest.approx([0.2, 0.4])


def test_the_refined_peak_leans_to_the_higher_neighbour() -> None:
    """Slopes of the logarithm: ln 4 before the peak, -ln 2 after it; the top is where their line is 0."""
    points = locate(SLOPE, how="refined")

    expected = (1 + np.log(4) / (np.log(4) + np.log(2))) / 4
    assert points.point[0] == pytest.approx([expected, 0.5])
    assert points.peak[0] == np.float32(0.8)


def test_the_hill_is_the_high_cells() -> None:
    points = locate(SLOPE, how="hill", hill_floor=0.5)

    assert points.point[0] == pytest.approx([(0.8 * 1.5 + 0.4 * 2.5) / 1.2 / 4, 0.5])
    assert points.spread[0] == pytest.approx([(2 / 9 + 1 / 12) ** 0.5 / 4, (1 / 12) ** 0.5 / 3])


def test_the_spread_is_that_of_the_hill_however_the_point_is_found() -> None:
    ways = [locate(SLOPE, how=how, hill_floor=0.5) for how in ("hill", "refined", "peak")]

    assert len({tuple(points.spread[0].tolist()) for points in ways}) == 1


def test_what_the_map_was_made_of_is_carried_over() -> None:
    assert locate(SLOPE, SLOPE).asked_ns.tolist() == [5, 5]


def test_each_head_has_its_own_point() -> None:
    points = locate(SLOPE, SLOPE[::-1], np.fliplr(SLOPE).tolist(), how="peak")

    assert points.track_id.tolist() == [1, 2, 3]
    assert points.point == pytest.approx(np.array([[0.375, 0.5], [0.375, 0.5], [0.625, 0.5]]))


def test_no_maps_are_no_points() -> None:
    assert len(run_node(make_node(LocateGaze), [(GazeMaps.empty(),)])[0]) == 0
