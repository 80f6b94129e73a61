"""Tell adult or child, male or female, wheelchair and crutches, steadied over time."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.evidence import Evidence
from nodes.ops.wholebody import ATTRIBUTES, BODY, CRUTCHES, WHEELCHAIR
from nodes.types import Attributes, TrackedParts
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}

AGAINST_FOR = np.array([[ATTRIBUTES.index(name) for name in pair] for pair in (("adult", "child"), ("male", "female"))])
"""Columns of `attribute_scores` that speak against and for being a child, and against and for being female."""
AIDS = (WHEELCHAIR, CRUTCHES)


class Config(NodeConfig):
    min_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Attributes, wheelchairs and crutches with a lower score say nothing. Raise when people far away change all the
    time, lower to be told of them at all."""
    look_s: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Seconds in which what is seen of a person becomes another look: frames closer to each other count as parts of
    one. Raise to trust what is seen for a moment less."""
    forget_s: float = Field(default=30.0, gt=0, json_schema_extra=LIVE)
    """Seconds in which what was seen fades to 1/e, and after which somebody out of sight is forgotten. Raise for
    steadier answers, lower when tracks are often swapped between people."""
    prior: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Looks that are taken to have said half and half before the first one. Raise for answers that stay near 0.5 for
    longer."""
    missed: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """How much a look at a body without a wheelchair, or crutches, speaks against them where they were seen before.
    Raise when single mistakes stay for long, lower when the detector often misses them."""


class EstimateAttributes(Node[Config]):
    """Add up what is seen of each person: the share of the evidence that speaks for it, between 0 and 1.

    Each look speaks for adult or child, male or female, as far as the detector is sure; wheelchair and crutches are
    spoken for where they are seen and against where the body is seen without, once they have been seen. Evidence fades
    slowly. NaN is told where nothing was seen: nobody is guessed to be an adult, and nobody to walk without crutches.
    A person has a row in the frames in which a body, a wheelchair or crutches are seen and something is known.

    Evidence belongs to numbers: what was seen under a number that turns out to be somebody else's is lost with it, and
    fades where two people shared one.

    State: sums per stream and track, dropped `forget_s` after it was last seen, with the generation, and with the
    stream.
    Empty: no rows in, no rows out; sums are kept.
    Ref: ours; the mean of a beta distribution whose counts fade. Upstream tells what each frame says.
    """

    def open(self) -> None:
        self._held: dict[str, tuple[int, Evidence]] = {}

    def process(self, frames: FrameBatch, parts: TrackedParts) -> Attributes:
        seen = parts.take((parts.track_id > 0) & np.isin(parts.label, (BODY, *AIDS)))
        told = []
        for row in np.unique(seen.frame_row).tolist():
            generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
            held, evidence = self._held.get(stream_id, (generation, Evidence.nothing(4)))
            if held != generation:
                evidence = Evidence.nothing(4)
            track_id, said = self._said(seen.take(seen.frame_row == row))
            config = self.config
            evidence = evidence.after(int(frames.pts_ns[row]), track_id, said, config.look_s, config.forget_s)
            self._held[stream_id] = generation, evidence
            told.append(self._told(row, track_id, evidence))
        return concat(told) if told else Attributes.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._held.pop(stream_id, None)

    def _said(self, seen: TrackedParts) -> tuple[Array, Array]:
        """Return the tracks (M,) of a frame, and what it says of each: (M, 4, 2) against and for."""
        track_id, person = np.unique(seen.track_id, return_inverse=True)
        said = np.zeros((len(track_id), 4, 2))
        body = seen.label == BODY
        scores = seen.attribute_scores[body][:, AGAINST_FOR]  # (bodies, 2, 2)
        said[person[body], :2] = np.where(scores >= self.config.min_score, scores, 0)
        said[person[body], 2:, 0] = self.config.missed * seen.score[body][:, None]
        for question, label in enumerate(AIDS, 2):
            sure = (seen.label == label) & (seen.score >= self.config.min_score)
            said[person[sure], question] = np.stack([np.zeros(sure.sum()), seen.score[sure]], axis=1)
        return track_id, said

    def _told(self, frame_row: int, track_id: Array, evidence: Evidence) -> Attributes:
        """Return what is known of the tracks (M,) of a frame."""
        share = evidence.share(track_id, self.config.prior)
        share[:, 2:][~evidence.ever(track_id)[:, 2:]] = np.nan
        known = ~np.isnan(share).all(axis=1)
        columns = share[known].T.astype(np.float32)
        return Attributes(np.full(known.sum(), frame_row, np.int64), track_id[known], *columns)
