import numpy as np

from nodes.ops.scrfd import anchors, boxes_of


def test_anchors_stand_in_the_corners_of_cells_and_come_in_pairs() -> None:
    """Published layout of the models with three strides, at 640 × 640."""
    made = anchors((640, 640), 32, 2)

    assert made[:4].tolist() == [[0, 0], [0, 0], [32, 0], [32, 0]]
    assert made[40:42].tolist() == [[0, 32], [0, 32]]
    assert [len(anchors((640, 640), stride, 2)) for stride in (8, 16, 32)] == [12800, 3200, 800]
    assert len(anchors((640, 640), 128, 1)) == 25


def test_sizes_that_are_no_whole_cells_have_a_cell_more() -> None:
    assert anchors((40, 20), 16, 1).tolist() == [[0, 0], [16, 0], [32, 0], [0, 16], [16, 16], [32, 16]]


def test_a_box_reaches_from_its_anchor_to_all_sides_in_strides() -> None:
    raw = np.array([[1, 2, 3, 4]], np.float32)

    assert boxes_of(raw, np.array([[32, 64]], np.float32), 8).tolist() == [[24, 48, 56, 96]]
