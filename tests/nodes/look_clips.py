"""Clips of looks written as tables, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from nodes.measure_looks import MeasureLooks
from nodes.types import AoiHits, Tracks, Visits
from pipeline.frames import FrameBatch
from tests.helpers import frames, make_node, table


def hits(*rows: tuple[int, int, str], score: float = 1.0) -> AoiHits:
    """Return hits from (frame_row, track_id, target)."""
    return table(
        AoiHits,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        target=[row[2] for row in rows],
        score=[score] * len(rows),
    )


def clip(table: str, **options: Any) -> tuple[FrameBatch, AoiHits]:
    """Return 10 frames/s, one per character, and the hits of track 3: `t` tea, `c` coffee, `b` both, `.` nothing."""
    targets = {"t": ["tea"], "c": ["coffee"], "b": ["coffee", "tea"], ".": [""]}
    rows = [(row, 3, target) for row, mark in enumerate(table) for target in targets[mark]]
    return frames(len(table), step_s=0.1, **options), hits(*rows)


def node(**config: Any) -> MeasureLooks:
    return make_node(MeasureLooks, **{"min_look_s": 0.3, "max_gap_s": 0.5, "min_visit_s": 0.3, **config})


def told(visits: Visits) -> list[str]:
    return [
        f"{kind} {target} {start // 10**6}-{end // 10**6}@{known // 10**6}"
        for kind, target, start, end, known in zip(
            visits.kind, visits.target, visits.start_ns, visits.end_ns, visits.known_ns, strict=True
        )
    ]


def tracks(*rows: tuple[int, int, int, float]) -> Tracks:
    """Return tracks from (frame_row, track_id, taken_from, taken since in s)."""
    return table(
        Tracks,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        taken_from=[row[2] for row in rows],
        taken_since_ns=[round(row[3] * 1e9) for row in rows],
    )
