"""One measured run in a process of its own: `python -m benchmarks.speed_run graph ...` prints its figures as JSON."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.graph_runs import shipped_graph, shipped_stream
from benchmarks.machine import free_port, resident_bytes
from benchmarks.plain_loop import run_loop
from benchmarks.results import ROOT, Figures
from nodes.surgery.trials import of_clips
from pipeline.device import open_device
from pipeline.errors import PipelineError
from pipeline.graph import Graph
from pipeline.report import Snapshot
from pipeline.runtime import Runtime
from pipeline.session import open_session
from pipeline.settings import EngineConfig

NODES = ("overlay", "video", "log", "bus", "poses")
"""The ends of the retail graph: with them, all of it is run."""
HEADS = (1, 3, 10)
DETECTOR_WH = (416, 256)
"""Size at which the detector has a target."""
DETECTOR_FRAMES = 4
_MODEL_RUNS = 60


def retail(threads: int) -> tuple[Graph, EngineConfig]:
    """Return the retail graph as it ships, but on a free port, with that many threads in decoder and encoder.

    The gaze model is asked about every head in every frame: how fast the engine is shall not depend on what is spared.
    """
    sets = [f"bus.endpoint=tcp://127.0.0.1:{free_port()}", f"frames.threads={threads}", f"video.threads={threads}"]
    sets.append("gaze.schedule=every_frame")
    return shipped_graph(NODES, sets)


def graph_run(clip: Path, frames: int, out: Path) -> Figures:
    """Run the graph; CPU is that of the whole process, opening included."""
    graph, settings = retail(threads=1)
    device, cpu_s = open_device("cpu"), time.process_time()
    runtime = Runtime(graph, [shipped_stream(clip)], settings, device=device, out_dir=out, root=ROOT, max_frames=frames)
    memory: list[tuple[float, int]] = []

    def observe(snapshot: Snapshot) -> None:
        memory.append((max(snapshot.pts_ns.values()) / 1e9, resident_bytes()))

    report = runtime.run(observe)
    cpu_s = time.process_time() - cpu_s
    if report.status != "done" or report.frames != frames:
        raise PipelineError(f"{clip}: expected {frames} frames, got {report.frames}, {report.status}: {report.error}")
    return {
        "frames": report.frames,
        "elapsed_s": report.elapsed_s,
        "cpu_s": cpu_s,
        "engine_cpu_s": report.engine_cpu_s,
        "memory": memory,
    }


def loop_run(clip: Path, frames: int, out: Path, threads: int | None) -> Figures:
    """Run the same nodes in a loop; None leaves the threads to the libraries, and gives codecs one for each core."""
    graph, _ = retail(threads=threads or os.cpu_count() or 1)
    cpu_s = time.process_time()
    run = run_loop(graph, shipped_stream(clip), out, threads=threads, max_frames=frames)
    return {"frames": run.frames, "elapsed_s": run.elapsed_s, "cpu_s": time.process_time() - cpu_s}


def model_times(clip: Path) -> Figures:
    """Return milliseconds of CPU for one run of the shipped models, on one core; the detector's on frames of a clip.

    What it takes goes with the heads that it finds, so `detector_heads` tells how many these are in a frame.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    graph, _ = shipped_graph(["people", "gaze"])
    device, rng = open_device("cpu"), np.random.default_rng(0)
    figures: Figures = {}
    people = open_session(_model(graph, "people"), device, ROOT)
    for name, size_wh in (("detector_ms", DETECTOR_WH), ("detector_ms_own_size", people.card.input_size_wh or (0, 0))):
        trial = of_clips([clip], size_wh, people.card.picture, DETECTOR_FRAMES, ROOT)
        feeds = [{"input_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32)} for picture in trial.pictures]
        figures[name] = round(statistics.mean(_milliseconds(_asking(people.run, feed)) for feed in feeds), 2)
    figures["detector_heads"] = len(trial.boxes) / len(feeds)
    gaze = open_session(_model(graph, "gaze"), device, ROOT)
    width, height = gaze.card.input_size_wh or (0, 0)
    picture = rng.uniform(0, 255, (1, 3, height, width)).astype(np.float32)
    for heads in HEADS:
        corner = rng.uniform(0, 0.8, (1, heads, 2))
        boxes = np.concatenate([corner, corner + 0.1], axis=2).astype(np.float32)
        run = _asking(gaze.run, {"image_bgr": picture, "bboxes_x1y1x2y2": boxes})
        figures[f"gaze_ms_{heads}_head{'s' if heads > 1 else ''}"] = _milliseconds(run)
    return figures


def _model(graph: Graph, node: str) -> str:
    return str(graph.node(node).config.model_dump()["model"])


def _asking(run: Callable[[dict[str, Any]], Any], inputs: dict[str, Any]) -> Callable[[], Any]:
    return lambda: run(inputs)


def _milliseconds(run: Callable[[], Any]) -> float:
    spent_s = []
    for _ in range(_MODEL_RUNS):
        began_s = time.process_time()
        run()
        spent_s.append(time.process_time() - began_s)
    return round(1e3 * statistics.median(spent_s[_MODEL_RUNS // 10 :]), 2)


def main() -> None:
    """Do one run and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed_run", description=__doc__)
    parser.add_argument("what", choices=("graph", "one_thread", "defaults", "models"))
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        if options.what == "models":
            figures = model_times(options.clip)
        elif options.what == "graph":
            figures = graph_run(options.clip, options.frames, Path(out))
        else:
            threads = 1 if options.what == "one_thread" else None
            figures = loop_run(options.clip, options.frames, Path(out), threads)
    json.dump(figures, sys.stdout)


if __name__ == "__main__":
    main()
