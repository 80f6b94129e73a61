"""What is added up over real clips, and the figures that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.matching import Count, fit_by_iou, fit_loosely, on_ignored, pair
from benchmarks.real_labels import Persons, Segment, Stay
from benchmarks.results import Figures, share
from nodes.ops.angles import wrap_deg
from nodes.types import Detections, HeadPoses, Tracks

Array = np.ndarray[Any, np.dtype[Any]]

FACING_DEG = 60.0
CLOSE_DEG = 45.0
LEAST_COVER = 0.8


@dataclass
class Tally:
    """What is added up over all clips."""

    heads: Count = field(default_factory=Count)
    heads_iou50: Count = field(default_factory=Count)
    head_frames: int = 0
    facing: Count = field(default_factory=Count)
    behind: Count = field(default_factory=Count)
    facing_again: Count = field(default_factory=Count)
    behind_again: Count = field(default_factory=Count)
    persons: Count = field(default_factory=Count)
    directions: Count = field(default_factory=Count)
    stays: Count = field(default_factory=Count)
    by_clip: dict[str, Count] = field(default_factory=dict)
    """Heads, as in `heads`."""

    def add_heads(self, clip: str, people: Detections, truth: Array) -> None:
        """Count the heads of one frame of a clip, true boxes (M, 4)."""
        found = people.take(~np.isnan(people.head_box[:, 0]))
        nothing = np.zeros(len(found), np.bool_)
        match = pair(found.head_score, fit_loosely(found.head_box, truth))
        for count in (self.heads, self.by_clip.setdefault(clip, Count())):
            count.add(match, len(truth), nothing)
        self.heads_iou50.add(pair(found.head_score, fit_by_iou(found.head_box, truth)), len(truth), nothing)
        self.head_frames += 1

    def add_yaws(self, tracks: Tracks, poses: HeadPoses, truth: Array, labelled_deg: Array, again_deg: Array) -> None:
        """Count the yaws of one frame by its true boxes (M, 4), its yaws (M,), and these read again (M,)."""
        found = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        yaw_deg = dict(zip(poses.track_id.tolist(), poses.yaw_pitch_roll_deg[:, 0].tolist(), strict=True))
        match = pair(found.head_score, fit_loosely(found.head_box, truth))
        for row in np.flatnonzero(match >= 0):
            told_deg = yaw_deg.get(int(found.track_id[row]), np.nan)
            _count_yaw(self.facing, self.behind, told_deg, labelled_deg[match[row]])
            _count_yaw(self.facing_again, self.behind_again, told_deg, again_deg[match[row]])

    def add_persons(self, people: Detections, labels: Persons) -> None:
        """Count the persons of one frame."""
        found = people.take(~np.isnan(people.body_box[:, 0]))
        match = pair(found.body_score, fit_by_iou(found.body_box, labels.box[labels.valid]))
        self.persons.add(match, int(labels.valid.sum()), on_ignored(found.body_box, labels.box[~labels.valid]))

    def add_directions(self, tracks: Sequence[Tracks], poses: Sequence[HeadPoses], segments: Sequence[Segment]) -> None:
        """Count the frames of the segments."""
        for segment in segments:
            for number in range(segment.first, segment.last + 1):
                self.directions.wanted += 1
                self.directions.right += _surest_yaw(tracks[number], poses[number]) * segment.sign > 0

    def add_stays(self, tracks: Sequence[Tracks], stays: Sequence[Stay]) -> None:
        """Count the stays that one track covers."""
        frames_of: dict[int, set[int]] = {}
        for number, seen in enumerate(tracks):
            for track_id in seen.track_id.tolist():
                frames_of.setdefault(track_id, set()).add(number)
        for stay in stays:
            visit = set(range(stay.comes, stay.goes + 1))
            stand = set(range(stay.stands_from, stay.stands_to + 1))
            own = [frames for frames in frames_of.values() if 2 * len(frames & visit) > len(frames)]
            self.stays.wanted += 1
            self.stays.right += any(len(frames & stand) >= LEAST_COVER * len(stand) for frames in own)

    def figures(self) -> Figures:
        """Return the figures by key, None where there was nothing to measure."""
        return {
            "head_recall": self.heads.recall,
            "head_recall_iou50": self.heads_iou50.recall,
            "head_false_per_10_frames": share(10 * self.heads.wrong, self.head_frames),
            "yaw45_facing": self.facing.recall,
            "yaw45_behind": self.behind.recall,
            "yaw45_facing_again": self.facing_again.recall,
            "yaw45_behind_again": self.behind_again.recall,
            "person_recall": self.persons.recall,
            "person_precision": self.persons.precision,
            "direction_agreement": self.directions.recall,
            "visits_found": self.stays.right,
        }

    def details(self) -> Figures:
        """Return the counts behind the figures."""
        return {
            "head_recall": f"{self.heads.right} of {self.heads.wanted} heads",
            "head_recall_iou50": f"{self.heads_iou50.right} of {self.heads_iou50.wanted} heads",
            "head_false_per_10_frames": f"{self.heads.wrong} false heads on {self.head_frames} frames",
            "yaw45_facing": f"{self.facing.right} of {self.facing.wanted} heads",
            "yaw45_behind": f"{self.behind.right} of {self.behind.wanted} heads",
            "yaw45_facing_again": f"{self.facing_again.right} of {self.facing_again.wanted} heads",
            "yaw45_behind_again": f"{self.behind_again.right} of {self.behind_again.wanted} heads",
            "person_recall": f"{self.persons.right} of {self.persons.wanted} persons",
            "person_precision": f"{self.persons.right} of {self.persons.right + self.persons.wrong} detections",
            "direction_agreement": f"{self.directions.right} of {self.directions.wanted} frames",
            "visits_found": f"{self.stays.right} of {self.stays.wanted} stays",
            "heads_by_clip": {clip: vars(count) for clip, count in self.by_clip.items()},
        }


def _count_yaw(facing: Count, behind: Count, told_deg: float, wanted_deg: float) -> None:
    """Count one head as one that faces the camera or one that does not; none whose yaw nobody knows."""
    if np.isnan(wanted_deg):
        return
    count = facing if abs(wanted_deg) <= FACING_DEG else behind
    count.wanted += 1
    count.right += bool(abs(wrap_deg(np.asarray(told_deg - wanted_deg))) <= CLOSE_DEG)


def _surest_yaw(tracks: Tracks, poses: HeadPoses) -> float:
    """Return the yaw of the head with the best score; 0, which agrees with no side, where there is none."""
    if not len(poses):
        return 0.0
    score = dict(zip(tracks.track_id.tolist(), tracks.head_score.tolist(), strict=True))
    return float(poses.yaw_pitch_roll_deg[max(range(len(poses)), key=lambda row: score[int(poses.track_id[row])]), 0])
