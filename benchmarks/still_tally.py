"""What is added up over clips of people and things, and the figures that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.matching import fit_by_iou, pair
from benchmarks.results import Figures, share
from nodes.types import Detections
from scenes.truth import PeopleTruth

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_SEEN = 0.25
"""Whoever is detected in a smaller share of the frames does not count."""
LAST_S = 10.0
"""Things should be gone in the last seconds of a clip."""


@dataclass
class StillTally:
    """Heads of people and things of clips of one quality."""

    people: int = 0
    left_out: int = 0
    """People who were ever left out."""
    things: int = 0
    gone: float = 0.0
    """Sum over things of the share of their heads that was left out in the last seconds."""
    gone_s: list[float] = field(default_factory=list)
    """When each thing was left out first."""

    def add(
        self,
        found: Sequence[Detections],
        left: Sequence[Detections],
        truth: Sequence[PeopleTruth],
        things: Array,
        fps: float,
    ) -> None:
        """Count one clip: what was found and left in each frame, and the ids of things among the figures."""
        out: dict[int, list[tuple[int, bool]]] = {}
        for number, (before, after, known) in enumerate(zip(found, left, truth, strict=True)):
            before = before.take(~np.isnan(before.head_box[:, 0]))
            match = pair(before.head_score, fit_by_iou(before.head_box, known.head_box.astype(np.float32)))
            kept = (before.head_box[:, None] == after.head_box[None]).all(axis=2).any(axis=1)
            for row in np.flatnonzero(match >= 0):
                out.setdefault(int(known.person_id[match[row]]), []).append((number, not kept[row]))
        for person_id, seen in out.items():
            if len(seen) < LEAST_SEEN * len(truth):
                continue
            gone = [number for number, left_out in seen if left_out]
            if person_id not in things:
                self.people += 1
                self.left_out += bool(gone)
                continue
            late = [left_out for number, left_out in seen if number >= len(truth) - LAST_S * fps]
            self.things += 1
            self.gone += float(np.mean(late)) if late else 0.0
            self.gone_s += [gone[0] / fps] if gone else []

    def figures(self) -> Figures:
        """Return the figures by key, None where there was nothing to measure."""
        return {
            "things_gone": share(self.gone, self.things),
            "gone_after_s_p50": round(float(np.median(self.gone_s)), 1) if self.gone_s else None,
            "people_left_out": self.left_out,
        }

    def details(self) -> str:
        """Return the counts behind the figures."""
        return f"{len(self.gone_s)} of {self.things} things ever, {self.left_out} of {self.people} people"
