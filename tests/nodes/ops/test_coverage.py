"""Shares of map cells in areas and boxes."""

import numpy as np

from nodes.ops.coverage import PER_CELL, area_masks, box_shares, cell_shares, shared, uncovered
from nodes.ops.polygon import inside

LEFT = np.array([[0, 0], [0.5, 0], [0.5, 1], [0, 1]])
TOP = np.array([[0, 0], [1, 0], [1, 0.5], [0, 0.5]])
MIDDLE = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])


def test_cells_are_covered_as_far_as_an_area_reaches() -> None:
    masks = area_masks([[LEFT], [MIDDLE]], [0, 0], (2, 4))

    assert masks.shape == (2, 2 * PER_CELL, 4 * PER_CELL)
    np.testing.assert_allclose(cell_shares(masks)[0], [[1, 1, 0, 0]] * 2)
    np.testing.assert_allclose(cell_shares(masks)[1], [[0, 0.5, 0.5, 0]] * 2)


def test_a_slanted_edge_cuts_a_cell_in_half() -> None:
    triangle = np.array([[0, 0], [1, 0], [0, 1]])

    (share,) = cell_shares(area_masks([[triangle]], [0], (1, 1)))

    assert abs(share[0, 0] - 0.5) <= 0.5 / PER_CELL


def test_holes_and_higher_levels_are_cut_out() -> None:
    holed, whole = cell_shares(area_masks([[TOP, MIDDLE], [TOP]], [0, 0], (4, 4)))
    below, above = cell_shares(area_masks([[TOP], [MIDDLE]], [0, 1], (4, 4)))

    assert whole.sum() - holed.sum() == 2  # the upper half of the middle: 2 of 16 cells
    np.testing.assert_allclose(below, holed)
    assert above.sum() == 4


def test_areas_of_one_level_share_what_they_overlap_in() -> None:
    masks = area_masks([[LEFT], [TOP], [MIDDLE]], [0, 0, 0], (4, 4))

    np.testing.assert_allclose(shared(masks), [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]])


def test_no_areas() -> None:
    masks = area_masks([], [], (2, 3))

    assert cell_shares(masks).shape == (0, 2, 3)
    assert shared(masks).shape == (0, 0)


def test_boxes_cover_products_of_rows_and_columns() -> None:
    rows, columns = box_shares(np.array([[0.25, 0.5, 0.625, 2.0]]), (2, 4))

    np.testing.assert_allclose(rows, [[0, 1]])
    np.testing.assert_allclose(columns, [[0, 1, 0.5, 0]])
    np.testing.assert_allclose(uncovered(np.array([[0.25, 0.5, 0.625, 2.0]]), (2, 4)), [[1, 1, 1, 1], [1, 0, 0.5, 1]])
    np.testing.assert_allclose(uncovered(np.zeros((0, 4)), (1, 2)), [[1, 1]])


def test_points_are_in_an_area_where_the_polygon_says_so() -> None:
    random = np.random.default_rng(4)
    y, x = ((np.arange(count * PER_CELL) + 0.5) / (count * PER_CELL) for count in (3, 5))
    points = np.stack([grid.ravel() for grid in np.meshgrid(x, y)], axis=1)
    on_points = np.stack([random.choice(x, 4), random.choice(y, 4)], axis=1)  # its edges run through points of the grid

    for ring in (on_points, *(random.uniform(0, 1, (6, 2)) for _ in range(20))):
        (mask,) = area_masks([[ring]], [0], (3, 5))
        np.testing.assert_array_equal(mask.ravel(), inside(points, ring))
