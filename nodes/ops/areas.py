"""The areas of a camera, or a grid in their place, on heat maps of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.coverage import area_masks, cell_shares, shared

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Areas:
    """A areas of the frame."""

    names: list[str]
    grid: bool
    """Whether they are the cells of a grid."""
    cells: Any
    """(A, h, w) float64 share of each cell in each area; on the host when it is made."""
    centre: Array
    """(A, 2)."""
    size: Array
    """(A,) share of the frame."""
    shared: Array
    """(A, A) how much they overlap."""


def named_areas(areas: Mapping[str, Any], shape_hw: tuple[int, int]) -> Areas:
    """Return the areas of a camera.

    Args:
        areas: by name, each with `polygon` and `holes`, vertices in fractions of the frame, and `level`.
        shape_hw: rows and columns of the maps.
    """
    rings = [[np.array(ring) for ring in (area.polygon, *area.holes)] for area in areas.values()]
    return _on_maps(list(areas), rings, [area.level for area in areas.values()], shape_hw, grid=False)


def grid_areas(grid_hw: tuple[int, int], shape_hw: tuple[int, int]) -> Areas:
    """Return the cells of a grid over the frame, row by row; none where it has no rows.

    Args:
        grid_hw: rows and columns of the grid.
        shape_hw: rows and columns of the maps.
    """
    rows, columns = grid_hw
    places = [(row, column) for row in range(rows) for column in range(columns if rows else 0)]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    rings = [[(corners + np.array([column, row])) / [columns, rows]] for row, column in places]
    names = [f"grid:{row + 1}-{column + 1}" for row, column in places]
    return _on_maps(names, rings, [0] * len(places), shape_hw, grid=True)


def _on_maps(
    names: list[str], rings: Sequence[Sequence[Array]], levels: Sequence[int], shape_hw: tuple[int, int], grid: bool
) -> Areas:
    masks = area_masks(rings, levels, shape_hw)
    cells = cell_shares(masks)
    middles = np.array([outline.mean(axis=0) for outline, *_ in rings]).reshape(-1, 2)
    return Areas(names, grid, cells, middles, cells.mean(axis=(1, 2)), shared(masks))
