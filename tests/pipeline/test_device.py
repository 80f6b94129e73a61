"""The CPU device: model inputs made from planes equal those made the long way round."""

from __future__ import annotations

import sys
from types import SimpleNamespace

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


def test_grey_is_the_brightness_of_the_picture_whatever_its_layout():
    bgr = smooth_bgr((64, 48))
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    batch = frames(2, pictures=[i420(bgr), Picture((bgr,), "bgr")])

    made = CPU.model_input(batch, (64, 48), colour="grey", dtype="uint8")

    assert made.shape == (2, 1, 48, 64)
    np.testing.assert_array_equal(made[1, 0], grey)
    np.testing.assert_allclose(made[0, 0].astype(int), grey, atol=2)


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


@pytest.mark.parametrize("size_wh", [(64, 48), (61, 79)])
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.31, 0.17, 0.655, 0.902), (0.4, 0.4, 0.5, 0.5)])
@pytest.mark.parametrize("layout", ["i420", "nv12", "bgr"])
def test_crops_are_what_the_box_of_the_whole_picture_shows(layout, box, size_wh):
    bgr = smooth_bgr((320, 240))
    picture = {"i420": i420, "nv12": lambda b: nv12(i420(b)), "bgr": lambda b: Picture((b,), "bgr")}[layout](bgr)
    x1, y1, x2, y2 = box
    fine_wh = (8 * size_wh[0], 8 * size_wh[1])
    x = (x1 + (x2 - x1) * (np.arange(fine_wh[0]) + 0.5) / fine_wh[0]) * 320 - 0.5
    y = (y1 + (y2 - y1) * (np.arange(fine_wh[1]) + 0.5) / fine_wh[1]) * 240 - 0.5
    at = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    fine = cv2.remap(to_bgr(picture), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    expected = cv2.resize(fine, size_wh, interpolation=cv2.INTER_AREA)

    (made,) = CPU.crops(frames(1, pictures=[picture]), np.array([0]), np.array([box]), size_wh, layout="nhwc")

    error = np.abs(made - expected)
    assert error.mean() < 1.5
    assert error.max() <= 10


def test_crops_beyond_the_frame_repeat_its_edge():
    columns = np.tile(np.arange(10, 250, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))  # 60 wide
    batch = frames(1, pictures=[Picture((columns,), "bgr")])

    boxes = np.array([[-0.5, -0.5, 0.5, 0.5], [1.2, 0.1, 1.3, 0.2]])
    left, beyond = CPU.crops(batch, np.array([0, 0]), boxes, (60, 40), dtype="uint8")

    assert (left[:, :, :30] == 10).all()
    np.testing.assert_array_equal(left[0, 0, 30:], columns[0, :30, 0])
    assert (beyond == 246).all()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_crops_of_a_turned_picture_are_those_of_the_upright_one(turn):
    upright = i420(smooth_bgr((64, 48)))
    lying = tuple(np.ascontiguousarray(np.rot90(plane, turn // 90)) for plane in upright.planes)
    box = np.array([[0.2, 0.1, 0.55, 0.9]])

    made = [
        CPU.crops(frames(1, pictures=[picture]), np.array([0]), box, (20, 30))
        for picture in (upright, Picture(lying, "i420", turn))
    ]

    np.testing.assert_allclose(made[0], made[1], atol=2)


def test_crops_go_by_the_frame_of_each_box_and_have_the_layout_asked_for():
    batch = frames(2, pictures=[Picture((np.full((36, 64, 3), grey, np.uint8),), "bgr") for grey in (50, 90)])
    boxes = np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1], [0, 0, 1, 1]])

    made = CPU.crops(batch, np.array([1, 0, 1]), boxes, (4, 6), "grey", "nhwc")
    none = CPU.crops(batch, np.zeros(0, np.int64), np.zeros((0, 4)), (4, 6))

    assert (made.shape, made.dtype, made[:, 0, 0, 0].tolist()) == ((3, 6, 4, 1), np.float32, [90, 50, 90])
    assert (none.shape, none.dtype) == ((0, 3, 6, 4), np.float32)


@pytest.mark.parametrize("box", [[0.5, 0.1, 0.5, 0.9], [float("nan"), 0.1, 0.5, 0.9]])
def test_crops_of_empty_boxes_are_refused(box):
    with pytest.raises(ValueError) as caught:
        CPU.crops(frames(1, pictures=True), np.array([0]), np.array([box]), (4, 6))

    assert str(caught.value) == (
        f"CpuDevice.crops: boxes: expected x1 < x2 and y1 < y2, got {box!r}; leave such boxes out"
    )


def test_auto_is_the_cpu_here():
    assert (open_device("auto", 2).kind, open_device("auto", 2).model_threads) == ("cpu", 2)


def test_no_model_threads_are_refused():
    with pytest.raises(ConfigError, match=r"^device: expected 1 model thread or more, got 0$"):
        open_device("cpu", 0)


def has_or_lacks_everything(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    """Pretend that all that a GPU needs is installed, or nothing."""
    monkeypatch.setattr(device_module, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(device_module, "_has_cuda_runtime", lambda: installed)
    why = None if installed else "no NVIDIA driver"
    monkeypatch.setattr(device_module, "no_device", lambda: why)


def test_cuda_names_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    has_or_lacks_everything(monkeypatch, False)

    with pytest.raises(ConfigError) as caught:
        open_device("cuda")

    assert str(caught.value) == (
        "device 'cuda': expected a usable GPU, got no package cupy and no onnxruntime-gpu (type make gpu, then "
        ".venv-gpu/bin/python in place of python); no NVIDIA driver; use the device cpu or auto"
    )


def test_a_gpu_that_cannot_be_used_is_told_in_one_paragraph(monkeypatch: pytest.MonkeyPatch) -> None:
    has_or_lacks_everything(monkeypatch, True)
    broken = SimpleNamespace(cuda=SimpleNamespace(MemoryPool=lambda: 1 / 0))
    monkeypatch.setitem(sys.modules, "cupy", broken)

    with pytest.raises(ConfigError) as caught:
        open_device("cuda")

    assert str(caught.value) == (
        "device 'cuda': expected a usable GPU, got division by zero; python run_graph.py doctor says what is "
        "installed, and the device cpu needs no GPU"
    )


def test_auto_is_the_cpu_even_where_a_gpu_might_do_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for there, asked in ((None, "auto"), (None, "cpu"), ("no driver", "auto")):
            monkeypatch.setattr(device_module, "no_device", lambda there=there: there)
            assert open_device(asked).kind == "cpu"

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("device auto: the CPU, although there is a GPU")
