"""The kernels beside the CPU device: what rounding explains may differ, and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pipeline.cuda.images import cropped_images, whole_images
from pipeline.device import open_device
from pipeline.letterbox import content_size
from tests.helpers import frames
from tests.pipeline.cuda import rounding
from tests.pipeline.cuda.kernel_device import KernelDevice, address
from tests.pipeline.cuda.planes import LAYOUTS, TURNS, decoded

CPU = open_device("cpu")
PLANES_WH = ((256, 192), (211, 97))
SIZES_WH = {"half": (128, 96), "small": (40, 33), "one to one": (211, 97), "wide": (250, 31), "large": (260, 201)}
BOXES = ((0.31, 0.17, 0.655, 0.902), (-0.2, 0.4, 0.3, 1.25), (0.4, 0.4, 0.47, 0.5), (0, 0, 1, 1))


@pytest.mark.parametrize("size_wh", SIZES_WH.values(), ids=SIZES_WH)
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_pictures(kernel_device: KernelDevice, layout, turn, size_wh):
    pictures = [decoded(plane_wh, layout, turn, seed) for seed, plane_wh in enumerate(PLANES_WH)]
    ways = itertools.product(("stretch", "letterbox"), ("area", "linear"), ("bgr", "rgb", "grey"))
    for (how, shrink, colour), order in zip(ways, itertools.cycle(("nchw", "nhwc"))):
        asked = {"how": how, "shrink": shrink, "colour": colour, "layout": order, "fill": 114}

        made = kernel_device.model_input(pictures, size_wh, **asked)
        expected = CPU.model_input(frames(len(pictures), pictures=pictures), size_wh, **asked)

        for picture, row, wanted in zip(pictures, made, expected, strict=True):
            content = content_size(picture.size_wh, size_wh) if how == "letterbox" else size_wh
            images = whole_images([picture], np.array([content]), address, shrink)
            check(row, wanted, rounding.of_resized(picture, images, colour))


@pytest.mark.parametrize("size_wh", [(32, 48), (61, 79), (9, 7)])
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_boxes(kernel_device: KernelDevice, layout, turn, size_wh):
    pictures = [decoded(plane_wh, layout, turn, seed) for seed, plane_wh in enumerate(PLANES_WH)]
    frame_row, boxes = np.arange(len(BOXES)) % len(pictures), np.array(BOXES)
    for colour in ("rgb", "grey"):
        made = kernel_device.crops(pictures, frame_row, boxes, size_wh, colour=colour)
        expected = CPU.crops(frames(len(pictures), pictures=pictures), frame_row, boxes, size_wh, colour)

        for of_frame, box, row, wanted in zip(frame_row, boxes, made, expected, strict=True):
            picture = pictures[of_frame]
            images = cropped_images([picture], np.array([0]), box[None], size_wh, address)
            check(row, wanted, rounding.of_cropped(picture, images, colour))


@pytest.mark.parametrize("order", ["nchw", "nhwc"])
@pytest.mark.parametrize("colour", ["bgr", "rgb", "grey"])
def test_bytes_are_the_floats_rounded(kernel_device: KernelDevice, colour, order):
    asked = {"how": "letterbox", "colour": colour, "layout": order, "fill": 7}
    pictures = [decoded((90, 50), "nv12"), decoded((50, 90), "bgr", 270)]

    floats = kernel_device.model_input(pictures, (41, 37), **asked)
    made = kernel_device.model_input(pictures, (41, 37), dtype="uint8", **asked)

    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, np.floor(floats + np.float32(0.5)))


@pytest.mark.parametrize("order", ["nchw", "nhwc"])
@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_mean_and_deviation_are_those_of_each_channel_and_of_the_fill(kernel_device: KernelDevice, colour, order):
    channels = 1 if colour == "grey" else 3
    mean, std = (103.5, 116.3, 123.7)[:channels], (57.1, 0.5, 255.0)[:channels]
    pictures = [decoded((64, 20), "i420")]
    asked = {"how": "letterbox", "colour": colour, "layout": order, "fill": 114}

    plain = kernel_device.model_input(pictures, (32, 32), **asked)
    scaled = kernel_device.model_input(pictures, (32, 32), mean=mean, std=std, **asked)

    shape = (-1, 1, 1) if order == "nchw" else (-1,)
    expected = (plain - np.float32(mean).reshape(shape)) / np.float32(std).reshape(shape)
    np.testing.assert_array_equal(scaled, expected)


def test_pictures_of_one_batch_may_differ_in_everything(kernel_device: KernelDevice):
    pictures = [
        decoded((16 + 9 * place, 40 - 5 * place), layout, turn, place)
        for place, (layout, turn) in enumerate([("i420", 90), ("bgr", 0), ("nv12", 180), ("i420", 0), ("nv12", 270)])
    ]

    together = kernel_device.model_input(pictures, (35, 11), how="letterbox")

    alone = [kernel_device.model_input([picture], (35, 11), how="letterbox")[0] for picture in pictures]
    np.testing.assert_array_equal(together, alone)


def check(made: np.ndarray, expected: np.ndarray, bound: float) -> None:
    """Compare one image. One rounding error is even from 0 to its largest, several together are mostly small."""
    error = np.abs(made - expected)
    assert error.max() <= bound + 1e-3  # what float32 leaves open
    # Half of it on average; four standard deviations of that average, of an even distribution, are for chance.
    assert error.mean() <= bound * (1 / 2 + 4 / np.sqrt(12 * error.size)) + 1e-3
