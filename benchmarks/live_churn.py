"""Cameras that come and go, and cameras that are never there: what memory, threads and open files do meanwhile."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cameras.clips import make_clip, read_number
from benchmarks.cameras.process import CameraProcess
from benchmarks.graph_runs import shipped_graph
from benchmarks.live_run import LiveRun, live_stream
from benchmarks.live_sink import Eye
from benchmarks.live_tally import Sample, growth
from benchmarks.machine import free_port, resident_bytes
from benchmarks.results import Figures
from pipeline.errors import PipelineError

AT_ONCE = 4
"""Cameras that come and go at one time."""
ROUND = 20
"""Cycles between two samples; a sample is taken while none of these cameras is there."""
IMPATIENT = 4
"""Every fourth camera is removed at once, while it is being connected to; the others after their first frame."""
SMALL_WH, FPS = (320, 180), 25.0
QUICK = ("engine.back_off_first_s=0.01", "engine.back_off_cap_s=0.05")
"""Thousands of connects that fail shall not take hours."""
KEPT = 100
"""Frames that are remembered: what grows shall not be our own list."""
WITHIN_S = 30.0
POLL_S = 0.002
TASKS = Path("/proc/self/task")
OPEN_FILES = Path("/proc/self/fd")


@dataclass(frozen=True)
class Amount:
    """How much is done, and from where on it counts."""

    cycles: int
    cycles_since: int
    connects: int
    connects_since: int


FULL, SHORT = Amount(3000, 1000, 2000, 1000), Amount(150, 50, 100, 50)


def measure_churn(*, short: bool) -> Figures:
    """Measure both, each in a run of its own that decodes and measures and does nothing else.

    Returns:
        `churn`, `failing_connects`, `violations`.
    """
    amount = SHORT if short else FULL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph, settings = shipped_graph(["frames"], QUICK)
        clip = make_clip(folder, SMALL_WH, frames=100, fps=FPS, gop=5)
        with CameraProcess(clip.path, fps=FPS) as cameras:
            url = cameras.urls["cam0"]
            nobody = [live_stream(f"nobody{number}", refusing_url()) for number in range(AT_ONCE)]
            with LiveRun(graph, settings, [live_stream("host", url)], Eye(read_number, KEPT), folder) as busy:
                came = churn(busy, url, amount.cycles, amount.cycles_since)
            ids = [stream.id for stream in nobody]
            with LiveRun(graph, settings, [live_stream("host", url), *nobody], Eye(read_number, KEPT), folder) as vain:
                failed = fail_to_connect(vain, ids, amount.connects, amount.connects_since)
    return {"churn": came, "failing_connects": failed, "violations": [*busy.violations, *vain.violations]}


def refusing_url() -> str:
    """Return the address of a camera at a port where nobody listens."""
    return f"rtsp://127.0.0.1:{free_port()}/nobody"


def churn(run: LiveRun, url: str, cycles: int, since: int) -> Figures:
    """Add cameras to a run and remove them again; each has an id that no other one had.

    Args:
        run: a run, with a stream of its own that stays.
        url: what all of them read.
        cycles: how many come and go.
        since: cycles before it are not looked at.

    Returns:
        `cycles`, `cycles_per_s`, and what grows over 1,000 cycles; and the first and last sample that count.
    """
    began_s = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def rounds() -> Iterator[int]:
            for first in range(0, cycles, ROUND):
                numbers = range(first, min(first + ROUND, cycles))
                list(pool.map(lambda number: come_and_go(run, url, number), numbers))
                _let_go()
                yield numbers.stop

        samples = [sample(done) for done in rounds()]
    took_s = time.monotonic() - began_s
    return {"cycles": cycles, "cycles_per_s": round(cycles / took_s, 1), **_told(samples, since)}


def come_and_go(run: LiveRun, url: str, number: int) -> None:
    """Add one camera, wait for a frame of it, and remove it; or remove it without waiting.

    Raises:
        PipelineError: no frame came, or it did not go.
    """
    stream_id = f"guest-{number}"
    run.runtime.add_stream(live_stream(stream_id, url))
    if number % IMPATIENT:
        _wait(lambda: _frames_out(run, stream_id) > 0, f"stream {stream_id!r}: a frame")
    run.runtime.remove_stream(stream_id)
    _wait(lambda: _gone(run, stream_id), f"stream {stream_id!r}: its end")


def fail_to_connect(run: LiveRun, stream_ids: list[str], connects: int, since: int) -> Figures:
    """Wait until connects of some streams, which nobody listens to, have failed so often.

    Returns:
        As `churn`, with `connects` in place of cycles, and the reasons that were told.
    """
    samples: list[Sample] = []
    began_s = time.monotonic()
    while (done := _failures(run, stream_ids)) < connects:
        if not samples or done >= samples[-1].cycle + ROUND:
            samples.append(sample(done))
        if time.monotonic() - began_s > WITHIN_S + connects:
            raise PipelineError(f"live run: expected {connects} failing connects, got {done}")
        time.sleep(POLL_S)
    samples.append(sample(done))
    took_s = time.monotonic() - began_s
    statuses = [one for one in run.runtime.status().streams if one.id in stream_ids]
    reasons = sorted({reason for one in statuses for reason in one.losses})
    return {
        "connects": done,
        "connects_per_s": round(done / took_s, 1),
        "reasons": reasons,
        **_told(samples, since),
    }


def sample(cycle: int) -> Sample:
    """Return what this process holds now."""
    return Sample(cycle, resident_bytes(), len(list(TASKS.iterdir())), len(os.listdir(OPEN_FILES)))


def _let_go() -> None:
    """Wait until sources that were removed in the middle of a call have come out of it; their deadlines see to that."""
    until_s = time.monotonic() + WITHIN_S
    while any(thread.name.startswith("source-guest-") for thread in threading.enumerate()):
        if time.monotonic() > until_s:
            raise PipelineError(f"threads of streams that were removed expected to end within {WITHIN_S:g} s")
        time.sleep(POLL_S)


def _told(samples: list[Sample], since: int) -> Figures:
    kept = [one for one in samples if one.cycle >= since]
    ends = {"first": vars(kept[0]), "last": vars(kept[-1])} if kept else {}
    return {**growth(samples, since), "since": since, **ends}


def _frames_out(run: LiveRun, stream_id: str) -> int:
    status = run.stream(stream_id)
    return 0 if status is None else status.frames_out


def _gone(run: LiveRun, stream_id: str) -> bool:
    status = run.stream(stream_id)
    return status is None


def _failures(run: LiveRun, stream_ids: list[str]) -> int:
    return sum(sum(one.losses.values()) for one in run.runtime.status().streams if one.id in stream_ids)


def _wait(reached: Callable[[], bool], what: str) -> None:
    until_s = time.monotonic() + WITHIN_S
    while not reached():
        if time.monotonic() > until_s:
            raise PipelineError(f"{what} expected within {WITHIN_S:g} s, got none")
        time.sleep(POLL_S)
