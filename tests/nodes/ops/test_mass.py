from __future__ import annotations

import numpy as np
import pytest

from nodes.ops.mass import cell_shares_of_maps, in_areas, in_boxes

MAPS = np.array([[[1, 1, 0, 2], [0, 0, 4, 0]], [[0, 0, 0, 0], [0, 0, 0, 0]]], np.float32)
"""Of the first the sum is 8; the second is of somebody who looks nowhere."""
LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]


def test_maps_become_shares() -> None:
    share = cell_shares_of_maps(MAPS)

    assert share[0].tolist() == [[0.125, 0.125, 0, 0.25], [0, 0, 0.5, 0]]
    assert share[1].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert share.dtype == np.float64


def test_an_area_has_the_share_of_its_cells_and_heads_hide_what_is_behind() -> None:
    areas = np.zeros((2, 2, 4))
    areas[0, :, 2:], areas[1, 0] = 1, 0.5
    head = np.array([[0.5, 0.5, 0.75, 1.0]])  # over the cell that is looked at most
    share = cell_shares_of_maps(MAPS)

    assert in_areas(share, areas, np.empty((0, 4)))[0].tolist() == [0.75, 0.25]
    assert in_areas(share, areas, head)[0].tolist() == [0.25, 0.25]
    assert in_areas(share, areas, head)[1].tolist() == [0, 0]


def test_a_box_has_the_share_that_it_covers() -> None:
    part = [0.75, 0.0, 0.875, 0.5]  # half of the cell in the upper right

    told = in_boxes(cell_shares_of_maps(MAPS), np.array([LEFT, RIGHT, part]))

    assert told[0] == pytest.approx([0.25, 0.75, 0.125])
