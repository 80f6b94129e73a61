"""A run with live streams that lost frames on its way is replayed as its last nodes saw it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.dropping import RESTART_AFTER
from pipeline.frames import FrameBatch
from pipeline.graph import Graph
from tests.helpers import list_source, table
from tests.pipeline.rig import STEP_NS, Stamps, adds_up, clip, graph, node_class, runtime, spec, stamp, stream

BEGAN_S = 1_800_000_000
FRAMES = RESTART_AFTER + 4


def seen(story: list[Any], broken: bool = False) -> Graph:
    """Return frames → tracks → counted, gaze → log, where gaze fails on stream a for a while."""
    fails = range(2, 2 + RESTART_AFTER) if not broken else range(FRAMES)

    def count(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        self.counts = getattr(self, "counts", Counter())
        self.counts.update(frames.stream_id)
        return table(Stamps, frame_row=stamps.frame_row, stamp_ns=[self.counts[id] for id in frames.stream_id])

    def gaze(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        for stream_id, pts_ns in zip(frames.stream_id, frames.pts_ns.tolist(), strict=True):
            if stream_id == "a" and pts_ns // STEP_NS in fails:
                raise ValueError("broken")
        return stamps

    def note(self: Any, frames: FrameBatch, counts: Stamps, gaze: Stamps) -> None:
        rows = zip(frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), strict=True)
        story.append([*rows, counts.stamp_ns.tolist(), gaze.stamp_ns.tolist()])

    def ended(self: Any, stream_id: str) -> None:
        story.append(f"{stream_id} ended")

    return graph(
        spec("tracks", node_class(stamp), frames="frames"),
        spec("counted", node_class(count), "new", frames="frames", stamps="tracks"),
        spec("gaze", node_class(gaze), "new", frames="frames", stamps="tracks"),
        spec("log", node_class(note, stream_ended=ended), frames="frames", counts="counted", gaze="gaze"),
        source=list_source({"a": clip(FRAMES), "b": clip(FRAMES)}, live=True),
    )


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_frames_lost_above_the_cut_are_lost_in_the_replay_at_the_same_ticks(tmp_path: Path, batch_size: int) -> None:
    live: list[Any] = []
    again: list[Any] = []
    streams = [stream(id, live=True, when_full="wait") for id in "ab"]
    edges = {"gaze": tmp_path, "tracks": tmp_path}

    first = runtime(seen(live), streams, tmp_path, record=edges, batch_size=batch_size, began_s=BEGAN_S).run()
    second = runtime(seen(again, broken=True), streams, tmp_path, replay=edges).run()

    assert again == live
    assert (first.status, second.status) == ("done", "done")
    assert adds_up(first.edges) and adds_up(second.edges)
    generations = [row[1] - BEGAN_S for tick in live if isinstance(tick, list) for row in tick[:-2] if row[0] == "a"]
    assert 0 < len(generations) < FRAMES
    assert batch_size > 1 or generations == [0, 0, 1, 1]
