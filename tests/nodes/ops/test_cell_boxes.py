import numpy as np

from nodes.ops.cell_boxes import boxes_of, cells


def test_cells_are_told_finest_grid_first_row_by_row() -> None:
    table = cells((64, 32))

    assert len(table) == 8 * 4 + 4 * 2 + 2 * 1
    assert table[[0, 1, 8, 32, 37, 40, 41]].tolist() == [
        [0, 0, 8], [1, 0, 8], [0, 1, 8], [0, 0, 16], [1, 1, 16], [0, 0, 32], [1, 0, 32],
    ]  # fmt: skip


def test_a_box_stands_about_its_cell_in_strides() -> None:
    raw = np.array([[0.5, 0.25, np.log(2), np.log(3)], [0, 0, 0, 0]], np.float32)

    boxes = boxes_of(raw, np.array([[3, 1, 16], [0, 0, 8]], np.float32))

    assert np.allclose(boxes, [[56 - 16, 20 - 24, 56 + 16, 20 + 24], [-4, -4, 4, 4]], atol=1e-4)
    assert boxes.dtype == np.float32


def test_sizes_beyond_all_numbers_are_no_warning() -> None:
    assert not np.isfinite(boxes_of(np.array([[0, 0, 1e4, 0]], np.float32), cells((32, 32))[:1])).all()
