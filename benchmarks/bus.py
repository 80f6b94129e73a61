"""Measure how fast events are published: `python -m benchmarks.bus`. Wants an idle machine with two cores.

`durable_events_per_s`: looked-at events of real form and size (660 bytes of JSON, topic and headers beside it) go
through `Publisher` over TCP on the loopback device to a subscriber in another process. They are offered 20 at a time;
each 20 are committed to the log (SQLite, WAL, `synchronous=FULL`) before the first of them is sent. The time is that
from the first offer until the subscriber has the last event, with checkpoints of the log. After each run it is checked
that the subscriber has all of them, in order and unchanged, and that the log has them too. Events are made and encoded
before. `plain_events_per_s`: the same without a log. `curve_events_per_s`: the same with the log, and encrypted, both
ends with keys. The fastest of some runs, since others on the same machine and disk can only slow them down;
`*_events_per_s_p50` is the median.

`sqlite_events_per_s`: the same events committed to the same table, 20 at a time, and nothing else: what the disk allows
at that moment, though without checkpoints. `durable_of_sqlite`: what the whole way reaches of it, side by side; the
median. `disk_sync_us`: how long the disk takes for what a commit writes, a quarter of a millisecond after it did so
last, which is about what publishing 20 events takes besides: some disks are several times slower then than without a
pause, and differ from second to second. No more than 20 events in both times together can be published.

`*_cpu_us`: what an event costs the processor, in the publisher's process with all its threads, and in the subscriber's.
Where other programs keep cores (`load_during`) or the disk busy, this tells more than what was reached.

`publish_p99_ms`: what publishing adds to a tick of a graph: how long `process` of the sink `publish_events` takes, of
100 ticks the slowest. Each tick has a frame and 20 events, and comes 10 ms after the one before, which is far more than
a graph has; with log and subscriber as above. To make and encode the events is part of it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np

from benchmarks.bus_disk import calm_folder, committed_per_s, sync_us
from benchmarks.graph_runs import shipped_graph
from benchmarks.machine import LoadOfOthers, free_port
from benchmarks.results import ROOT, Figures, guarded
from nodes.ops import cloud_events
from nodes.publish_events import Config, PublishEvents, interrupted
from nodes.types import Visits
from pipeline.bus import curve
from pipeline.bus.keeper import Keeper
from pipeline.bus.log import Log
from pipeline.bus.message import Message
from pipeline.bus.publisher import Publisher
from pipeline.device import open_device
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch, Stream
from pipeline.node import Context
from pipeline.streams import StreamConfig

A_COMMIT = 20
"""Events of a tick, and of a commit."""
EVENTS = 40_000
REPEATS = 7
TICKS = 1000
TICK_S = 0.01
START_NS, STEP_NS = 5_080_000_000, 40_000_000
STREAM = Stream("shop", StreamConfig(url="shop.mp4"))
TARGETS = ("coffee", "cereal", "snacks", "tea")
MODELS = {"people-shop-480": "sha256:f51f0b9fedef", "gaze-shop-480": "sha256:c9d1d158dec8"}
ORIGINS = {"shop": ("retail", MODELS, "3f2ebc492ebc")}


@dataclass(frozen=True)
class Run:
    """How one run went."""

    events_per_s: float
    publisher_cpu_us: float
    subscriber_cpu_us: float


def measure_bus(repeats: int = REPEATS, events: int = EVENTS, ticks: int = TICKS) -> Figures:
    """Return the figures by key.

    Args:
        repeats: runs of each kind.
        events: of a run.
        ticks: whose time is taken.

    Raises:
        PipelineError: an event did not arrive, or is not in the log.
    """
    offers = [messages(visits(first)) for first in range(0, events, A_COMMIT)]
    load = LoadOfOthers()
    runs: dict[str, list[Run]] = {"durable": [], "plain": [], "curve": []}
    bare: list[float] = []
    syncs_us: list[float] = []
    for _ in range(repeats):
        with calm_folder() as folder:
            syncs_us.append(sync_us(folder))
        with calm_folder() as folder:
            bare.append(committed_per_s(offers, folder))
        for kind, found in runs.items():
            with calm_folder() as folder:
                found.append(publish(offers, folder, log=kind != "plain", encrypted=kind == "curve"))
    with calm_folder() as folder:
        slowest_ms = quantiles(ticks_ms(folder, ticks), n=100)[98]
    figures: Figures = {"publish_p99_ms": round(slowest_ms, 3), "load_during": load.cores()}
    figures["disk_sync_us"] = round(median(syncs_us))
    figures["sqlite_events_per_s"], figures["sqlite_events_per_s_p50"] = round(max(bare)), round(median(bare))
    ratios = (run.events_per_s / alone for run, alone in zip(runs["durable"], bare, strict=True))
    figures["durable_of_sqlite"] = round(median(ratios), 3)
    for kind, found in runs.items():
        figures[f"{kind}_events_per_s"] = round(max(run.events_per_s for run in found))
        figures[f"{kind}_events_per_s_p50"] = round(median(run.events_per_s for run in found))
        figures[f"{kind}_publisher_cpu_us"] = round(median(run.publisher_cpu_us for run in found), 1)
        figures[f"{kind}_subscriber_cpu_us"] = round(median(run.subscriber_cpu_us for run in found), 1)
    return figures


def publish(offers: Sequence[Sequence[Message]], folder: Path, *, log: bool, encrypted: bool) -> Run:
    """Publish messages to one subscriber, check that they arrive and are kept, and return how fast that was."""
    keys = folder / "keys" if encrypted else None
    if keys:
        curve.make_keys(keys)
    count = sum(map(len, offers))
    path = folder / "events.db" if log else None
    keeper = Keeper("bus", path, keep_s=1e9, keep_bytes=10**10, room=count, interrupted=interrupted)
    endpoint, requests = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    with (
        closing(
            Publisher("bus", endpoint, requests, keeper, keys=keys, queue=2 * count, commit_most=A_COMMIT)
        ) as publisher,
        subscriber(endpoint, count, keys) as process,
    ):
        began_ns, began_cpu_s = time.monotonic_ns(), time.process_time()
        for offer in offers:
            publisher.offer(offer)
        came = _said(process)
        cpu_s = time.process_time() - began_cpu_s
    sent = hashlib.sha256(b"\n".join(message.data for offer in offers for message in offer)).hexdigest()
    expected = {"count": count, "checksum": sent, "in_order": log, "without_place": 0 if log else count}
    check("the subscriber", came, expected)
    if path:
        check("the log", _kept(path), {"count": count, "checksum": sent})
    elapsed_s = (came["last_ns"] - began_ns) / 1e9
    return Run(count / elapsed_s, 1e6 * cpu_s / count, 1e6 * came["cpu_s"] / count)


def ticks_ms(folder: Path, ticks: int) -> list[float]:
    """Return how long each tick of the sink took, in milliseconds, with a log and one subscriber that gets all."""
    graph, _ = shipped_graph(["bus"])
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    config = Config(endpoint=endpoint, requests=f"tcp://127.0.0.1:{free_port()}")
    node = PublishEvents(config, Context("bus", open_device("cpu"), folder, ROOT, graph))
    node.open()
    with closing(node), subscriber(endpoint, ticks * A_COMMIT, None) as process:
        took: list[float] = []
        due_s = time.perf_counter()
        for number in range(ticks):
            looks, frames = visits(number * A_COMMIT), _frame(number)
            time.sleep(max(due_s - time.perf_counter(), 0.0))
            due_s += TICK_S
            began_s = time.perf_counter()
            node.process(frames, looks)
            took.append(1e3 * (time.perf_counter() - began_s))
        check("the subscriber", _said(process), {"count": ticks * A_COMMIT, "in_order": True})
    return took


def visits(first: int) -> Visits:
    """Return the events of a tick, from a sequence on: twenty people go on looking, each at something."""
    tracks = [1 + number % A_COMMIT for number in range(first, first + A_COMMIT)]
    targets = tuple(TARGETS[track % len(TARGETS)] for track in tracks)
    update = 1 + first // A_COMMIT
    known_ns = START_NS + update * STEP_NS
    names = [f"shop/0/{track}/{target}/{START_NS}" for track, target in zip(tracks, targets, strict=True)]
    rows = np.ones(A_COMMIT, np.int64)
    return Visits(
        id=tuple(f"{name}/updated/{update}" for name in names),
        visit=tuple(names),
        kind=("updated",) * A_COMMIT,
        reason=("",) * A_COMMIT,
        replaces=("",) * A_COMMIT,
        stream_id=("shop",) * A_COMMIT,
        generation=0 * rows,
        track_id=np.array(tracks),
        target=targets,
        sequence=np.arange(first, first + A_COMMIT),
        start_ns=START_NS * rows,
        end_ns=known_ns * rows,
        known_ns=known_ns * rows,
        dwell_ns=(known_ns - START_NS) * rows,
        fixations=2 * rows,
        fixation_ns=1_640_000_000 * rows,
        score=np.full(A_COMMIT, 0.5145, np.float32),
        start_time_ns=0 * rows,
    )


def messages(looks: Visits) -> list[Message]:
    """Return a tick's events as `publish_events` hands them over."""
    made = zip(cloud_events.events(looks, ORIGINS), looks.sequence.tolist(), strict=True)
    return [
        Message(
            topic=f"look/shop/{event.data.track}/",
            id=event.id,
            source=event.source,
            generation=0,
            sequence=sequence,
            contenttype=cloud_events.MEDIA_TYPES["json"],
            key=event.data.visit,
            holds=event.type in cloud_events.OPEN,
            data=cloud_events.encode(event),
        )
        for event, sequence in made
    ]


