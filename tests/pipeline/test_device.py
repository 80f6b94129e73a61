"""The CPU device: model inputs made from planes equal those made the long way round."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pipeline import device as device_module
from pipeline.device import open_device
from pipeline.errors import ConfigError
from pipeline.frames import Picture
from pipeline.pictures import resized, to_bgr
from tests.helpers import frames

CPU = open_device("cpu")


def smooth_bgr(size_wh: tuple[int, int]) -> np.ndarray:
    """Return a picture with a gradient in each channel and soft blobs, as a lens would see it."""
    noise = np.random.default_rng(7).uniform(60, 190, (3, 4, 3)).astype(np.float32)
    return cv2.resize(noise, size_wh, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def i420(bgr: np.ndarray) -> Picture:
    height, width = bgr.shape[:2]
    block = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    chroma = block[height:].reshape(2, height // 2, width // 2)
    return Picture((block[:height], chroma[0], chroma[1]), "i420")


def nv12(picture: Picture, rotation_deg: int = 0) -> Picture:
    y, u, v = picture.planes
    return Picture((y, np.dstack([u, v])), "nv12", rotation_deg)


@pytest.mark.parametrize("size_wh", [(160, 90), (213, 121), (107, 61), (320, 180), (480, 270)])
def test_planes_are_shrunk_to_what_converting_first_gives(size_wh):
    picture = i420(smooth_bgr((320, 180)))
    full = cv2.cvtColor(np.vstack([plane.reshape(-1, 320) for plane in picture.planes]), cv2.COLOR_YUV2BGR_I420)
    reference = cv2.resize(full, size_wh, interpolation=cv2.INTER_AREA if size_wh[0] <= 320 else cv2.INTER_LINEAR)

    error = np.abs(resized(picture, size_wh, "bgr").astype(int) - reference)

    assert error.mean() < 1.5
    assert error.max() <= 10


def test_layouts_agree_exactly():
    picture = i420(smooth_bgr((64, 48)))

    np.testing.assert_array_equal(resized(picture, (40, 30), "bgr"), resized(nv12(picture), (40, 30), "bgr"))


def test_full_range_of_limited_video_is_black_to_white():
    for luma, grey in ((16, 0), (235, 255)):
        planes = (np.full((4, 4), luma, np.uint8), *[np.full((2, 2), 128, np.uint8)] * 2)
        np.testing.assert_array_equal(to_bgr(Picture(planes, "i420")), np.full((4, 4, 3), grey, np.uint8))


@pytest.mark.parametrize("layout", ["i420", "nv12"])
def test_odd_sizes_keep_their_last_row_and_column(layout):
    y = np.full((5, 7), 16, np.uint8)
    y[4, 6] = 235
    chroma = np.full((3, 4), 128, np.uint8)
    planes = (y, chroma, chroma) if layout == "i420" else (y, np.dstack([chroma, chroma]))

    bgr = to_bgr(Picture(planes, layout))

    expected = np.zeros((5, 7, 3), np.uint8)
    expected[4, 6] = 255
    np.testing.assert_array_equal(bgr, expected)


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (0, 3)), (180, (5, 3)), (270, (5, 0))])
def test_rotation_is_clockwise_and_makes_the_picture_upright(turn, corner):
    pixels = np.zeros((6, 4, 3), np.uint8) if turn in (0, 180) else np.zeros((4, 6, 3), np.uint8)
    pixels[0, 0] = 200
    picture = Picture((pixels,), "bgr", turn)

    upright = to_bgr(picture)

    assert picture.size_wh == (4, 6)
    assert upright.shape == (6, 4, 3)
    assert np.argwhere(upright[:, :, 0] == 200).tolist() == [list(corner)]


def test_a_turned_picture_is_the_turned_model_input():
    upright = i420(smooth_bgr((64, 48)))
    lying = Picture(tuple(np.ascontiguousarray(np.rot90(plane)) for plane in upright.planes), "i420", 90)

    np.testing.assert_allclose(resized(lying, (32, 24), "bgr").astype(int), resized(upright, (32, 24), "bgr"), atol=1)


def test_planes_with_padded_lines_are_read_without_the_padding():
    picture = i420(smooth_bgr((64, 48)))
    padded = tuple(np.pad(p, ((0, 0), (0, 9)), constant_values=77)[:, : p.shape[1]] for p in picture.planes)

    np.testing.assert_array_equal(to_bgr(Picture(padded, "i420")), to_bgr(picture))


@pytest.mark.parametrize(("layout", "shape"), [("nchw", (2, 3, 18, 32)), ("nhwc", (2, 18, 32, 3))])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_model_input_has_the_layout_and_dtype_asked_for(layout, shape, dtype):
    blue_then_red = [Picture((np.full((36, 64, 3), bgr, np.uint8),), "bgr") for bgr in ((250, 0, 0), (0, 0, 240))]
    batch = CPU.model_input(frames(2, pictures=blue_then_red), (32, 18), layout=layout, dtype=dtype)

    channels = batch if layout == "nchw" else batch.transpose(0, 3, 1, 2)
    assert (batch.shape, batch.dtype) == (shape, np.dtype(dtype))
    assert channels.mean(axis=(2, 3)).tolist() == [[250, 0, 0], [0, 0, 240]]


def test_model_input_in_rgb_has_its_channels_swapped():
    batch = frames(1, pictures=[i420(smooth_bgr((64, 48)))])

    np.testing.assert_array_equal(
        CPU.model_input(batch, (32, 24), colour="rgb"), CPU.model_input(batch, (32, 24))[:, ::-1]
    )


def test_model_input_of_no_frames_has_no_rows():
    assert CPU.model_input(frames(0), (32, 18)).shape == (0, 3, 18, 32)


def test_model_input_never_writes_into_a_picture():
    picture = i420(smooth_bgr((64, 48)))
    before = [plane.copy() for plane in picture.planes]
    for plane in picture.planes:
        plane.flags.writeable = False

    CPU.model_input(frames(1, pictures=[picture]), (64, 48))[:] = 0

    for plane, kept in zip(picture.planes, before, strict=True):
        np.testing.assert_array_equal(plane, kept)


def test_model_input_of_a_replayed_tick_is_refused():
    with pytest.raises(ValueError) as caught:
        CPU.model_input(frames(2), (32, 18))

    assert str(caught.value) == (
        "CpuDevice.model_input: expected 2 pictures, got 0; a tick replayed from a recording has none: replay an edge "
        "below the nodes that run models on pictures"
    )


def test_auto_is_the_cpu_here():
    assert (open_device("auto", 2).kind, open_device("auto", 2).model_threads) == ("cpu", 2)


def test_no_model_threads_are_refused():
    with pytest.raises(ConfigError, match=r"^device: expected 1 model thread or more, got 0$"):
        open_device("cpu", 0)


@pytest.mark.parametrize("installed", [False, True])
def test_cuda_names_everything_that_is_missing(monkeypatch, installed):
    monkeypatch.setattr(device_module, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(device_module, "_has_cuda_runtime", lambda: installed)

    def load(name: str) -> object:
        if not installed:
            raise OSError(name)
        return object()

    monkeypatch.setattr(device_module.ctypes, "CDLL", load)
    missing = (
        ""
        if installed
        else "no package cupy (pip install 'cupy-cuda13x[ctk]'); no package onnxruntime-gpu (pip uninstall "
        "onnxruntime, then pip install onnxruntime-gpu); no NVIDIA driver (libcuda.so.1 cannot be loaded); "
    )

    with pytest.raises(ConfigError) as caught:
        open_device("cuda")

    assert str(caught.value) == (
        f"device 'cuda': expected a usable GPU, got {missing}no CUDA device in this version of gazegraph, which "
        "computes on the CPU only; use the device cpu or auto"
    )
