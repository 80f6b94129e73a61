"""Where pixels lie in planes: by hand, and what must hold for any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.cuda.geometry import lying, part, whole

sides = st.integers(1, 5000)
pairs = st.tuples(sides, sides)
edges = st.floats(-2, 3)


@pytest.mark.parametrize(
    ("plane_wh", "size_wh", "linear", "halvings", "span"),
    [
        ((1920, 1080), (640, 360), False, (1, 1), (1.5, 1.5)),
        ((1920, 1080), (640, 640), False, (0, 0), (3, 1.6875)),
        ((1920, 1080), (640, 640), True, (1, 0), (1, 1)),
        ((1280, 720), (320, 180), False, (1, 1), (2, 2)),
        ((64, 48), (64, 48), False, (0, 0), (1, 1)),
        ((64, 48), (128, 24), False, (0, 0), (1, 1)),
        ((63, 47), (7, 9), False, (2, 2), (15 / 7, 11 / 9)),
    ],
)
def test_halving_goes_as_far_as_both_axes_do_or_each_by_itself(plane_wh, size_wh, linear, halvings, span):
    (axes,) = whole(np.array([plane_wh]), np.array([size_wh]), linear=linear, apart=linear)

    assert tuple(axes["halvings"]) == halvings
    np.testing.assert_allclose(axes["span"], span, rtol=1e-6)


@given(pairs, pairs, st.booleans())
def test_pixels_of_a_whole_picture_cover_it_from_end_to_end(plane_wh, size_wh, linear):
    (axes,) = whole(np.array([plane_wh]), np.array([size_wh]), linear=linear, apart=linear)

    np.testing.assert_array_equal(axes["count"], np.array(plane_wh) >> axes["halvings"])
    np.testing.assert_array_equal(axes["origin"], 0)
    np.testing.assert_allclose(axes["step"] * size_wh, axes["count"], rtol=1e-6)
    assert (axes["count"][axes["halvings"] > 0] >= np.array(size_wh)[axes["halvings"] > 0]).all()
    if linear:
        assert (axes["step"] <= 2).all()  # so that each sample counts


@given(pairs, st.tuples(edges, edges, edges, edges), pairs)
def test_a_window_holds_what_its_box_covers(plane_wh, box, size_wh):
    assume(box[2] - box[0] > 1e-6 and box[3] - box[1] > 1e-6)
    box_px = np.array([box]) * np.tile(plane_wh, 2)

    first, axes = part(np.array([plane_wh]), box_px, np.array([size_wh]))

    blocks = 2 ** axes["halvings"][0]
    start = first[0] + axes["origin"][0].astype(np.float64) * blocks
    length = axes["step"][0].astype(np.float64) * size_wh * blocks
    np.testing.assert_allclose(start, box_px[0, :2], atol=0.01)
    np.testing.assert_allclose(length, box_px[0, 2:] - box_px[0, :2], rtol=1e-5)
    end = first[0] + axes["count"][0] * blocks
    assert ((first[0] >= 0) & (axes["count"][0] >= 1) & (end <= plane_wh)).all()
    # Nothing of the box that lies in the plane is missing, but for what is left over of halving.
    assert (first[0] <= np.maximum(box_px[0, :2], 0)).all()
    assert (end > np.minimum(box_px[0, 2:], plane_wh) - blocks).all()


def test_boxes_of_any_number_of_pictures_are_worked_out_at_once():
    plane_wh, size_wh = np.array([[200, 100], [50, 80], [640, 480]]), np.array([[10, 10], [60, 30], [64, 48]])
    box_px = np.array([[10, 10, 190, 90.5], [-4, 3, 50, 60], [0, 0, 640, 480]])

    first, axes = part(plane_wh, box_px, size_wh)

    for row in range(3):
        one = slice(row, row + 1)
        alone = part(plane_wh[one], box_px[one], size_wh[one])
        np.testing.assert_array_equal(first[one], alone[0])
        np.testing.assert_array_equal(axes[one], alone[1])
    none = part(plane_wh[:0], box_px[:0], size_wh[:0])
    assert (none[0].shape, none[1].shape) == ((0, 2), (0, 2))


def test_a_box_lies_where_its_picture_is_turned_from():
    box = np.array([0.1, 0.2, 0.4, 0.9])

    made = lying(np.tile(box, (4, 1)), np.array([0, 90, 180, 270]))

    # The upper left of an upright picture that was turned by 90 degrees clockwise was its lower left.
    expected = [[0.1, 0.2, 0.4, 0.9], [0.2, 0.6, 0.9, 0.9], [0.6, 0.1, 0.9, 0.8], [0.1, 0.1, 0.8, 0.4]]
    np.testing.assert_allclose(made, expected)
