"""Whatever is run, and whatever fails in it: it ends, everything is closed once, and all frames are accounted for."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.frames import FrameBatch
from pipeline.node import Discontinuity, Dropped, Node, SourceItem
from pipeline.runtime import Runtime
from tests.pipeline.rig import (
    FakeClock,
    Stamps,
    adds_up,
    frame,
    graph,
    node_class,
    runtime,
    source_class,
    spec,
    stamp,
    stream,
)


class Chance:
    """A run of made-up nodes on made-up streams, drawn from a seed."""

    def __init__(self, seed: int, out: Path, live: bool = True, doomed: bool = True, pace: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.calls: Counter[str] = Counter()
        self.processed: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self.pace = pace
        self.doomed = doomed and bool(self.rng.random() < 0.5)
        self.live = live and bool(self.rng.random() < 0.5)
        self.on_error = str(self.rng.choice(["auto", "stop", "drop"]))
        names = [str(name) for name in "abc"[: self.rng.integers(1, 4)]]
        self.items = {name: self._items() for name in names}
        streams = [stream(name, self.live and bool(self.rng.random() < 0.8)) for name in names]
        specs = [spec("stamps", node_class(stamp), frames="frames")]
        for number in range(int(self.rng.integers(1, 6))):
            specs.append(self._node(f"node_{number}", specs))
        self.names = [each.name for each in specs[1:]]
        options: dict[str, Any] = {
            "batch_size": int(self.rng.integers(1, 4)),
            "ticks_in_flight": int(self.rng.integers(1, 5)),
            "sink_queue": int(self.rng.integers(1, 4)),
            "on_error": self.on_error,
            "max_frames": [None, None, 3][self.rng.integers(3)],
        }
        source = source_class(lambda source: self._read(source.stream.id))
        self.runtime: Runtime = runtime(graph(*specs, source=source), streams, out, clock=FakeClock(), **options)

    def _items(self) -> list[SourceItem]:
        kinds = self.rng.choice(
            ["frame", "none", "dropped", "cut"], int(self.rng.integers(0, 25)), p=[0.8, 0.1, 0.05, 0.05]
        )
        made: dict[str, Any] = {"none": None, "dropped": Dropped("corrupt", 2), "cut": Discontinuity()}
        return [frame(number) if kind == "frame" else made[kind] for number, kind in enumerate(kinds)]

    def _read(self, stream_id: str) -> Any:
        turns = np.random.default_rng([self.pace, *stream_id.encode()])
        for item in self.items[stream_id]:
            for _ in range(int(turns.integers(0, 2000)) if self.pace else 0):
                os.sched_yield()
            yield item
        if self.doomed and len(self.items[stream_id]) % 5 == 0:
            self.items[stream_id] = self.items[stream_id][:1]  # what comes after a live stream was connected to again
            raise OSError("unplugged")

    def _node(self, name: str, above: list[Any]) -> Any:
        sink = self.rng.random() < 0.4
        edges = [each.name for each in above if each.ports.output]
        fails = (
            {int(index) for index in self.rng.integers(0, 25, 4)} if self.doomed and self.rng.random() < 0.4 else set()
        )
        chance = self

        def see(frames: FrameBatch) -> None:
            chance.calls[f"{name} process"] += 1
            if fails & set((frames.pts_ns // 40_000_000).tolist()):
                raise ValueError("broken")
            for stream_id, generation, pts_ns in zip(
                frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), strict=True
            ):
                chance.processed.setdefault((name, stream_id), []).append((generation, pts_ns))

        def process(self: Node[Any], frames: FrameBatch, stamps: Stamps) -> Stamps:
            see(frames)
            return Stamps(stamps.frame_row, stamps.stamp_ns)

        def take(self: Node[Any], frames: FrameBatch, stamps: Stamps) -> None:
            see(frames)

        count = {
            method: lambda _, *args, method=method: chance.calls.update([f"{name} {method}"])
            for method in ("open", "close")
        }
        made = node_class(take if sink else process, sink_policy=str(self.rng.choice(["keep", "drop"])), **count)
        stage = str(self.rng.choice(["auto", "new"]))
        return spec(name, made, stage, frames="frames", stamps=str(self.rng.choice(edges)))


@pytest.mark.parametrize("seed", range(80))
def test_any_run_ends_and_adds_up(tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.CRITICAL)
    before = threading.active_count()
    chance = Chance(seed, tmp_path)

    report = chance.runtime.run(every_s=0.005)

    assert threading.active_count() == before
    assert adds_up(report.edges)
    assert report.status == "done" or chance.doomed, report.error
    assert "missing" not in (report.error or "") and "between" not in (report.error or ""), report.error
    for name in chance.names:
        assert (chance.calls[f"{name} open"], chance.calls[f"{name} close"]) == (1, 1)
    for seen in chance.processed.values():
        assert all(earlier <= later for earlier, later in pairwise(seen))


@pytest.mark.parametrize("seed", range(30))
def test_a_run_on_files_gives_every_node_the_same_whichever_source_is_faster(tmp_path: Path, seed: int):
    first, second = (Chance(seed, tmp_path, live=False, doomed=False, pace=pace) for pace in (1, 2))

    for chance in (first, second):
        assert chance.runtime.run(every_s=0.005).status == "done"

    assert first.processed == second.processed
    assert first.calls == second.calls
