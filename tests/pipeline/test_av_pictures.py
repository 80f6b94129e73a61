"""Pictures of decoded frames: planes as they are where they fit, converted where they do not."""

from __future__ import annotations

import av
import numpy as np
import pytest

from pipeline.av_pictures import PictureMaker
from pipeline.pictures import to_bgr

FULL_RANGE = 2


def luma(*rows: list[int]) -> np.ndarray:
    """Return Y, U and V of a 4×2 grey picture, one below the other."""
    return np.array([*rows, [128] * 4], np.uint8)


def test_planes_are_taken_without_a_copy():
    frame = av.VideoFrame.from_ndarray(luma([16, 17, 18, 19], [20, 21, 22, 23]), "yuv420p")

    picture = PictureMaker().picture(frame)

    assert picture.layout == "i420"
    assert picture.planes[0].tolist() == [[16, 17, 18, 19], [20, 21, 22, 23]]
    assert [plane.shape for plane in picture.planes] == [(2, 4), (1, 2), (1, 2)]
    assert picture.planes[0].ctypes.data == np.frombuffer(memoryview(frame.planes[0]), np.uint8).ctypes.data


def test_nv12_stays_nv12():
    frame = av.VideoFrame.from_ndarray(np.array([[16] * 4, [235] * 4, [90, 100, 110, 120]], np.uint8), "nv12")

    picture = PictureMaker().picture(frame)

    assert picture.layout == "nv12"
    assert [plane.tolist() for plane in picture.planes] == [[[16] * 4, [235] * 4], [[[90, 100], [110, 120]]]]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p"])
def test_full_range_is_made_limited(pix_fmt):
    frame = av.VideoFrame.from_ndarray(luma([0, 64, 192, 255], [0, 64, 192, 255]), pix_fmt)
    frame.color_range = FULL_RANGE

    bgr = to_bgr(PictureMaker().picture(frame))

    assert np.abs(bgr[:, :, 1].astype(int) - [0, 64, 192, 255]).max() <= 1


def test_grey_becomes_a_picture():
    frame = av.VideoFrame.from_ndarray(np.full((2, 4), 128, np.uint8), "gray")

    assert np.unique(PictureMaker().picture(frame).planes[1]).tolist() == [128]
