"""What is added up over rendered clips, and the figures that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.clips import TrueClip
from benchmarks.gaze_scores import (
    average_precision,
    centroid_distance,
    gaze_auc,
    pair_won,
    peak_distance,
    rival_spot,
    to_cells,
)
from benchmarks.graph_runs import Recorded
from benchmarks.matching import Count, fit_by_iou, on_ignored, pair
from benchmarks.results import Figures, share
from benchmarks.visits import owners_of, right_visits, told_visits, true_visits
from nodes.ops.angles import wrap_deg
from nodes.types import Detections, GazeMaps, HeadPoses, Tracks
from scenes.sets import LEAST_VISIBLE
from scenes.truth import DIRECTIONS, TARGET_KINDS, PeopleTruth


@dataclass
class Tally:
    """What is added up over all frames of all clips."""

    heads: Count = field(default_factory=Count)
    bodies: Count = field(default_factory=Count)
    visits: Count = field(default_factory=Count)
    directions_right: int = 0
    directions_near: int = 0
    yaw_errors_deg: list[float] = field(default_factory=list)
    heads_tracked: int = 0
    aucs: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    centroids: list[float] = field(default_factory=list)
    pairs_won: list[bool] = field(default_factory=list)
    in_frame: list[bool] = field(default_factory=list)
    in_frame_prob: list[float] = field(default_factory=list)

    def add_detections(self, people: Detections, truth: PeopleTruth) -> None:
        """Count heads, bodies and directions of one frame."""
        found, seen = people.take(~np.isnan(people.head_box[:, 0])), truth.head_visible >= LEAST_VISIBLE
        match = pair(found.head_score, fit_by_iou(found.head_box, truth.head_box[seen]))
        self.heads.add(match, int(seen.sum()), on_ignored(found.head_box, truth.head_box[~seen]))
        told = found.direction_scores.argmax(axis=1)
        sure = (match >= 0) & (found.direction_scores.max(axis=1, initial=0) > 0)
        steps = (told[sure] - truth.direction[seen][match[sure]]) % DIRECTIONS
        self.directions_right += int((steps == 0).sum())
        self.directions_near += int(np.isin(steps, (0, 1, DIRECTIONS - 1)).sum())

        found, seen = people.take(~np.isnan(people.body_box[:, 0])), truth.body_visible >= LEAST_VISIBLE
        match = pair(found.body_score, fit_by_iou(found.body_box, truth.body_box[seen]))
        self.bodies.add(match, int(seen.sum()), on_ignored(found.body_box, truth.body_box[~seen]))

    def add_poses(self, tracks: Tracks, poses: HeadPoses, truth: PeopleTruth) -> None:
        """Add the yaw errors of one frame."""
        found, seen = tracks.take(~np.isnan(tracks.head_box[:, 0])), truth.head_visible >= LEAST_VISIBLE
        match = pair(found.head_score, fit_by_iou(found.head_box, truth.head_box[seen]))
        true_deg = truth.yaw_pitch_roll_deg[seen, 0]
        self.heads_tracked += int((match >= 0).sum())
        yaw_deg = dict(zip(poses.track_id.tolist(), poses.yaw_pitch_roll_deg[:, 0].tolist(), strict=True))
        for row in np.flatnonzero(match >= 0):
            track_id = int(found.track_id[row])
            if track_id in yaw_deg:
                error = wrap_deg(yaw_deg[track_id] - true_deg[match[row]])
                self.yaw_errors_deg.append(abs(float(error)))

    def add_gaze(
        self, gaze: GazeMaps, truth: PeopleTruth, size_wh: tuple[int, int], chance: tuple[int, ...] = (0,)
    ) -> None:
        """Add the scores of the maps of one frame.

        Args:
            gaze: its track ids are those of true people.
            truth: of the frame.
            size_wh: of the frame.
            chance: numbers that, with that of a person, decide where its second area lies.
        """
        rows = {int(person): row for row, person in enumerate(truth.person_id)}
        for track_id, heatmap, prob in zip(gaze.track_id.tolist(), gaze.heatmap, gaze.in_frame_prob, strict=True):
            row = rows[track_id]
            self.in_frame.append(bool(truth.in_frame[row]))
            self.in_frame_prob.append(float(prob))
            if truth.in_frame[row]:
                heat, target = to_cells(heatmap), truth.target_point[row]
                self.aucs.append(gaze_auc(heat, target))
                self.peaks.append(peak_distance(heat, target))
                self.centroids.append(centroid_distance(heat, target))
                if _on_area_or_thing(truth, row):
                    rival = rival_spot(target, size_wh, np.random.default_rng([*chance, track_id]))
                    self.pairs_won.append(pair_won(heat, target, rival, size_wh))

    def add_visits(self, recorded: Recorded, clip: TrueClip) -> None:
        """Count the visits of one clip."""
        owners = owners_of(recorded.by_frame("tracks"), clip.frames)
        told, true = told_visits(recorded.whole("looks"), owners), true_visits(clip.fixations)
        right = len(right_visits(told, true))
        self.visits.wanted += len(true)
        self.visits.right += right
        self.visits.wrong += len(told) - right

    def figures(self) -> Figures:
        """Return the figures by key, None where there was nothing to measure."""
        told = self.visits.right + self.visits.wrong
        ap = average_precision(np.array(self.in_frame), np.array(self.in_frame_prob)) if any(self.in_frame) else None
        return {
            "head_recall": self.heads.recall,
            "head_precision": self.heads.precision,
            "body_recall": self.bodies.recall,
            "body_precision": self.bodies.precision,
            "direction_accuracy": share(self.directions_right, self.heads.right),
            "direction_within_one": share(self.directions_near, self.heads.right),
            "yaw_mae_deg": _mean(self.yaw_errors_deg, digits=2),
            "gaze_auc": _mean(self.aucs),
            "gaze_l2": _mean(self.peaks),
            "gaze_l2_centroid": _mean(self.centroids),
            "aoi_pair_accuracy": _mean(self.pairs_won),
            "inout_ap": None if ap is None else round(ap, 4),
            "visits_precision": self.visits.precision,
            "visits_recall": self.visits.recall,
            "visits_f1": share(2 * self.visits.right, told + self.visits.wanted),
        }

    def details(self) -> Figures:
        """Return the counts behind the figures."""
        return {
            "heads": vars(self.heads),
            "bodies": vars(self.bodies),
            "visits": vars(self.visits),
            "heads_tracked": self.heads_tracked,
            "heads_with_yaw": len(self.yaw_errors_deg),
            "yaw_median_deg": round(float(np.median(self.yaw_errors_deg)), 2) if self.yaw_errors_deg else None,
            "gaze_heads": len(self.in_frame),
            "gaze_heads_in_frame": len(self.aucs),
            "aoi_pairs": len(self.pairs_won),
            "gaze_boxes": "true head boxes",
        }


def _on_area_or_thing(truth: PeopleTruth, row: int) -> bool:
    """Say whether somebody looks at a named area or at a thing, in the hand or elsewhere."""
    name = truth.looked_at[row]
    thing = TARGET_KINDS[int(truth.target_kind[row])] in ("object", "hand")
    return thing or (name != "" and not name.startswith("person:"))


def _mean(values: Sequence[float], digits: int = 4) -> float | None:
    return round(float(np.mean(values)), digits) if values else None
