"""Ticks of events and what they leave in files, for the tests of event logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodes.types import Measures, Visits
from nodes.write_events import WriteEvents
from pipeline.frames import FrameBatch
from tests.helpers import FakeContext, frames, make_node, table

NOON_NS = 19_844 * 86_400 * 10**9 + 12 * 3600 * 10**9
"""2024-05-01T12:00:00Z."""


def visits(
    *sequences: int,
    stream: str = "shop",
    generation: int = 0,
    kind: str = "ended",
    visit: str = "",
    start_time_ns: int = 0,
    known_s: float = 0.0,
) -> Visits:
    count = len(sequences)
    return table(
        Visits,
        id=[f"{stream}/{generation}/{number}" for number in sequences],
        visit=[visit or f"{stream}/{generation}/{number}" for number in sequences],
        kind=[kind] * count,
        stream_id=[stream] * count,
        generation=[generation] * count,
        track_id=[1] * count,
        target=["tea"] * count,
        sequence=sequences,
        score=[1] * count,
        start_time_ns=[start_time_ns] * count,
        known_ns=[round(known_s * 1e9)] * count,
    )


def node(folder: Path, **config: Any) -> WriteEvents:
    return make_node(WriteEvents, FakeContext(folder), **config)


def live(generation: int, count: int = 1) -> FrameBatch:
    """Return frames of a live stream."""
    return frames(count, live=True, generation=generation)


def ids(file: Path) -> list[str]:
    content = file.read_bytes()
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line)["id"] for line in content.splitlines()]


def reports(*sequences: int, generation: int = 0) -> Measures:
    """Return reports of two figures each."""
    numbers = [number for number in sequences for _ in range(2)]
    count = len(numbers)
    return table(
        Measures,
        stream_id=["shop"] * count,
        generation=[generation] * count,
        sequence=numbers,
        span=["window"] * count,
        window_start_ns=[number * 10**9 for number in numbers],
        window_end_ns=[(number + 1) * 10**9 for number in numbers],
        measure=["watchers.1", "attention_s.1"] * len(sequences),
        value=[1.0] * count,
    )
