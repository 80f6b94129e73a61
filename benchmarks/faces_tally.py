"""What is added up over clips of faces: which way heads are turned, where they look, whether faces are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.matching import Count, fit_loosely, pair
from benchmarks.real_labels import Heads, Turn
from benchmarks.results import Figures, share
from nodes.types import Detections, GazePoints, HeadPoses, Tracks

Array = np.ndarray[Any, np.dtype[Any]]

NEUTRAL_DEG = 10.0
"""A head within this of straight ahead is turned to neither side, and neither up nor down."""


@dataclass
class Tally:
    """What is added up over all clips."""

    right: Count = field(default_factory=Count)
    both: Count = field(default_factory=Count)
    gaze: Count = field(default_factory=Count)
    neutral_pitch_deg: float | None = None
    complete: dict[str, Count] = field(default_factory=dict)
    """Frames in which every face was found, by clip."""
    false_heads: int = 0

    def add_turns(
        self, turns: Sequence[Turn], tracks: Sequence[Tracks], poses: Sequence[HeadPoses], points: Sequence[GazePoints]
    ) -> None:
        """Count the frames of segments by the head with the best score.

        Straight ahead is yaw 0, and the median pitch of the segments that are labelled level and to neither side: how
        high the camera stands is not known. A frame is `right` where each angle that is labelled as turned is on that
        side of straight ahead, and, where neither is, both are within `NEUTRAL_DEG` of it. In `both`, which asks for
        more, each angle must be beyond `NEUTRAL_DEG` on the labelled side, or within it where none is labelled. In
        `gaze` count frames labelled as turned to a side, and the gaze point must lie on that side of the head.
        """
        every = [number for turn in turns for number in range(turn.first, turn.last + 1)]
        told = {number: _surest(tracks[number], poses[number], points[number]) for number in every}
        ahead = [number for turn in turns for number in _frames(turn) if (turn.side, turn.height) == (0, 0)]
        self.neutral_pitch_deg = float(np.nanmedian([told[number][1] for number in ahead]))
        for turn in turns:
            for number in _frames(turn):
                yaw, pitch, gaze = told[number] - [0, self.neutral_pitch_deg, 0]
                thirds = _third(yaw) == turn.side, _third(pitch) == turn.height
                turned = [angle * label > 0 for angle, label in ((yaw, turn.side), (pitch, turn.height)) if label]
                _add(self.right, all(turned or thirds))
                _add(self.both, all(thirds))
                if turn.side:
                    _add(self.gaze, gaze * turn.side > 0)

    def add_faces(self, clip: str, people: Sequence[Detections], truth: Mapping[int, Heads], size_wh: Array) -> None:
        """Count the frames in which every face was found; between labelled frames, faces move evenly."""
        count = self.complete.setdefault(clip, Count())
        for number, found in enumerate(people):
            known = between(truth, number).in_frame(size_wh)
            found = found.take(~np.isnan(found.head_box[:, 0]))
            match = pair(found.head_score, fit_loosely(found.head_box, known))
            _add(count, len(np.unique(match[match >= 0])) == len(known))
            self.false_heads += int((match < 0).sum())

    def figures(self) -> Figures:
        """Return the figures by key, None where there was nothing to measure."""
        found = [count.recall for count in self.complete.values() if count.recall is not None]
        return {
            "direction_right": self.right.recall,
            "both_angles_right": self.both.recall,
            "gaze_side_right": self.gaze.recall,
            "faces_found": min(found, default=None),
            "false_heads_per_10_frames": share(10 * self.false_heads, sum(c.wanted for c in self.complete.values())),
        }

    def details(self) -> Figures:
        """Return the counts behind the figures."""
        return {
            "direction_right": f"{self.right.right} of {self.right.wanted} frames",
            "both_angles_right": f"{self.both.right} of {self.both.wanted} frames",
            "gaze_side_right": f"{self.gaze.right} of {self.gaze.wanted} frames",
            "neutral_pitch_deg": self.neutral_pitch_deg,
            "faces_found": {clip: f"{count.right} of {count.wanted} frames" for clip, count in self.complete.items()},
        }


def between(truth: Mapping[int, Heads], number: int) -> Heads:
    """Return the heads of a frame, by the labelled frames around it, which name the same heads in the same order."""
    frames = np.array(sorted(truth))
    boxes, yaws = (np.stack([getattr(truth[n], name) for n in frames.tolist()]) for name in ("box", "yaw_deg"))
    after = int(np.clip(np.searchsorted(frames, number, "right"), 1, len(frames) - 1))
    share_of_way = np.clip((number - frames[after - 1]) / (frames[after] - frames[after - 1]), 0, 1)
    box = boxes[after - 1] + share_of_way * (boxes[after] - boxes[after - 1])
    return Heads(box, yaws[after - 1])


def _frames(turn: Turn) -> range:
    return range(turn.first, turn.last + 1)


def _third(angle_deg: float) -> int:
    """Return to which side an angle is: -1, 0 or 1; of no angle something that no label says."""
    return 2 if np.isnan(angle_deg) else int(np.sign(angle_deg)) if abs(angle_deg) > NEUTRAL_DEG else 0


def _add(count: Count, right: bool) -> None:
    count.wanted += 1
    count.right += bool(right)


def _surest(tracks: Tracks, poses: HeadPoses, points: GazePoints) -> Array:
    """Return yaw, pitch and how far to the right the gaze point lies (3,) of the head with the best score."""
    made = np.full(3, np.nan)
    if not len(poses):
        return made
    score = dict(zip(tracks.track_id.tolist(), tracks.head_score.tolist(), strict=True))
    row = max(range(len(poses)), key=lambda row: score[int(poses.track_id[row])])
    made[:2] = poses.yaw_pitch_roll_deg[row, :2]
    (place,) = np.nonzero(points.track_id == poses.track_id[row])
    if len(place):
        made[2] = points.point[place[0], 0] - points.head_point[place[0], 0]
    return made
