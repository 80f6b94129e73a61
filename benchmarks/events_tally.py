"""What is added up of events over rendered clips, and the figures that come of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.clips import TrueClip
from benchmarks.matching import Count
from benchmarks.results import Figures, share
from benchmarks.visits import NOBODY, right_visits, told_rows, told_visits, true_visits
from nodes.types import AoiHits, Visits
from scenes.truth import PeopleTruth

BINS = 10
"""Of equal width, for the calibration error."""


@dataclass
class VisitTally:
    """Visits told against visits of the script."""

    count: Count = field(default_factory=Count)
    start_errors_s: list[float] = field(default_factory=list)
    end_errors_s: list[float] = field(default_factory=list)
    dwell_errors: list[float] = field(default_factory=list)
    """Of right visits: how much the told looking time differs from the true one, as a share of it."""

    def add(self, looks: Visits, owners: dict[int, int], clip: TrueClip) -> None:
        """Hold the visits of one clip against its script."""
        told, true = told_visits(looks, owners), true_visits(clip.fixations)
        pairs = right_visits(told, true)
        self.count.wanted += len(true)
        self.count.right += len(pairs)
        self.count.wrong += len(told) - len(pairs)
        dwell_s = looks.dwell_ns[told_rows(looks)] / 1e9
        for a, b in pairs:
            length = true[b].end_s - true[b].start_s
            self.start_errors_s.append(abs(told[a].start_s - true[b].start_s))
            self.end_errors_s.append(abs(told[a].end_s - true[b].end_s))
            self.dwell_errors.append(abs(dwell_s[a] - length) / length)

    def figures(self) -> Figures:
        """Return precision, recall and F1."""
        told = self.count.right + self.count.wrong
        f1 = share(2 * self.count.right, told + self.count.wanted)
        return {"precision": self.count.precision, "recall": self.count.recall, "f1": f1}

    def timing(self, fps: float) -> Figures:
        """Return the medians of the errors of right visits, starts and ends in frames of `fps` a second."""
        return {
            "start_error_frames_p50": _median(self.start_errors_s, fps),
            "end_error_frames_p50": _median(self.end_errors_s, fps),
            "dwell_error_ratio": _median(self.dwell_errors, 1.0),
        }


@dataclass
class CalibrationTally:
    """Told probabilities against what was true of them."""

    told: list[float] = field(default_factory=list)
    true: list[bool] = field(default_factory=list)

    def add(self, hits: AoiHits, owners: dict[int, int], truth: PeopleTruth) -> None:
        """Add the hits of one frame; nobody looks through a head that is none."""
        looked_at = dict(zip(truth.person_id.tolist(), truth.looked_at, strict=True))
        for track_id, target, score in zip(hits.track_id.tolist(), hits.target, hits.score.tolist(), strict=True):
            kind, _, other = target.partition(":")
            if target and kind != "grid":
                named = f"person:{owners.get(int(other), NOBODY)}" if kind == "person" else target
                self.told.append(score)
                self.true.append(looked_at.get(owners.get(track_id, NOBODY)) == named)

    def expected_error(self) -> float | None:
        """Return the expected calibration error: mean gap between told and true share, over bins by their size.

        Ref: Naeini et al., AAAI 2015.
        """
        return None if not self.told else round(sum(weight * gap for weight, gap in self._gaps()), 4)

    def bins(self) -> list[dict[str, float]]:
        """Return, for each bin that holds anything, its mean told probability, its true share and its size."""
        told, true, which = self._binned()
        return [
            {
                "told": round(float(told[which == k].mean()), 4),
                "true": round(float(true[which == k].mean()), 4),
                "count": int((which == k).sum()),
            }
            for k in np.unique(which)
        ]

    def _gaps(self) -> list[tuple[float, float]]:
        return [(row["count"] / len(self.told), abs(row["told"] - row["true"])) for row in self.bins()]

    def _binned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        told = np.array(self.told)
        return told, np.array(self.true), np.minimum((told * BINS).astype(np.int64), BINS - 1)


def _median(errors: list[float], unit: float) -> float | None:
    return round(float(np.median(errors)) * unit, 3) if errors else None
