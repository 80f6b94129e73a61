"""The stand-in for cupy finds races: each bug that is put into the device here gives wrong pictures."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest

from pipeline.av_pictures import PictureMaker
from pipeline.cuda.decoding import DeviceDecoding, DevicePicture
from pipeline.cuda.late import RUBBISH
from pipeline.cuda.uploads import Uploads, _Upload
from pipeline.device import open_device
from pipeline.frames import FrameBatch
from pipeline.hardware_pictures import HardwarePictures
from tests.card_frames import CardFrame
from tests.clips import write_clip
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_arrays import DeviceArray
from tests.fake_streams import Stream
from tests.helpers import frames
from tests.pipeline.cuda.on_cpu import CompiledKernels

CPU = open_device("cpu")
SIZE = (32, 24)
TOLERANCE = 2.5
Patch = pytest.MonkeyPatch


def no_wait_for_an_upload(patch: Patch) -> None:
    """Whoever reads a picture does not wait for who brought it to the device."""
    patch.setattr(Stream, "wait_event", lambda self, event: None)


def no_note_of_readers(patch: Patch) -> None:
    """Planes are given back while somebody still reads them."""
    patch.setattr(Uploads, "was_read", lambda self, picture: None)


def no_hold_on_pinned_memory(patch: Patch) -> None:
    """Memory that a copy comes from is given back when the copy has begun."""
    copied = Uploads._copied
    patch.setattr(Uploads, "_copied", lambda self, planes: (copied(self, planes)[0], None))


def no_wait_at_the_end(patch: Patch) -> None:
    """The host reads what the device has not made yet."""
    get = DeviceArray.get
    patch.setattr(DeviceArray, "get", lambda self, stream, blocking: get(self, stream=stream, blocking=False))


def no_hold_on_planes(patch: Patch) -> None:
    """Planes are given back when their picture is gone, whatever the device still does with them."""
    patch.setattr(_Upload, "over", lambda self: True)


def no_wait_for_the_decoder(patch: Patch) -> None:
    """The event of a decoded frame stands on our stream, and the decoder writes on its own."""
    picture = DeviceDecoding.picture

    def early(self: DeviceDecoding, *given: Any) -> Any:
        made: Any = picture(self, *given)
        return DevicePicture(made.planes, made.layout, ready=self._streams.mark(), bring=made.bring)

    patch.setattr(DeviceDecoding, "picture", early)


BUGS: list[Callable[[Patch], None]] = [
    no_wait_for_an_upload,
    no_note_of_readers,
    no_hold_on_pinned_memory,
    no_wait_at_the_end,
    no_hold_on_planes,
    no_wait_for_the_decoder,
]


@pytest.fixture(scope="module")
def decoded(tmp_path_factory: pytest.TempPathFactory) -> list[av.VideoFrame]:
    with av.open(str(write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", 6))) as container:
        return list(container.decode(video=0))


def batch_of(picture: Any) -> FrameBatch:
    return frames(1, pictures=[picture], size_wh=(64, 48))


def apart(device: CudaDeviceOnCpu, decoded: list[av.VideoFrame]) -> float:
    """Let two threads and a decoder work at once on a device; return how far its pictures are from the CPU's."""
    maker, card = PictureMaker(), HardwarePictures(device.decoding(), "shop")
    worst: list[float] = []

    def compare(there: Any, frame: av.VideoFrame) -> None:
        wanted = CPU.model_input(batch_of(maker.picture(frame)), SIZE)
        worst.append(float(np.abs(device.to_host(there).astype(float) - wanted).max()))

    def reads(batches: list[FrameBatch], begun: threading.Event, gone: threading.Event) -> None:
        made = [device.model_input(batch, SIZE) for batch in batches]
        batches.clear()
        begun.set()
        gone.wait()
        for one, frame in zip(made, decoded, strict=False):
            compare(one, frame)

    kept = [batch_of(maker.picture(frame)) for frame in decoded[:2]]
    kept += [batch_of(card.picture(CardFrame(frame, device.fake))) for frame in decoded[2:4]]  # type: ignore[arg-type]
    mine = [device.model_input(batch, SIZE) for batch in kept]
    begun, gone = threading.Event(), threading.Event()
    thread = threading.Thread(target=reads, args=(list(kept), begun, gone), daemon=True)
    thread.start()
    begun.wait()
    kept.clear()
    gc.collect()
    for frame in decoded[4:]:  # memory that is free by now is somebody else's
        compare(device.model_input(batch_of(maker.picture(frame)), SIZE), frame)
        device.to_host(device.model_input(batch_of(card.picture(CardFrame(frame, device.fake))), SIZE))  # type: ignore[arg-type]
    for one, frame in zip(mine, decoded, strict=False):
        compare(one, frame)
    gone.set()
    thread.join()
    return max(worst)


@pytest.mark.parametrize("late", [False, True])
def test_without_a_bug_all_pictures_are_right(
    compiled_kernels: CompiledKernels, decoded: list[av.VideoFrame], late: bool
) -> None:
    assert apart(CudaDeviceOnCpu(compiled_kernels, late=late), decoded) <= TOLERANCE


def test_a_device_that_is_to_be_late_hands_out_rubbish(compiled_kernels: CompiledKernels) -> None:
    device = CudaDeviceOnCpu(compiled_kernels, late=True)
    begun = device._streams.own().begun

    made = device.model_input(frames(0), SIZE)
    more = device._empty((3, 5), "uint8")

    assert made.shape == (0, 3, *SIZE[::-1])
    assert np.unique(device.to_host(more)).tolist() == [RUBBISH]
    assert device._streams.own().begun >= begun + 4  # twice: filled, and kept busy


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_found(
    compiled_kernels: CompiledKernels,
    decoded: list[av.VideoFrame],
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[Patch], None],
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    bug(monkeypatch)

    assert apart(device, decoded) > 4 * TOLERANCE
