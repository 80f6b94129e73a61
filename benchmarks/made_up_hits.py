"""A recording of who looks at what, made up: many short looks, so that events come thick and fast."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from nodes.types import AoiHits
from pipeline.frames import FrameBatch
from pipeline.marks import Mark
from pipeline.recording import Recorder
from pipeline.tick import Slot, Tick

STEP_NS = 100_000_000
TARGETS = ("coffee", "cereal", "snacks", "")
"""What people look at in turn, by chance; "" is nothing."""
LOOK_FRAMES = (2, 20)
"""Fewest and most frames that somebody looks at one target."""


def write_hits(edge: str, stream_id: str, frames: int, people: int, seed: int, folder: Path) -> None:
    """Record an edge of hits.

    Args:
        edge: its name.
        stream_id: the one stream of the recording.
        frames: how many, ten a second.
        people: how many look around in each frame.
        seed: of chance.
        folder: where to.
    """
    chance = random.Random(seed)
    looked_at, left = [""] * people, [0] * people
    recorder = Recorder(edge, AoiHits, folder)
    for number in range(frames):
        for person in range(people):
            if left[person] == 0:
                looked_at[person], left[person] = chance.choice(TARGETS), chance.randint(*LOOK_FRAMES)
            left[person] -= 1
        hits = AoiHits(
            frame_row=np.zeros(people, np.int64),
            track_id=np.arange(1, people + 1),
            target=tuple(looked_at),
            score=np.array([0.9 if target else 0.0 for target in looked_at], np.float32),
        )
        recorder.add(Tick(number, _frame(stream_id, number), (), {edge: Slot(hits)}))
    end = (Mark("ended", stream_id, 0, (frames - 1) * STEP_NS),)
    recorder.add(Tick(frames, FrameBatch.empty(), end, {edge: Slot(AoiHits.empty())}))
    recorder.close()


def _frame(stream_id: str, number: int) -> FrameBatch:
    return FrameBatch(
        stream_id=(stream_id,),
        generation=np.zeros(1, np.int64),
        frame_index=np.array([number]),
        pts_ns=np.array([number * STEP_NS]),
        arrived_ns=np.zeros(1, np.int64),
        size_wh=np.array([[640, 360]], np.int32),
    )
