import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nodes.ops.boxes import (
    from_anchored,
    held_by_cells,
    iou,
    share_inside,
    to_anchored,
)

UNIT = np.array([[0.0, 0.0, 1.0, 1.0]])
NONE = np.full((1, 4), np.nan)


def boxes_between(low: float, high: float) -> st.SearchStrategy[np.ndarray]:
    corners = arrays(np.float64, st.tuples(st.integers(0, 5), st.just(4)), elements=st.floats(low, high))
    return corners.map(lambda c: np.concatenate([np.minimum(c[:, :2], c[:, 2:]), np.maximum(c[:, :2], c[:, 2:])], 1))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([0, 0, 1, 1], 1.0),
        ([0.5, 0, 1.5, 1], 1 / 3),
        ([0.25, 0.25, 0.75, 0.75], 0.25),
        ([1, 0, 2, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], 0.0),
        ([np.nan] * 4, 0.0),
    ],
    ids=["equal", "half aside", "inside", "touching", "a point", "no box"],
)
def test_iou_by_hand(other: list[float], expected: float) -> None:
    assert iou(UNIT, np.array([other])) == pytest.approx(expected)


@given(boxes_between(-1, 2), boxes_between(-1, 2))
def test_iou_is_symmetric_and_between_0_and_1(a: np.ndarray, b: np.ndarray) -> None:
    overlap = iou(a, b)

    assert overlap.shape == (len(a), len(b))
    assert np.array_equal(overlap, iou(b, a).T)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()


@given(boxes_between(0, 1))
def test_a_box_with_area_overlaps_itself_wholly(boxes: np.ndarray) -> None:
    solid = boxes[((boxes[:, 2:] - boxes[:, :2]) > 1e-3).all(axis=1)]

    assert np.allclose(np.diag(iou(solid, solid)), 1)


def test_share_inside_counts_the_inner_box_only() -> None:
    inner = np.array([[0.0, 0.0, 0.2, 0.1], [0.9, 0.0, 1.1, 0.1]])

    assert share_inside(inner, UNIT)[:, 0] == pytest.approx([1.0, 0.5])
    assert share_inside(inner, NONE)[:, 0] == pytest.approx([0.0, 0.0])


@given(boxes_between(0, 1))
def test_anchored_boxes_come_back(boxes: np.ndarray) -> None:
    assert np.allclose(from_anchored(to_anchored(boxes)), boxes)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([0.1, 0.2, 0.5, 0.7], [0.1, 0.2, 0.5, 0.7]),
        ([0.501, 0.2, 0.509, 0.7], [0.505 - 0.0505, 0.2, 0.505 + 0.0505, 0.7]),
        ([0.991, 0.2, 1.0, 0.7], [1 - 0.101, 0.2, 1.0, 0.7]),
        ([-0.1, 0.2, 0.01, 0.7], [0.0, 0.2, 0.101, 0.7]),
    ],
    ids=["large enough", "too narrow", "at the right edge", "beyond the left edge"],
)
def test_small_boxes_are_widened_to_a_cell(box: list[float], expected: list[float]) -> None:
    held = held_by_cells(np.array([box], np.float32), (10, 10))

    assert held[0] == pytest.approx(expected, abs=1e-6)


@given(
    boxes_between(0, 1).map(lambda boxes: boxes.astype(np.float32)),
    st.tuples(st.integers(1, 64), st.integers(1, 64)),
)
def test_no_box_vanishes_on_the_grid_of_the_model(boxes: np.ndarray, cells_wh: tuple[int, int]) -> None:
    held = held_by_cells(boxes, cells_wh)

    edges = np.rint(held * np.tile(np.array(cells_wh, np.float32), 2))
    assert (edges[:, 2:] > edges[:, :2]).all()
    assert ((held >= 0) & (held <= 1)).all()
    assert held.dtype == np.float32
