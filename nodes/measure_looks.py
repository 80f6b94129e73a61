"""Turn hits in single frames into visits: looked-at events with a start, an end and a dwell time."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.visits import Change, Rules, VisitMachine
from nodes.types import AoiHits, Visits
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import items

logger = logging.getLogger(__name__)

LIVE: dict[str, Any] = {"live": True}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Config(NodeConfig):
    min_look_s: float = Field(default=0.3, ge=0, json_schema_extra=LIVE)
    """Time of looking, gaps left out, after which a visit starts, seconds. Raise for fewer visits by chance; each is
    known that much later. Tune first."""
    max_gap_s: float = Field(default=0.8, gt=0, json_schema_extra=LIVE)
    """A visit ends when its target was not hit for longer than this, seconds. Raise when one look is cut into many; an
    end is known that much later. Keep it above the time between two frames, or no visit can last."""
    min_visit_s: float = Field(default=0.5, ge=0, json_schema_extra=LIVE)
    """A visit that ends with less looking than this, seconds, is retracted. Above `min_look_s`, starts are heard of
    early and those by chance are taken back; with both alike, nothing is ever retracted."""
    update_s: float = Field(default=2.0, ge=0, json_schema_extra=LIVE)
    """Time between `updated` events while a visit lasts, seconds; 0 for none."""
    enter_score: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """Hits with a lower score do not start a visit. Raise for fewer, surer visits."""
    keep_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Hits with a lower score do not keep a visit up. Keep it below `enter_score`: the difference stops a gaze point
    near an edge from cutting a visit."""


class MeasureLooks(Node[Config]):
    """Run one `nodes.ops.visits.VisitMachine` per (stream, generation).

    Identities are taken as they come. An event that became known at a frame stands in that frame's tick; what is open
    at a stream's end or discontinuity ends there. Ids are `<stream>/<generation>/<track>/<target>/<first pts>/<kind>`,
    with `/<n>` for the n-th update.

    State: open looks and the next sequence number per stream, dropped at its end; the state of a track goes
    `max_gap_s` after its last hit. Empty: frames without hits move time on; no frames, no change.
    """

    def open(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def process(self, frames: FrameBatch, hits: AoiHits) -> Visits:
        by_frame: list[list[tuple[int, str, float]]] = [[] for _ in range(len(frames))]
        for row, hit in enumerate(zip(hits.track_id.tolist(), hits.target, hits.score.tolist(), strict=True)):
            if hits.target[row]:
                by_frame[hits.frame_row[row]].append(hit)
        rows: list[dict[str, Any]] = []
        for row, (stream_id, generation, pts_ns) in enumerate(
            zip(frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), strict=True)
        ):
            held = self._streams.get(stream_id)
            if held is not None and held.generation != generation:
                rows += held.rows(held.machine.end(self._rules()))
                held = None
            if held is None:
                held = self._streams[stream_id] = _Stream(stream_id, generation)
            held.start_time_ns = epoch_ns(frames.stream(row).config.start_time)
            held.warn_if_slow(pts_ns, self.config.max_gap_s)
            rows += held.rows(held.machine.frame(pts_ns, by_frame[row], self._rules()))
        return _table(rows)

    def stream_ended(self, stream_id: str) -> Visits:
        held = self._streams.pop(stream_id, None)
        return _table([] if held is None else held.rows(held.machine.end(self._rules())))

    def _rules(self) -> Rules:
        config = self.config
        return Rules(
            min_look_ns=round(config.min_look_s * 1e9),
            max_gap_ns=round(config.max_gap_s * 1e9),
            min_visit_ns=round(config.min_visit_s * 1e9),
            update_ns=round(config.update_s * 1e9),
            enter_score=config.enter_score,
            keep_score=config.keep_score,
        )


def epoch_ns(moment: datetime | None) -> int:
    """Return a moment in ns since 1970-01-01T00:00:00Z, exactly; None is 0, a moment without a time zone is UTC."""
    if moment is None:
        return 0
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since // timedelta(microseconds=1) * 1000


@dataclass
class _Stream:
    """What is held for one generation of a stream."""

    id: str
    generation: int
    machine: VisitMachine = field(default_factory=VisitMachine)
    start_time_ns: int = 0
    sequence: int = 0
    last_ns: int | None = None
    warned: bool = False

    def rows(self, changes: list[Change]) -> list[dict[str, Any]]:
        """Return changes as rows of `Visits`, numbered on."""
        made: list[dict[str, Any]] = []
        for change in changes:
            parts = (self.id, self.generation, change.track_id, change.target, change.start_ns, change.kind)
            made.append(
                {
                    "id": "/".join(map(str, parts)) + (f"/{change.update}" if change.update else ""),
                    "kind": change.kind,
                    "stream_id": self.id,
                    "generation": self.generation,
                    "track_id": change.track_id,
                    "target": change.target,
                    "sequence": self.sequence + len(made),
                    "start_ns": change.start_ns,
                    "end_ns": change.end_ns,
                    "known_ns": change.known_ns,
                    "dwell_ns": change.dwell_ns,
                    "score": change.score,
                    "start_time_ns": self.start_time_ns,
                }
            )
        self.sequence += len(made)
        return made

    def warn_if_slow(self, pts_ns: int, max_gap_s: float) -> None:
        """Say once that frames are too far apart for any visit to last."""
        interval_s = 0.0 if self.last_ns is None else (pts_ns - self.last_ns) / 1e9
        self.last_ns = pts_ns
        if interval_s > max_gap_s and not self.warned:
            self.warned = True
            logger.warning(
                "stream %s: frames are %.2f s apart at pts %.2f s, more than max_gap_s=%g: visits end at such holes; "
                "if all frames are so far apart, raise max_gap_s above twice that",
                self.id,
                interval_s,
                pts_ns / 1e9,
                max_gap_s,
            )


def _table(rows: list[dict[str, Any]]) -> Visits:
    made: dict[str, Any] = {}
    for name, column in items(Visits.empty()):
        content = [row[name] for row in rows]
        made[name] = tuple(content) if isinstance(column, tuple) else np.array(content, column.dtype)
    return Visits(**made)
