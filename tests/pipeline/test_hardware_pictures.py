"""Frames that the card decodes: they stay there, are waited for, and leave only where the kernels cannot read them."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av import VideoFrame

from pipeline.av_pictures import PictureMaker
from pipeline.cuda.decoding import DeviceDecoding, DevicePicture
from pipeline.device import open_device
from pipeline.frames import FrameBatch
from pipeline.hardware_pictures import HardwarePictures
from pipeline.pictures import to_bgr
from tests.card_frames import CardFrame
from tests.clips import write_clip
from tests.cuda_device import CudaDeviceOnCpu
from tests.helpers import frames
from tests.pipeline.cuda.on_cpu import CompiledKernels

CPU = open_device("cpu")
SIZE = (32, 24)
TOLERANCE = 2.5


@pytest.fixture
def cuda(compiled_kernels: CompiledKernels) -> CudaDeviceOnCpu:
    device = CudaDeviceOnCpu(compiled_kernels)
    device.xp  # noqa: B018  # this thread has a stream now
    return device


@pytest.fixture
def decoded(tmp_path: Path) -> list[VideoFrame]:
    with av.open(str(write_clip(tmp_path / "a.mp4", 4))) as container:
        return list(container.decode(video=0))


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def batch_of(pictures: list[Any]) -> FrameBatch:
    return frames(len(pictures), pictures=pictures, size_wh=(64, 48))


def on_card(cuda: CudaDeviceOnCpu, frame: VideoFrame, **card: Any) -> Any:
    maker = HardwarePictures(cuda.decoding(), "shop")
    return maker.picture(CardFrame(frame, cuda.fake, **card))  # type: ignore[arg-type]


def test_a_frame_stays_on_the_device_and_looks_as_on_the_cpu(cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]) -> None:
    pictures = [on_card(cuda, frame) for frame in decoded]

    made = cuda.to_host(cuda.model_input(batch_of(pictures), SIZE))

    wanted = CPU.model_input(batch_of([PictureMaker().picture(frame) for frame in decoded]), SIZE)
    np.testing.assert_allclose(made, wanted, atol=TOLERANCE)
    assert cuda.traffic.total("to_device", "pictures") == (0, 0)
    assert cuda.traffic.total("to_host", "pictures") == (0, 0)
    assert cuda.traffic.total("decoded") == (4, 4 * 64 * 48 * 3 // 2)


def test_crops_read_it_there_too(cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]) -> None:
    row, boxes = np.array([1, 0]), np.array([[0.1, 0.1, 0.6, 0.9], [0.3, 0.2, 1.1, 1.3]])

    made = cuda.crops(batch_of([on_card(cuda, frame) for frame in decoded]), row, boxes, SIZE)

    wanted = CPU.crops(batch_of([PictureMaker().picture(frame) for frame in decoded]), row, boxes, SIZE)
    np.testing.assert_allclose(cuda.to_host(made), wanted, atol=TOLERANCE)


def test_its_memory_is_the_decoders_again_only_when_it_has_been_read(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]
) -> None:
    made = cuda.model_input(batch_of([on_card(cuda, decoded[0])]), SIZE)
    for frame in decoded[1:]:
        gc.collect()
        in_thread(lambda frame=frame: cuda.to_host(cuda.model_input(batch_of([on_card(cuda, frame)]), SIZE)))

    wanted = CPU.model_input(batch_of([PictureMaker().picture(decoded[0])]), SIZE)
    np.testing.assert_allclose(cuda.to_host(made), wanted, atol=TOLERANCE)


def test_memory_of_frames_is_given_back(cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]) -> None:
    for _ in range(10):
        cuda.to_host(cuda.model_input(batch_of([on_card(cuda, frame) for frame in decoded]), SIZE))
    gc.collect()
    cuda.to_host(cuda.model_input(batch_of([on_card(cuda, decoded[0])]), SIZE))

    assert len(cuda._uploads) <= 2


def test_a_hundred_streams_that_came_and_went_leave_nothing(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Any]] = []
    make = cuda.fake.Stream

    def counted(*, non_blocking: bool) -> Any:
        stream = make(non_blocking=non_blocking)
        made.append(weakref.ref(stream))
        return stream

    counted.null = make.null  # type: ignore[attr-defined]
    monkeypatch.setattr(cuda.fake, "Stream", counted)
    used = []
    for _ in range(100):
        came: list[Any] = []
        in_thread(lambda came=came: came.append(on_card(cuda, decoded[0])))  # decodes, and ends
        cuda.to_host(cuda.model_input(batch_of(came), SIZE))
        used.append(cuda.held_bytes())
    gc.collect()

    assert len(made) == 100
    assert sum(ref() is not None for ref in made) <= 1
    assert max(used[10:]) <= max(used[:10])
    assert len(cuda._uploads) <= 2


def test_who_draws_has_it_on_the_host_copied_once(cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]) -> None:
    picture = on_card(cuda, decoded[0])

    drawn = [to_bgr(picture) for _ in range(2)]

    for image in drawn:
        np.testing.assert_allclose(image.astype(int), to_bgr(PictureMaker().picture(decoded[0])), atol=1)
    assert cuda.traffic.total("to_host", "pictures") == (1, 64 * 48 * 3 // 2)
    assert not picture.on_host().planes[0].flags.writeable


def test_two_threads_have_it_copied_once(cuda: CudaDeviceOnCpu, decoded: list[VideoFrame]) -> None:
    picture = on_card(cuda, decoded[0])

    threads = [threading.Thread(target=picture.on_host) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert cuda.traffic.total("to_host", "pictures")[0] == 1


def test_the_turn_of_a_frame_is_kept(cuda: CudaDeviceOnCpu, tmp_path: Path) -> None:
    with av.open(str(write_clip(tmp_path / "a.mp4", 1, rotation_deg=90))) as container:
        frame = next(container.decode(video=0))
    on_cpu = PictureMaker().picture(frame)

    assert on_card(cuda, frame).rotation_deg == on_cpu.rotation_deg
    assert on_card(cuda, frame).size_wh == on_cpu.size_wh


@pytest.mark.parametrize("sw_format", ["p010le", "yuv444p"])
def test_what_kernels_cannot_read_leaves_the_device_and_is_told_once(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame], caplog: pytest.LogCaptureFixture, sw_format: str
) -> None:
    maker = HardwarePictures(cuda.decoding(), "shop")
    brought: list[Any] = []
    maker._reformatter = Downloads(brought)  # type: ignore[assignment]

    with caplog.at_level(logging.WARNING):
        pictures = [maker.picture(CardFrame(frame, cuda.fake, sw_format)) for frame in decoded]  # type: ignore[arg-type]

    assert not any(isinstance(picture, DevicePicture) for picture in pictures)
    assert len(brought) == len(decoded)
    assert [record.getMessage() for record in caplog.records] == [
        "stream 'shop': the GPU does not decode it for the models: decoded there, and brought to the host: "
        f"{sw_format}, not 8-bit 4:2:0"
    ]


class Downloads:
    """Where FFmpeg would copy a frame from the card to the host."""

    def __init__(self, brought: list[Any]) -> None:
        self._brought = brought

    def reformat(self, frame: CardFrame, **how: Any) -> VideoFrame:
        self._brought.append((frame, how))
        return frame._frame.reformat(format=how["format"])


@pytest.mark.parametrize(("odd", "why"), [((66, 48), None), ((65, 48), "an odd size"), ((64, 47), "an odd size")])
def test_sizes_whose_chroma_a_card_would_cut_off_leave_it(
    cuda: CudaDeviceOnCpu, caplog: pytest.LogCaptureFixture, odd: tuple[int, int], why: str | None
) -> None:
    maker = HardwarePictures(cuda.decoding(), "shop")
    maker._reformatter = Downloads([])  # type: ignore[assignment]

    picture = maker.picture(CardFrame(VideoFrame(*odd, "yuv420p"), cuda.fake))  # type: ignore[arg-type]

    assert isinstance(picture, DevicePicture) is (why is None)
    assert (why or "") in caplog.text
    assert bool(caplog.records) is (why is not None)


@pytest.mark.parametrize("colour", ["bgr", "grey"])
def test_full_range_is_read_as_it_is(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame], caplog: pytest.LogCaptureFixture, colour: Any
) -> None:
    frame, limited = decoded[0], CPU.model_input(batch_of([PictureMaker().picture(decoded[0])]), SIZE, colour)
    frame.color_range = 2
    wanted = CPU.model_input(batch_of([PictureMaker().picture(frame)]), SIZE, colour)
    picture = on_card(cuda, frame)

    made = cuda.to_host(cuda.model_input(batch_of([picture]), SIZE, colour))

    np.testing.assert_allclose(made, wanted, atol=TOLERANCE)
    assert np.abs(limited - wanted).max() > 4 * TOLERANCE
    np.testing.assert_allclose(to_bgr(picture).astype(int), to_bgr(PictureMaker().picture(frame)), atol=4)
    assert not picture.on_host().full_range
    assert caplog.messages == []


def test_what_the_card_cannot_decode_the_cpu_does_and_it_is_told_once(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame], caplog: pytest.LogCaptureFixture
) -> None:
    maker = HardwarePictures(cuda.decoding(), "shop")

    with caplog.at_level(logging.WARNING):
        pictures = [maker.picture(frame) for frame in decoded]

    for picture, frame in zip(pictures, decoded, strict=True):
        for plane, wanted in zip(picture.planes, PictureMaker().picture(frame).planes, strict=True):
            np.testing.assert_array_equal(plane, wanted)
    assert [record.getMessage() for record in caplog.records] == [
        "stream 'shop': the GPU does not decode it for the models: it does not decode 64×48 yuv420p of this codec"
    ]


def test_without_a_driver_nothing_is_decoded_there_and_it_is_told_once(
    cuda: CudaDeviceOnCpu, decoded: list[VideoFrame], caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    def no_driver(self: DeviceDecoding) -> Any:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(DeviceDecoding, "hwaccel", no_driver)
    maker = HardwarePictures(cuda.decoding(), "shop")

    with caplog.at_level(logging.WARNING):
        assert maker.hwaccel() is None
        maker.picture(decoded[0])

    assert len(caplog.records) == 1
    assert "this machine cannot" in caplog.text
    assert "libnvcuvid.so.1" in caplog.text


def test_ffmpeg_itself_says_whether_there_is_a_decoder(cuda: CudaDeviceOnCpu) -> None:
    if HardwarePictures(cuda.decoding(), "shop").hwaccel() is not None:
        pytest.skip("this machine has one")
    with pytest.raises((OSError, NotImplementedError)):
        cuda.decoding().hwaccel()