def _frame(number: int) -> FrameBatch:
    return FrameBatch(
        stream_id=(STREAM.id,),
        generation=np.zeros(1, np.int64),
        frame_index=np.array([number]),
        pts_ns=np.array([START_NS + number * STEP_NS]),
        arrived_ns=np.zeros(1, np.int64),
        size_wh=np.array([[1920, 1080]], np.int32),
        streams={STREAM.id: STREAM},
    )


@contextmanager
def subscriber(endpoint: str, count: int, keys: Path | None) -> Iterator[subprocess.Popen[str]]:
    """Start a subscriber to which all comes from now on."""
    command = [sys.executable, "-m", "benchmarks.bus_subscriber", endpoint, str(count), *([str(keys)] if keys else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                raise PipelineError(f"{endpoint}: expected a subscriber to connect, got none")
            yield process
        finally:
            process.kill()


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    text, _ = process.communicate()
    said: dict[str, Any] = json.loads(text)
    return said


def _kept(path: Path) -> dict[str, Any]:
    def fail(fault: Exception) -> None:
        raise fault

    with closing(Log(path, fail)) as log:
        kept, _ = log.reader.events(0, "", 1000)
        while len(kept) < log.reader.last:
            kept += log.reader.events(len(kept), "", 1000)[0]
    data = b"\n".join(one.message.data for one in kept)
    return {"count": len(kept), "checksum": hashlib.sha256(data).hexdigest()}


def check(where: str, got: dict[str, Any], expected: dict[str, Any]) -> None:
    """Make sure that a run was as it should be.

    Raises:
        PipelineError: it was not.
    """
    shown = {key: got[key] for key in expected}
    if shown != expected:
        raise PipelineError(f"{where}: expected {expected!r}, got {shown!r}; the figures would be void")


def main() -> int:
    """Print the figures and return the exit code."""
    print(json.dumps(measure_bus(), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
