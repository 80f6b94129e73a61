"""The retail graph under load: how old frames are at the sinks, and how many are dropped, from too little to too much.

All of the graph runs as it ships, sinks included: annotated video, event log, event bus. Load is made by more streams
and by faster streams at once. Ages are counted from the moment the camera sends a frame, which its picture tells.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cameras.clips import make_clip, read_number
from benchmarks.cameras.process import CameraProcess
from benchmarks.graph_runs import shipped_graph, shipped_stream
from benchmarks.live_run import LiveRun, live_stream
from benchmarks.live_sink import Eye
from benchmarks.live_tally import Clock, Sighting, level
from benchmarks.results import Figures
from pipeline.frames import Stream

ENDS = ("overlay", "video", "log", "bus", "poses")
"""With these nodes, all of the retail graph is run."""
MAX_AGE_MS = 500.0
"""Set for every stream: no frame shall be older at the sinks."""
STREAMS = {"0.5": 2, "1": 3, "2": 5, "4": 8}
"""How many streams make a load; the rate of each follows."""
LARGE = ("1", "4")
"""Loads that are tried with large pictures, too."""
SPREAD = 0.8, 1.2
"""Rates of the slowest and of the fastest camera of a load, over their mean."""
SMALL_WH, LARGE_WH = (640, 360), (1920, 1080)
MORE_THAN_ENOUGH_FPS = 200.0
"""What is offered to find out how much can be taken; all of it taken would not be a limit."""
CONNECTING_S = 60.0
CLIP_S = 20.0
"""Ages are known up to this."""


@dataclass(frozen=True)
class Lengths:
    """Seconds that each part of a load takes."""

    warm_s: float
    window_s: float
    soak_s: float


FULL, SHORT = Lengths(5.0, 30.0, 600.0), Lengths(2.0, 6.0, 20.0)


@dataclass(frozen=True)
class Level:
    """What a load did."""

    figures: Figures
    violations: list[str]


def measure_load(lengths: Lengths) -> Figures:
    """Measure the whole table.

    Returns:
        `one_x_fps`, `load` and `load_1080p` by level, `max_age_ms`, `violations`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one_x, found = saturate(folder, lengths)
        small = {key: run_level(folder, SMALL_WH, key, one_x, lengths) for key in STREAMS}
        large = {key: run_level(folder, LARGE_WH, key, one_x, lengths) for key in LARGE}
    levels = [*small.values(), *large.values()]
    return {
        "one_x_fps": one_x,
        "load": {key: each.figures for key, each in small.items()},
        "load_1080p": {key: each.figures for key, each in large.items()},
        "max_age_ms": MAX_AGE_MS,
        "saturated": found.figures,
        "violations": [line for each in [found, *levels] for line in each.violations],
    }


def saturate(folder: Path, lengths: Lengths) -> tuple[float, Level]:
    """Return the frame rate that the graph reaches when it is offered more than it can take: 1×."""
    found = run_streams(folder, SMALL_WH, max(STREAMS.values()), MORE_THAN_ENOUGH_FPS, lengths)
    return found.figures["processed_fps"], found


def run_level(folder: Path, size_wh: tuple[int, int], key: str, one_x: float, lengths: Lengths) -> Level:
    """Run one load, named by how many times 1× it is."""
    return run_streams(folder, size_wh, STREAMS[key], float(key) * one_x, lengths)


def run_streams(folder: Path, size_wh: tuple[int, int], count: int, offered_fps: float, lengths: Lengths) -> Level:
    """Run the graph on some cameras that together send so many frames a second.

    How much too late a camera sent at worst is told, too: that is part of all ages, and none of the graph's.
    """
    with running(folder, size_wh, count, offered_fps) as (run, eye, cameras):
        time.sleep(lengths.warm_s)
        began_s, _ = time.time(), cameras.late_s()
        time.sleep(lengths.window_s)
        ended_s, late_s = time.time(), cameras.late_s()
        seen = eye.between(began_s, ended_s)
    report = run.report
    assert report is not None
    figures = {
        **level(seen, offered_fps, ended_s - began_s),
        "streams": count,
        "stream_fps": round(offered_fps / count, 2),
        "sent_late_ms": round(1e3 * late_s, 1),
        "dropped": report.dropped,
        "fairness": fairness(seen, rates(count, offered_fps), ended_s - began_s),
    }
    return Level(figures, run.violations)


@contextmanager
def running(
    folder: Path, size_wh: tuple[int, int], count: int, offered_fps: float
) -> Iterator[tuple[LiveRun, Eye, CameraProcess]]:  # fmt: skip
    """Run the retail graph on cameras, from the moment on at which a frame of each has reached the sinks.

    No two cameras send at one rate, so that their key frames do not come all at once, as they do not from real ones.
    """
    fps = rates(count, offered_fps)
    frames = round(CLIP_S * max(fps.values()))
    clip = make_clip(folder / "clips", size_wh, frames, max(fps.values()), gop=max(round(offered_fps / count), 1))
    eye = Eye(read_number)
    with CameraProcess(clip.path, 0) as cameras, tempfile.TemporaryDirectory(dir=folder) as out:
        graph, settings = shipped_graph(ENDS, [f"bus.endpoint=ipc://{out}/bus"])
        streams = [_shop(name, cameras.add(name, fps=each)) for name, each in fps.items()]
        eye.clocks |= {name: Clock(each, frames) for name, each in fps.items()}
        with LiveRun(graph, settings, streams, eye, Path(out)) as run:
            run.wait_until(
                lambda: {one.stream_id for one in eye.between(0.0)} == {*fps}, CONNECTING_S, "a frame of each camera"
            )
            yield run, eye, cameras


def rates(count: int, offered_fps: float) -> dict[str, float]:
    """Return frame rates of so many cameras, by name: evenly apart, and together what is offered."""
    each = np.linspace(*SPREAD, count) * offered_fps / count
    return {f"cam{number}": rate for number, rate in enumerate(each.tolist())}


def _shop(name: str, url: str) -> Stream:
    """Return a stream with the areas of the shipped configuration."""
    values: dict[str, Any] = {"aois": shipped_stream(Path("shop")).config.aois, "max_age_ms": MAX_AGE_MS}
    return live_stream(name, url, **values)


def fairness(seen: Sequence[Sighting], fps: Mapping[str, float], window_s: float) -> float | None:
    """Return how near the stream that is worst off comes to an equal part, or to all of its frames if those are fewer.

    Args:
        seen: frames of all streams within a window of time.
        fps: what each stream sends.
        window_s: the length of the window.
    """
    counts, equal = Counter(one.stream_id for one in seen), len(seen) / len(fps)
    return round(min(counts[name] / min(equal, rate * window_s) for name, rate in fps.items()), 3) if seen else None
