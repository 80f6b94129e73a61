"""The kernels, executed on the CPU, give what the CPU device gives when it does not round on its way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.frames import Picture
from tests.pipeline.cuda import unrounded
from tests.pipeline.cuda.kernel_device import KernelDevice
from tests.pipeline.cuda.planes import LAYOUTS, TURNS, decoded

TOLERANCE = 0.05
"""Grey levels. Places are float32: 2 ** -17 of a sample at 64 of them, times 255 levels between neighbours, times 3 for
BT.601, is 0.006; the shares of an area are as exact. OpenCV leaves out shares below a thousandth of a sample, which
ratios of sizes below 64 do not have."""

sides = st.integers(1, 63)
sizes = st.tuples(sides, sides)


@given(
    st.sampled_from(LAYOUTS), st.sampled_from(TURNS), sizes, sizes, st.sampled_from(("bgr", "rgb", "grey")),
    st.sampled_from(("area", "linear")),
)  # fmt: skip
@example("i420", 90, (63, 47), (7, 9), "bgr", "area")
@example("nv12", 270, (62, 46), (31, 23), "rgb", "linear")
@example("i420", 180, (17, 60), (40, 3), "bgr", "area")
@settings(max_examples=250)
def test_any_picture_of_any_size(kernel_device: KernelDevice, layout, turn, plane_wh, size_wh, colour, shrink):
    picture = decoded(plane_wh, layout, turn)

    (made,) = kernel_device.model_input([picture], size_wh, shrink=shrink, colour=colour, layout="nhwc")

    np.testing.assert_allclose(made, unrounded.resized(picture, size_wh, colour, shrink), rtol=0, atol=TOLERANCE)


edges = st.floats(-0.75, 1.5)


@given(
    st.sampled_from(LAYOUTS), st.sampled_from(TURNS), sizes, sizes, st.tuples(edges, edges),
    st.tuples(st.floats(0.01, 1.5), st.floats(0.01, 1.5)), st.sampled_from(("rgb", "grey")),
)  # fmt: skip
@example("nv12", 90, (63, 47), (7, 9), (0.125, 0.25), (0.5, 0.625), "rgb")
@example("i420", 0, (40, 30), (5, 5), (0, 0), (1, 1), "rgb")
@settings(max_examples=250)
def test_any_box_of_any_picture(kernel_device: KernelDevice, layout, turn, plane_wh, size_wh, corner, extent, colour):
    picture = decoded(plane_wh, layout, turn)
    box = [*corner, corner[0] + extent[0], corner[1] + extent[1]]

    (made,) = kernel_device.crops([picture], np.array([0]), np.array([box]), size_wh, colour=colour, layout="nhwc")

    np.testing.assert_allclose(made, unrounded.cropped(picture, box, size_wh, colour), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("shrink", ["area", "linear"])
@pytest.mark.parametrize("turn", TURNS)
def test_places_stay_exact_along_the_longest_pictures(kernel_device: KernelDevice, turn, shrink):
    picture = decoded((4093, 9), "nv12", turn)
    size_wh = (1801, 7) if turn in (0, 180) else (7, 1801)

    (made,) = kernel_device.model_input([picture], size_wh, shrink=shrink, layout="nhwc")

    # Places are good to 2 ** -12 of a sample, and 255 levels between neighbours count three times in BT.601. OpenCV
    # leaves out up to two thousandths of the 2.27 samples that a pixel covers here.
    off = 2**-12 * 255 * 3 + (2e-3 / 2.27 * 255 * 1.164 if shrink == "area" else 0)
    np.testing.assert_allclose(made, unrounded.resized(picture, size_wh, "bgr", shrink), rtol=0, atol=off)


def test_a_pixel_may_stand_for_more_samples_than_an_int_can_add_up(kernel_device: KernelDevice):
    picture = Picture((np.full((4096, 4096, 1), 255, np.uint8).repeat(3, axis=2),), "bgr")

    made = kernel_device.crops([picture], np.array([0]), np.array([[0, 0, 1, 1]]), (1, 1))

    np.testing.assert_array_equal(made.ravel(), [255, 255, 255])
