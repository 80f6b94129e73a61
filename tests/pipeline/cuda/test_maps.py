"""Peaks of maps by the kernels, executed on the CPU, are those that the host finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.heatmap import cell_centres, peaks, refined_peaks
from pipeline.cuda import source
from tests.pipeline.cuda.on_cpu import CompiledKernels


def found(kernels: CompiledKernels, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y (N, 2) and heights (N,) of the peaks of maps (N, h, w) f32."""
    count, _, wide = maps.shape
    shape = np.array(maps.shape, np.int32)
    rows, xy, height = np.full((count, wide), -1, np.int32), np.zeros((count, 2), np.float32), np.zeros(count, "f4")
    kernels.launch(source.COLUMN_PEAKS, source.grid((wide, count), 1), maps, shape, rows)
    kernels.launch(source.MAP_PEAKS, source.grid((count, 1), 1), maps, shape, rows, xy, height)
    return xy, height


def hills(count: int, size_wh: tuple[int, int]) -> np.ndarray:
    """Return maps (count, h, w) f32, 0 to 1, each a Gaussian hill whose top lies anywhere, the edges included."""
    random = np.random.default_rng(3)
    (wide, high), centre = size_wh, random.uniform(-0.02, 1.02, (count, 2))
    spread = random.uniform(0.02, 0.2, (count, 1, 1))
    x, y = cell_centres(wide)[None, None, :], cell_centres(high)[None, :, None]
    away = (x - centre[:, 0, None, None]) ** 2 + (y - centre[:, 1, None, None]) ** 2
    return np.exp(-away / (2 * spread**2)).astype(np.float32)


def by_host(maps: np.ndarray) -> np.ndarray:
    return refined_peaks(maps, cell_centres(maps.shape[2]), cell_centres(maps.shape[1]))


@pytest.mark.parametrize("size_wh", [(64, 64), (48, 27), (3, 40), (1, 1)])
def test_peaks_of_hills_are_those_of_the_host(map_kernels: CompiledKernels, size_wh):
    maps = hills(70, size_wh)

    xy, height = found(map_kernels, maps)

    # Logarithms near a peak are good to 2 ** -22, and the widest hills, 12.8 cells, bend by 1 / 164 a cell: places are
    # good to 164 * 2 ** -22 of a cell, the host's and the kernel's.
    np.testing.assert_allclose(xy * size_wh, by_host(maps) * size_wh, rtol=0, atol=2 * 164 * 2**-22)
    np.testing.assert_array_equal(height, maps.max(axis=(1, 2)))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 4), st.randoms(use_true_random=False))
def test_of_equal_cells_the_first_is_the_peak(map_kernels: CompiledKernels, wide, high, levels, random):
    maps = np.array([random.randrange(levels) for _ in range(5 * wide * high)], np.float32).reshape(5, high, wide)

    xy, height = found(map_kernels, maps)

    np.testing.assert_allclose(xy, by_host(maps), rtol=0, atol=1e-5)
    row, column, expected = peaks(maps)
    np.testing.assert_array_equal(height, expected)
    cells = np.stack([column, row], axis=1)
    assert (np.abs(xy * (wide, high) - cells - 0.5) <= 0.5 + 1e-5).all()


@pytest.mark.parametrize("height", [0.0, 1e-7, 0.25])
def test_a_flat_map_has_its_peak_in_the_first_cell(map_kernels: CompiledKernels, height):
    maps = np.full((2, 8, 5), height, np.float32)

    xy, _ = found(map_kernels, maps)

    np.testing.assert_allclose(xy, [[0.1, 0.0625]] * 2, rtol=1e-6)
