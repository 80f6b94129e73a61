"""Checks of the CUDA device that run graphs, decoders or models of the true size: called by benchmarks.cuda."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.noise_frames import frames_of

Figures = dict[str, float | int | str]
STREAMS = (1, 4, 16)
HEADS = tuple(range(1, 11))
FRAMES = 250
"""Of the demo clip, for each stream."""
RUNS = 20
"""Calls of a model that are timed together."""
TOLERANCE = 6.0
"""Grey levels between model inputs of frames that the card decoded and that the CPU did."""
EVENTS_ALIKE = 0.9
"""Share of events (kind, track, target) that both devices must tell: pixels differ by a few levels, and then visits."""


class WrongError(Exception):
    """A check that failed."""


def graph() -> Figures:
    """The retail graph on the demo clip on both devices: the same looks, and what crossed a frame."""
    told: Figures = {}
    looks = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in ("cpu", "cuda"):
            report, folder = retail_run(Path(name, kind), _device(kind))
            rows = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()]
            looks[kind] = [(row["type"], row["data"]["track"], row["data"]["target"]) for row in rows]
            told |= {f"{kind}_fps": round(report.fps, 1)} | _crossed_a_frame(report)
    alike, most = (Counter(looks["cpu"]) & Counter(looks["cuda"])).total(), max(map(len, looks.values()))
    if alike < EVENTS_ALIKE * most:
        raise WrongError(f"graph: expected {EVENTS_ALIKE:.0%} of {most} events to be the CPU's, got {alike}")
    return told | {"events": most, "events_alike": alike}


def races() -> Figures:
    """The same on a device that is late with everything and hands out rubbish: the same events, or something races."""
    from pipeline.device_cuda import CudaDevice

    told = {}
    with tempfile.TemporaryDirectory() as name:
        for late in (False, True):
            _, folder = retail_run(Path(name, str(late)), CudaDevice(late=late))
            told[late] = (folder / "events.jsonl").read_bytes()
    if told[False] != told[True]:
        raise WrongError("races: expected the same events from a device that is late, got others: a wait is missing")
    return {"events": told[True].count(b"\n")}


def decode() -> Figures:
    """Frames of the demo clip that the card decodes: the same as the CPU's, and frames a second."""
    import numpy as np

    from pipeline.device_cpu import CpuDevice
    from pipeline.device_cuda import CudaDevice

    cpu, cuda, apart = CpuDevice(), CudaDevice(), 0.0
    on_card, took_s = _decoded(cuda)
    for there, here in zip(on_card, _decoded(cpu)[0], strict=True):
        made = cuda.to_host(cuda.model_input(_batch(there), (480, 288), shrink="linear"))
        apart = max(apart, float(np.abs(made - cpu.model_input(_batch(here), (480, 288), shrink="linear")).max()))
    if apart > TOLERANCE:
        raise WrongError(f"decode: expected at most {TOLERANCE} grey levels from the CPU's frames, got {apart:.2f}")
    return {"frames": len(on_card), "fps": round(len(on_card) / took_s, 1), "apart": round(apart, 2)}


def zero_copy() -> Figures:
    """The retail graph, decoded on the card, that must not copy a picture: what crossed all the same, a frame."""
    _needs_decoder()
    with tempfile.TemporaryDirectory() as name:
        report, _ = retail_run(Path(name), _device("cuda"), assert_zero_copy=True)
    return _crossed_a_frame(report)


def streams() -> Figures:
    """1, 4 and 16 streams through the retail graph: frames a second, and what each node takes of the time."""
    told: Figures = {}
    for count in STREAMS:
        with tempfile.TemporaryDirectory() as name:
            report, _ = retail_run(Path(name), _device("cuda"), streams=count)
        told[f"{count}: fps"] = round(report.fps, 1)
        for node in report.nodes:
            told[f"{count}: {node.name}, ms a frame"] = round(node.wall_ms_per_frame, 3)
        told[f"{count}: engine, share of CPU time"] = round(
            report.engine_cpu_s / max(report.engine_cpu_s + report.node_cpu_s, 1e-9), 3
        )
    return told


