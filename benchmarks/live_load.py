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
from benchmarks.live_churn import sample
from benchmarks.live_run import LiveRun, live_stream
from benchmarks.live_sink import Eye
from benchmarks.live_tally import Clock, Sample, Sighting, ages, growth, level
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
LOOK_S = 0.5
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
    """Run the graph on some cameras that together send so many frames a second."""
    with running(folder, size_wh, count, offered_fps) as (run, eye):
        time.sleep(lengths.warm_s)
        began_s = time.time()
        time.sleep(lengths.window_s)
        ended_s = time.time()
        seen = eye.between(began_s, ended_s)
    report = run.report
    assert report is not None
    figures = {
        **level(seen, offered_fps, ended_s - began_s),
        "streams": count,
        "stream_fps": round(offered_fps / count, 2),
        "dropped": report.dropped,
        "fairness": fairness(seen, rates(count, offered_fps), ended_s - began_s),
    }
    return Level(figures, run.violations)


def soak(lengths: Lengths, one_x: float | None) -> Figures:
    """Run four streams at 1× for minutes.

    Args:
        lengths: how long.
        one_x: frames a second; None to find out first.

    Returns:
        As a level, and what memory, threads and open files did: growth for each 1,000 s of the second half.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, violations = Path(name), []
        if one_x is None:
            one_x, found = saturate(folder, lengths)
            violations += found.violations
        with running(folder, SMALL_WH, STREAMS["1"], one_x) as (run, eye):
            time.sleep(lengths.warm_s)
            began_s, samples = time.time(), []
            while (at_s := time.time() - began_s) < lengths.soak_s:
                samples.append(_at(at_s))
                time.sleep(LOOK_S)
            seen, ended_s = eye.between(began_s), time.time()
    grown = {key.replace("1000", "1000_s"): value for key, value in growth(samples, round(lengths.soak_s / 2)).items()}
    return {
        **level(seen, one_x, ended_s - began_s),
        **grown,
        "seconds": round(ended_s - began_s),
        "rss_mb_first": round(samples[0].rss_bytes / 1e6, 1),
        "rss_mb_last": round(samples[-1].rss_bytes / 1e6, 1),
        "quarters": [_quarter(seen, began_s, ended_s, part) for part in range(4)],
        "streams": STREAMS["1"],
        "one_x_fps": one_x,
        "violations": [*violations, *run.violations],
    }


@contextmanager
def running(
    folder: Path, size_wh: tuple[int, int], count: int, offered_fps: float
) -> Iterator[tuple[LiveRun, Eye]]:  # fmt: skip
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
            yield run, eye


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


def _quarter(seen: list[Sighting], began_s: float, ended_s: float, part: int) -> float | None:
    """Return the p95 age of a quarter of the time, milliseconds."""
    length_s = (ended_s - began_s) / 4
    from_s = began_s + part * length_s
    p95_ms: float | None = ages([one for one in seen if from_s <= one.unix_s < from_s + length_s])["p95_ms"]
    return p95_ms


def _at(at_s: float) -> Sample:
    return sample(round(at_s))
