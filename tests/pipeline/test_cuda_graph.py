"""The whole retail graph on the CUDA device, its GPU stood in for: the same people, gaze and events as on the CPU."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes.types import GazePoints, Tracks
from pipeline.backends import acceleration
from pipeline.cuda.driver import Gpu
from pipeline.recording import Recording
from pipeline.report import RunReport
from pipeline.session import Session
from tests.card_frames import PicturesOfCard
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_tensorrt import FakeTensorRt
from tests.pipeline.cuda.on_cpu import CompiledKernels
from tests.pipeline.retail import events, render, retail

Runs = tuple[Path, Path, CudaDeviceOnCpu, RunReport]
EDGES = {"tracks": Tracks, "steady": GazePoints}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, compiled_kernels: CompiledKernels) -> Runs:
    """Return the folders of a run on the CPU and of one on the device, the device, and the report of that run."""
    folder = tmp_path_factory.mktemp("cuda")
    clip, device = render(folder), CudaDeviceOnCpu(compiled_kernels)
    for name, where in (("cpu", None), ("cuda", device)):
        report = retail(clip, folder / name, device=where, record={edge: folder / name for edge in EDGES}).run()
        assert report.status == "done", report.error
    return folder / "cpu", folder / "cuda", device, report


@pytest.fixture(scope="module")
def apart(runs: Runs, compiled_kernels: CompiledKernels) -> tuple[Path, CudaDeviceOnCpu]:
    """Return the folder and the device of a run in which each node is a stage of its own, and models are not tried."""
    folder, device = runs[0].parent, CudaDeviceOnCpu(compiled_kernels)
    with pytest.MonkeyPatch.context() as untried:
        for check in ("_try_out", "_prove"):
            untried.setattr(Session, check, lambda *_: None)
        report = retail(folder / "shop.mp4", folder / "apart", device=device, stage="new").run()
    assert report.status == "done", report.error
    return folder / "apart", device


def whole(folder: Path, edge: str, field: str) -> Any:
    return np.concatenate([getattr(tick.value, field) for tick in Recording(edge, EDGES[edge], folder)])


def test_the_same_people_are_followed(runs: Runs) -> None:
    on_cpu, on_cuda, *_ = runs

    np.testing.assert_array_equal(whole(on_cuda, "tracks", "track_id"), whole(on_cpu, "tracks", "track_id"))
    np.testing.assert_allclose(whole(on_cuda, "tracks", "head_box"), whole(on_cpu, "tracks", "head_box"), atol=0.01)


def test_gaze_goes_to_the_same_places(runs: Runs) -> None:
    on_cpu, on_cuda, *_ = runs
    near = np.abs(whole(on_cuda, "steady", "point") - whole(on_cpu, "steady", "point")).max(axis=1)

    told = near[~np.isnan(near)]
    assert np.median(told) < 0.01
    assert (told < 0.05).mean() > 0.9  # a map with two hills may take the other one


def test_events_tell_the_same_looks(runs: Runs) -> None:
    told = []
    for folder in runs[:2]:
        rows = [json.loads(line) for line in events(folder).splitlines()]
        taken_back = {row["data"]["visit"] for row in rows if row["type"].endswith("retracted")}
        stand = [row for row in rows if row["data"]["visit"] not in taken_back]
        ends = [row for row in stand if row["type"].endswith(("started", "ended"))]
        told.append([(row["type"], row["data"]["track"], row["data"]["target"]) for row in ends])

    assert told[0] == told[1]  # when a look ends may differ: its probability of .3 falls below the limit sooner in one
    assert len(told[0]) >= 2  # a look that starts and ends


def test_engines_of_tensorrt_tell_the_same_as_onnx_runtime_on_the_device(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled_kernels: CompiledKernels
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    trt = FakeTensorRt(device.fake)
    monkeypatch.setitem(sys.modules, "tensorrt", trt)
    monkeypatch.setattr(acceleration, "first_gpu", lambda: Gpu("Fake 9000", "9.0", "13.0", "580.1", 1))
    engine = {"backend": "tensorrt", "cache_folder": tmp_path / "engines"}

    report = retail(runs[0].parent / "shop.mp4", tmp_path / "out", device=device, engine=engine).run()

    assert report.status == "done", report.error
    assert events(tmp_path / "out") == events(runs[1])
    assert trt.built == 2
    assert trt.run > 25 + 2  # each frame, heads of some, and two trials


def test_each_picture_goes_there_once_and_no_picture_comes_back(runs: Runs) -> None:
    traffic, frames = runs[2].traffic, 25
    picture_bytes = 320 * 192 * 3 // 2

    assert traffic.total("to_device", "pictures") == (frames, frames * picture_bytes)
    copies, size = traffic.total("to_host")
    assert size / frames < picture_bytes
    assert copies / frames <= 8


def test_frames_that_the_card_decodes_never_leave_it(
    tmp_path: Path, runs: Runs, compiled_kernels: CompiledKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    monkeypatch.setattr("nodes.decode_video.HardwarePictures", PicturesOfCard)
    monkeypatch.setattr(PicturesOfCard, "fake", device.fake, raising=False)

    clip, out = render(tmp_path), tmp_path / "card"

    report = retail(clip, out, device=device, record={"steady": out}, engine={"assert_zero_copy": "true"}).run()

    assert report.status == "done", report.error
    assert report.crossed["source-shop: decoded pictures"]["copies"] == 25
    assert not [way for way in report.crossed if "device pictures" in way or "host pictures" in way]
    assert events(out) == events(runs[1])


def test_a_run_that_must_not_copy_fails_when_the_cpu_decodes(tmp_path: Path, compiled_kernels: CompiledKernels) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)

    report = retail(render(tmp_path), tmp_path, device=device, engine={"assert_zero_copy": "true"}).run()

    assert report.status == "failed"
    assert str(report.error).startswith("engine.assert_zero_copy: expected no picture to go to the device and no other")
    assert "to device pictures in 'people'" in str(report.error)
    assert "the log says why frames are not decoded on the device" in str(report.error)


def test_the_report_tells_what_crossed(runs: Runs) -> None:
    assert "people: to_device pictures: 1.0 copies and 92.2 kB a frame" in runs[3].table().splitlines()
    assert runs[3].to_dict()["crossed"]["people: to_device pictures"] == {"copies": 25, "bytes": 25 * 92160, "large": 0}


def test_stages_that_pass_maps_on_tell_the_same(runs: Runs, apart: tuple[Path, CudaDeviceOnCpu]) -> None:
    assert events(apart[0]) == events(runs[1])


def test_three_small_copies_a_frame_come_back_and_no_map(apart: tuple[Path, CudaDeviceOnCpu]) -> None:
    """Detections, grey patches of what may be no person, what the gaze model is sure of, and shares of areas."""
    back = {key.split(":")[0]: row for key, row in apart[1].crossed().items() if "to_host" in key}
    frames, heads, targets = 25, 3, 7

    assert back.keys() == {"people", "living", "gaze", "hits"}
    assert sum(row["copies"] for row in back.values()) <= 3 * frames
    assert back["hits"]["copies"] <= frames
    assert back["hits"]["bytes"] <= frames * heads * targets * 8
    assert back["gaze"]["bytes"] <= frames * heads * (4 + 8)


def test_what_is_drawn_rides_along_with_the_shares_of_areas(
    tmp_path: Path, runs: Runs, compiled_kernels: CompiledKernels
) -> None:
    device = CudaDeviceOnCpu(compiled_kernels)
    clip = runs[0].parent / "shop.mp4"

    report = retail(clip, tmp_path, device=device, without=("video", "bus")).run()

    assert report.status == "done", report.error
    assert events(tmp_path) == events(runs[1])
    recorded = 25  # copies of what the other run has recorded of each frame
    copies = [sum(row["copies"] for way, row in one.crossed.items() if "to_host" in way) for one in (report, runs[3])]
    assert copies[0] == copies[1] - recorded


def test_the_graph_shows_who_does_not_wait(
    runs: Runs, compiled_kernels: CompiledKernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, device = runs[0].parent, CudaDeviceOnCpu(compiled_kernels)
    monkeypatch.setattr(device, "reading", lambda *read: nullcontext(device.xp))

    report = retail(folder / "shop.mp4", folder / "rash", device=device, stage="new").run()

    assert report.status != "done" or events(folder / "rash") != events(runs[1])
