"""Letterboxes: where a picture stands in them, to the pixel, however it is turned and whatever its size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline.device import open_device
from pipeline.frames import Picture
from pipeline.letterbox import content_size
from pipeline.pictures import letterboxed, resized
from tests.helpers import FakeDevice, frames
from tests.pipeline.test_device import i420, nv12, smooth_bgr

CPU = open_device("cpu")


@pytest.mark.parametrize(
    ("frame_wh", "size_wh", "content_wh"),
    [
        ((1920, 1080), (416, 416), (416, 234)),
        ((1080, 1920), (416, 416), (234, 416)),
        ((640, 640), (416, 416), (416, 416)),
        ((1920, 1080), (960, 544), (960, 540)),
        ((1919, 1079), (320, 320), (320, 180)),
        ((33, 17), (64, 64), (64, 33)),
        ((5000, 3), (320, 320), (320, 1)),
        ((3, 5000), (320, 320), (1, 320)),
    ],
)
def test_a_frame_fills_one_axis_and_keeps_its_shape_on_the_other(frame_wh, size_wh, content_wh):
    assert content_size(frame_wh, size_wh) == content_wh


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("layout", ["i420", "nv12", "bgr"])
@pytest.mark.parametrize("size_wh", [(96, 96), (61, 79)])
def test_the_content_is_the_resized_picture_and_the_rest_is_filled(layout, turn, size_wh):
    bgr = smooth_bgr((128, 72))
    planes = {"i420": i420(bgr), "nv12": nv12(i420(bgr)), "bgr": Picture((bgr,), "bgr")}[layout].planes
    picture = Picture(planes, layout, turn)
    width, height = content_size(picture.size_wh, size_wh)

    (made,) = CPU.model_input(
        frames(1, pictures=[picture]), size_wh, layout="nhwc", dtype="uint8", how="letterbox", fill=114
    )

    np.testing.assert_array_equal(made[:height, :width], resized(picture, (width, height), "bgr"))
    assert (made[height:] == 114).all()
    assert (made[:, width:] == 114).all()
    np.testing.assert_array_equal(made, letterboxed(picture, size_wh, "bgr", 114))


def test_a_mark_stands_where_fractions_of_the_content_say():
    bgr = np.zeros((180, 320, 3), np.uint8)
    bgr[40:60, 240:280] = 250

    (made,) = CPU.model_input(frames(1, pictures=[Picture((bgr,), "bgr")]), (160, 160), how="letterbox", fill=7)

    rows, columns = np.nonzero(made[0] > 100)
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (120, 140, 20, 30)
    assert (made[:, 90:] == 7).all()


@pytest.mark.parametrize(("layout", "channel"), [("nchw", (slice(None), 2)), ("nhwc", (..., 2))])
def test_mean_and_deviation_go_by_channel_and_hold_for_what_is_filled(layout, channel):
    batch = frames(1, pictures=[Picture((np.full((36, 64, 3), (10, 20, 30), np.uint8),), "bgr")])

    made = CPU.model_input(batch, (64, 64), "rgb", layout, how="letterbox", fill=110, mean=(0, 0, 60), std=(1, 1, 25))[
        channel
    ]

    assert made.dtype == np.float32
    assert np.unique(made.reshape(64, 64)[:36]).tolist() == [-2.0]
    assert np.unique(made.reshape(64, 64)[36:]).tolist() == [2.0]


def test_mean_and_deviation_want_floats():
    with pytest.raises(ValueError) as caught:
        CPU.model_input(frames(1, pictures=True), (8, 8), dtype="uint8", mean=(1, 1, 1))

    assert str(caught.value) == "CpuDevice.model_input: mean and std: expected the dtype 'float32', got 'uint8'"


def test_another_way_is_refused():
    with pytest.raises(ValueError) as caught:
        CPU.model_input(frames(1, pictures=True), (8, 8), how="crop")

    assert str(caught.value) == "CpuDevice.model_input: how: expected 'stretch' or 'letterbox', got 'crop'"


@pytest.mark.parametrize("size_wh", [(320, 180), (416, 234), (640, 640), (300, 100)])
@pytest.mark.parametrize("layout", ["i420", "bgr"])
def test_what_is_shrunk_linearly_is_nearly_what_is_shrunk_by_area(layout, size_wh):
    bgr = cv2.GaussianBlur(smooth_bgr((1280, 720)), (0, 0), 3)
    noise = np.random.default_rng(3).integers(-20, 20, bgr.shape)
    bgr = (bgr + noise).clip(0, 255).astype(np.uint8)
    picture = i420(bgr) if layout == "i420" else Picture((bgr,), "bgr")

    error = np.abs(resized(picture, size_wh, "bgr", "linear").astype(int) - resized(picture, size_wh, "bgr"))

    assert error.mean() < 2.5


def test_axes_are_halved_apart_and_each_pixel_counts():
    """An eighth of the width, all of the height: every eighth column is the mean of eight."""
    luma = np.random.default_rng(5).integers(16, 235, (16, 128), np.uint8)

    made = resized(Picture((np.dstack([luma] * 3),), "bgr"), (16, 16), "bgr", "linear")

    assert np.abs(made[:, :, 0] - luma.reshape(16, 16, 8).mean(axis=2)).max() <= 2


def test_colours_are_halved_apart_too():
    """Every eighth column of colour is the mean of eight, not that of two of them."""
    wild = np.random.default_rng(6).integers(0, 255, (16, 128)).astype(np.uint8)
    grey, plain = np.full((32, 256), 126, np.uint8), np.full((16, 128), 128, np.uint8)
    even = np.repeat(wild.reshape(16, 16, 8).mean(axis=2).round().astype(np.uint8), 8, axis=1)

    made, expected = (
        resized(Picture((grey, plain, v), "i420"), (32, 32), "bgr", "linear").astype(int) for v in (wild, even)
    )

    assert np.abs(made - expected).max() <= 6


def test_the_device_of_tests_makes_the_same_letterbox():
    picture = Picture((np.full((36, 64, 3), 90, np.uint8),), "bgr")
    batch = frames(1, pictures=[picture], size_wh=(64, 36))

    made = [d.model_input(batch, (32, 32), how="letterbox", fill=114, std=(2, 2, 2)) for d in (CPU, FakeDevice())]

    np.testing.assert_array_equal(*made)
