"""Turn hits in single frames into visits: looked-at events with start, end and dwell time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.looks import Rules
from nodes.ops.told import Change, Reason
from nodes.ops.visits import VisitMachine
from nodes.types import AoiHits, Tracks, Visits
from pipeline.epoch import epoch_ns
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import items

logger = logging.getLogger(__name__)

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_look_s: float = Field(default=0.2, ge=0, json_schema_extra=LIVE)
    """Expected looking after which a visit starts, seconds: time of looking, gaps left out, times its probability.
    Raise for fewer visits by chance; each is known that much later. Tune first."""
    max_gap_s: float = Field(default=0.5, gt=0, json_schema_extra=LIVE)
    """A visit ends when its target was not looked at for longer than this, seconds. Raise when one look is cut into
    many; an end is known that much later. Keep it above the time between two frames, or no visit can last."""
    min_visit_s: float = Field(default=0.25, ge=0, json_schema_extra=LIVE)
    """A visit that ends with less expected looking than this, seconds, is retracted. Above `min_look_s`, starts are
    heard of early and those by chance are taken back; with both alike, nothing is ever too short."""
    update_s: float = Field(default=2.0, ge=0, json_schema_extra=LIVE)
    """Time between `updated` events while a visit lasts, seconds; 0 for none."""
    enter_score: float = Field(default=0.25, ge=0, le=1, json_schema_extra=LIVE)
    """Hits with a lower probability do not start a visit. Raise for fewer, surer visits: docs/events.md has a table."""
    keep_score: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Hits with a lower probability do not keep a visit up. Keep it below `enter_score`: the difference stops a look
    near an edge from being cut."""
    keep_share: float = Field(default=0.6, ge=0, le=1, json_schema_extra=LIVE)
    """Nor do hits with less than this share of the visit's best probability: who looked surely and then hardly has
    looked away. Raise to end visits sooner, lower when sure visits are cut."""
    min_fixation_s: float = Field(default=0.2, ge=0, json_schema_extra=LIVE)
    """Looking without a gap for this long is a fixation, seconds; a visit without any is a glance. Raise where a glance
    says little."""
    fixation_gap_s: float = Field(default=0.075, ge=0, json_schema_extra=LIVE)
    """Longest gap within a fixation, seconds. Raise when single frames go wrong and cut fixations; 0 when any frame
    without the target is to cut one."""
    repair_s: float = Field(default=30.0, ge=0)
    """How far back visits are repaired when the tracker corrects an identity, seconds; what was earlier is left as it
    was told. Raise when people are recognised late; memory grows with it, some 100 bytes a hit."""


class MeasureLooks(Node[Config]):
    """Run one `nodes.ops.visits.VisitMachine` per (stream, generation).

    An event that became known at a frame stands in that frame's tick; what is open at a stream's end or discontinuity
    ends there. Where `tracks` say that somebody was taken for somebody else, visits are repaired as if that had been
    known from the start: what was told wrongly is retracted, and told anew with the visits it replaces. Without
    `tracks`, identities are taken as they come. Ids are those of `nodes.types.Visits`.

    State: open looks, the hits of the last `repair_s` and the next sequence number per stream, dropped at its end; the
    state of a track goes `repair_s` after its last hit. Empty: frames without hits move time on; no frames, no change.
    Ref: minimum length and merging of fixations after the Tobii I-VT filter (Olsen, Tobii white paper, 2012).
    """

    def open(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        self._rules = Rules(
            min_look_ns=_ns(config.min_look_s),
            max_gap_ns=_ns(config.max_gap_s),
            min_visit_ns=_ns(config.min_visit_s),
            update_ns=_ns(config.update_s),
            enter_score=config.enter_score,
            keep_score=config.keep_score,
            keep_share=config.keep_share,
            fixation_gap_ns=_ns(config.fixation_gap_s),
            min_fixation_ns=_ns(config.min_fixation_s),
        )

    def process(self, frames: FrameBatch, hits: AoiHits, tracks: Tracks | None = None) -> Visits:
        looks: list[list[tuple[tuple[int, str], float]]] = [[] for _ in range(len(frames))]
        for row, track_id, target, score in zip(
            hits.frame_row.tolist(), hits.track_id.tolist(), hits.target, hits.score.tolist(), strict=True
        ):
            if target:
                looks[row].append(((track_id, target), score))
        corrections = _corrections(len(frames), tracks)
        rows: list[dict[str, Any]] = []
        for row, (stream_id, generation, pts_ns) in enumerate(
            zip(frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), strict=True)
        ):
            held = self._streams.get(stream_id)
            if held is not None and held.generation != generation:
                rows += held.end("discontinuity")
                held = None
            if held is None:
                held = self._streams[stream_id] = _Stream(
                    stream_id, generation, VisitMachine(_ns(self.config.repair_s))
                )
            held.start_time_ns = epoch_ns(frames.stream(row).config.start_time)
            held.warn_if_slow(pts_ns, self.config.max_gap_s)
            rows += held.rows(held.machine.frame(pts_ns, looks[row], self._rules, corrections[row]))
        return _table(rows)

    def stream_ended(self, stream_id: str) -> Visits:
        return self._end(stream_id, "stream_ended")

    def stream_broken(self, stream_id: str) -> Visits:
        return self._end(stream_id, "discontinuity")

    def _end(self, stream_id: str, reason: Reason) -> Visits:
        held = self._streams.pop(stream_id, None)
        return _table([] if held is None else held.end(reason))


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _corrections(frames: int, tracks: Tracks | None) -> list[list[tuple[int, int, int]]]:
    """Return the corrections of each frame as (taken from, since in ns, track id)."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in range(frames)]
    if tracks is not None:
        for row in np.flatnonzero(tracks.taken_from).tolist():
            found[tracks.frame_row[row]].append(
                (int(tracks.taken_from[row]), int(tracks.taken_since_ns[row]), int(tracks.track_id[row]))
            )
    return found


@dataclass
class _Stream:
    """What is held for one generation of a stream."""

    id: str
    generation: int
    machine: VisitMachine
    start_time_ns: int = 0
    sequence: int = 0
    last_ns: int | None = None
    warned: bool = False

    def end(self, reason: Reason) -> list[dict[str, Any]]:
        """End all visits and return that as rows of `Visits`."""
        return self.rows(self.machine.end(reason))

    def rows(self, changes: list[Change]) -> list[dict[str, Any]]:
        """Return changes as rows of `Visits`, numbered on."""
        made: list[dict[str, Any]] = []
        for change in changes:
            visit = self._name(change.visit)
            made.append(
                {
                    "id": f"{visit}/{change.kind}" + (f"/{change.update}" if change.update else ""),
                    "visit": visit,
                    "kind": change.kind,
                    "reason": change.reason,
                    "replaces": "\n".join(map(self._name, change.replaces)),
                    "stream_id": self.id,
                    "generation": self.generation,
                    "track_id": change.track_id,
                    "target": change.target,
                    "sequence": self.sequence + len(made),
                    "start_ns": change.start_ns,
                    "end_ns": change.end_ns,
                    "known_ns": change.known_ns,
                    "dwell_ns": change.dwell_ns,
                    "fixations": change.fixations,
                    "fixation_ns": change.fixation_ns,
                    "score": change.score,
                    "start_time_ns": self.start_time_ns,
                }
            )
        self.sequence += len(made)
        return made

    def _name(self, visit: str) -> str:
        return f"{self.id}/{self.generation}/{visit}"

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
