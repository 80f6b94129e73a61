"""Rows for the kernels: what bad input is told, and that nothing but the pictures is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.cuda.images import cropped_images, whole_images
from pipeline.cuda.structs import target
from pipeline.frames import Picture
from tests.pipeline.cuda.kernel_device import KernelDevice, address
from tests.pipeline.cuda.planes import LAYOUTS, decoded


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"colour": "gray"}, "target: colour: expected one of 'bgr', 'rgb', 'grey', got 'gray'"),
        ({"layout": "chw"}, "target: layout: expected one of 'nchw', 'nhwc', got 'chw'"),
        ({"dtype": "float16"}, "target: dtype: expected one of 'float32', 'uint8', got 'float16'"),
        ({"size_wh": (0, 4)}, "target: size_wh: expected 1 pixel or more each way, got (0, 4)"),
        ({"dtype": "uint8", "std": (2, 2, 2)}, "target: mean and std: expected the dtype 'float32', got 'uint8'"),
        ({"dtype": "uint8", "fill": 256}, "target: fill: expected 0 to 255 for the dtype 'uint8', got 256"),
        ({"mean": (1, 2)}, "target: mean: expected 3 values, got 2"),
    ],
)
def test_a_target_that_no_kernel_makes_is_refused(asked: dict[str, Any], message: str):
    with pytest.raises(ValueError) as caught:
        target(**{"size_wh": (4, 4), **asked})

    assert str(caught.value) == message


@pytest.mark.parametrize("box", [[0.5, 0.1, 0.5, 0.9], [float("nan"), 0.1, 0.5, 0.9]])
def test_empty_boxes_are_refused(box):
    with pytest.raises(ValueError) as caught:
        cropped_images([decoded((8, 8), "bgr")], np.array([0]), np.array([box]), (4, 4), address)

    assert str(caught.value) == (
        f"cropped_images: boxes: expected x1 < x2 and y1 < y2, got {box!r}; leave such boxes out"
    )


def test_sizes_of_nothing_and_unknown_ways_to_shrink_are_refused():
    picture = decoded((8, 8), "bgr")

    with pytest.raises(ValueError, match=r"^pictures for kernels: expected sizes of 1 pixel or more, got 0$"):
        whole_images([picture], np.array([[4, 0]]), address)
    with pytest.raises(ValueError, match=r"^whole_images: shrink: expected 'area' or 'linear', got 'cubic'$"):
        whole_images([picture], np.array([[4, 4]]), address, "cubic")


def test_planes_that_are_not_bytes_are_refused():
    floats = Picture((np.zeros((4, 4, 3), np.float32),), "bgr")

    with pytest.raises(ValueError, match=r"^pictures for kernels: expected planes of uint8, got float32$"):
        whole_images([floats], np.array([[4, 4]]), address)


def test_no_pictures_and_no_boxes_have_no_rows():
    none = np.zeros((0, 4))

    assert len(whole_images([], np.zeros((0, 2), np.int64), address)) == 0
    assert len(cropped_images([], np.zeros(0, np.int64), none, (4, 4), address)) == 0
    assert len(cropped_images([decoded((8, 8), "nv12")], np.zeros(0, np.int64), none, (4, 4), address)) == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_lies_around_planes_in_memory_is_not_looked_at(kernel_device: KernelDevice, layout):
    pictures = [decoded((37, 23), layout, seed=5), decoded((37, 23), layout, seed=5)]
    pictures[1] = Picture(tuple(np.ascontiguousarray(plane) for plane in pictures[1].planes), layout)
    boxes = np.array([[-0.5, -0.5, 1.5, 1.5], [0.9, 0.8, 1.0, 1.0]])

    for made in (
        kernel_device.model_input(pictures, (50, 9)),
        kernel_device.crops(pictures, np.array([0, 0, 1, 1]), np.tile(boxes, (2, 1)), (21, 11)),
    ):
        np.testing.assert_array_equal(made[: len(made) // 2], made[len(made) // 2 :])


@pytest.mark.parametrize("reach", [1e3, 1e7])
def test_boxes_far_off_show_the_nearest_edge(kernel_device: KernelDevice, reach):
    picture = decoded((30, 20), "bgr")
    corner = picture.planes[0][-1, -1]

    (made,) = kernel_device.crops(
        [picture], np.array([0]), np.array([[reach, reach, reach + 1, reach + 1]]), (8, 8), layout="nhwc"
    )

    np.testing.assert_array_equal(made, np.broadcast_to(corner, made.shape))