def heads() -> Figures:
    """The shipped gaze model for 1 to 10 heads of a frame, milliseconds a call."""
    import numpy as np

    from benchmarks.results import ROOT
    from pipeline.device_cuda import CudaDevice
    from pipeline.session import open_session

    cuda = CudaDevice()
    session, rng = open_session("gaze-shop-480", cuda, ROOT), np.random.default_rng(0)
    picture = cuda.xp.asarray(rng.uniform(0, 255, (1, 3, 288, 480)).astype(np.float32))
    told: Figures = {}
    for count in HEADS:
        boxes = np.tile(np.array([0.4, 0.2, 0.5, 0.4], np.float32), (1, count, 1))
        inputs = {"image_bgr": picture, "bboxes_x1y1x2y2": cuda.xp.asarray(boxes)}
        told[f"{count}_ms"] = round(ms_a_call(cuda, lambda inputs=inputs: session.run(inputs)), 3)  # type: ignore[misc]
    return told


def ms_a_call(cuda: Any, call: Callable[[], Any]) -> float:
    """Return milliseconds of one of many calls that are begun one after the other; the first does not count."""

    def wait(answer: dict[str, Any]) -> None:
        cuda.to_host(next(iter(answer.values())))

    wait(call())
    begin = time.perf_counter()
    for _ in range(RUNS):
        answer = call()
    wait(answer)
    return 1e3 * (time.perf_counter() - begin) / RUNS


def _device(kind: Any) -> Any:
    from pipeline.device import open_device

    return open_device(kind)


def retail_run(out: Path, device: Any, *, streams: int = 1, assert_zero_copy: bool = False) -> tuple[Any, Path]:
    """Run the retail graph on the demo clip; return its report, and the folder of the first stream."""
    import av  # noqa: F401  # named here, so that its absence is what is told

    from benchmarks.graph_runs import shipped_graph, shipped_stream
    from benchmarks.results import ROOT
    from pipeline.runtime import Runtime

    selected, settings = shipped_graph(["log"])
    settings = settings.model_copy(update={"assert_zero_copy": assert_zero_copy})
    first = shipped_stream(ROOT / "scenes" / "demo" / "shop.mp4")
    all_streams = [replace(first, id=first.id if number == 0 else f"{first.id}-{number}") for number in range(streams)]
    run = Runtime(selected, all_streams, settings, device=device, out_dir=out, root=ROOT, max_frames=FRAMES)
    report = run.run()
    if report.status != "done":
        raise WrongError(f"graph on {device.kind}: {report.error}")
    return report, out / first.id


def _crossed_a_frame(report: Any) -> Figures:
    told: Figures = {}
    for key, row in report.crossed.items():
        told[f"{key}, copies a frame"] = round(row["copies"] / report.frames, 2)
        told[f"{key}, bytes a frame"] = row["bytes"] // report.frames
    return told


def _needs_decoder() -> None:
    from pipeline.device_cuda import CudaDevice
    from pipeline.hardware_pictures import HardwarePictures

    if HardwarePictures(CudaDevice().decoding(), "check").hwaccel() is None:
        raise ModuleNotFoundError("decoder on the card", name="decoder on the card (libnvcuvid.so.1)")


def _decoded(device: Any) -> tuple[list[Any], float]:
    """Return pictures of the demo clip that a device decodes, and how long that took, seconds."""
    from benchmarks.results import ROOT
    from pipeline.av_pictures import PictureMaker
    from pipeline.containers import open_file, video_stream
    from pipeline.hardware_pictures import HardwarePictures

    maker, accel = PictureMaker(), None
    if device.decoding() is not None:
        _needs_decoder()
        there = HardwarePictures(device.decoding(), "check")
        maker, accel = there, there.hwaccel()
    url = str(ROOT / "scenes" / "demo" / "shop.mp4")
    begin = time.perf_counter()
    with open_file(url, accel) as container:
        pictures = [maker.picture(frame) for frame in container.decode(video_stream(container, url))]
    return pictures[:FRAMES], time.perf_counter() - begin


def _batch(picture: Any) -> Any:
    return replace(frames_of(1, picture.size_wh, 0), pictures=(picture,))
