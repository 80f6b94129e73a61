"""Streams on a machine whose device decodes: where it cannot, the CPU does, and it is said once a stream."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes.decode_video import Config, DecodeVideo
from pipeline.frames import Stream
from pipeline.node import Frame
from pipeline.streams import StreamConfig
from tests.card_frames import PicturesOfCard
from tests.clips import write_clip
from tests.cuda_device import CudaDeviceOnCpu
from tests.decoding import read
from tests.helpers import FakeContext
from tests.pipeline.cuda.on_cpu import CompiledKernels


def pictures(clip: Path, device: CudaDeviceOnCpu, **config: Any) -> list[Any]:
    context = FakeContext()
    context.device = device
    source = DecodeVideo(Config(**config), context, Stream("door", StreamConfig(url=str(clip))))
    return [item.picture for item in source.frames() if isinstance(item, Frame)]


def test_without_a_decoder_on_the_card_a_file_is_read_all_the_same(
    tmp_path: Path, compiled_kernels: CompiledKernels, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_clip(tmp_path / "a.mp4", 5)

    with caplog.at_level(logging.WARNING):
        made = pictures(clip, CudaDeviceOnCpu(compiled_kernels))

    assert len([text for text in caplog.messages if "'door': the GPU does not decode it" in text]) == 1
    for picture, wanted in zip(made, read(clip)[0], strict=True):
        for plane, one in zip(picture.planes, wanted.picture.planes, strict=True):
            np.testing.assert_array_equal(plane, one)


def test_who_wants_the_cpu_is_told_nothing(
    tmp_path: Path, compiled_kernels: CompiledKernels, caplog: pytest.LogCaptureFixture
) -> None:
    made = pictures(write_clip(tmp_path / "a.mp4", 5), CudaDeviceOnCpu(compiled_kernels), decoder="cpu")

    assert len(made) == 5
    assert caplog.messages == []


def test_a_card_that_decodes_keeps_frames(
    tmp_path: Path, compiled_kernels: CompiledKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    monkeypatch.setattr("nodes.decode_video.HardwarePictures", PicturesOfCard)
    monkeypatch.setattr(PicturesOfCard, "fake", device.fake, raising=False)

    made = pictures(write_clip(tmp_path / "a.mp4", 5), device)

    assert [picture.layout for picture in made] == ["nv12"] * 5
    assert device.traffic.total("decoded")[0] == 5
