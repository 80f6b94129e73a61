"""Gaze points over time against the truth of rendered clips: how far off, how calm at rest, how late after a shift.

A track counts in the frames in which its head is that of a true person (IoU 0.5). All lengths are fractions of the
frame without regard to its aspect, as those of `benchmarks.gaze_scores`.

- `l2`: mean distance of the point from the true target, over all heads whose target is in the frame.
- `jitter`: root of the mean squared distance between the points of two frames in a row at rest. A person is at rest
  when the true target is in the frame and was where it is now, by less than 0.01, for the last 0.3 s.
- `lag_ms`: median time by which the point has gone half the way of a shift later than the unfiltered one has. A shift
  counts when the target rested for 0.3 s or more before it and does so after it, 0.15 or more away and within a second,
  and when the unfiltered point goes along by 0.1 or more: the way is that between its median positions at both rests.
  Where a point never goes half the way, the time is endless. Among the details is the median time from the true arrival
  of the gaze; it is negative where points mostly set out, and are half way, while the gaze is still moving.
- `inout_f1`: F1 of "looks into the frame" (in-frame probability of 0.5 or more), over all heads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.clips import TrueClip
from benchmarks.graph_runs import Recorded
from benchmarks.matching import fit_by_iou, pair
from benchmarks.results import Figures
from scenes.truth import PeopleTruth

Array = np.ndarray[Any, np.dtype[Any]]

STILL = 0.01
REST_S = 0.3
LEAST_SHIFT = 0.15
LEAST_SEEN_SHIFT = 0.1
LONGEST_SHIFT_S = 1.0
BEFORE_S, SETTLING_S = 0.5, 1 / 6
"""At the rest before a shift its last part counts for where the unfiltered point was; after it all but the first."""
SAME_S = 1e-6


@dataclass(frozen=True)
class Truth:
    """What is true of one person over the T frames of a clip."""

    at_s: Array
    """(T,)."""
    target: Array
    """(T, 2); NaN where the person is not there."""
    in_frame: Array
    """(T,) bool."""

    def at_rest(self) -> Array:
        """Tell in which frames (T,) the target was where it is now for `REST_S`."""
        since = np.searchsorted(self.at_s, self.at_s - REST_S - SAME_S)
        long_enough = self.at_s - self.at_s[0] >= REST_S - SAME_S
        return np.array([long_enough[k] and self._still(since[k], k + 1, k) for k in range(len(self.at_s))], np.bool_)

    def rests(self) -> list[tuple[int, int]]:
        """Return the first and last frame of each stretch of `REST_S` or more in which the target keeps its place."""
        found, first = [], 0
        while first < len(self.at_s):
            last = first
            while last + 1 < len(self.at_s) and self._still(first, last + 2, first):
                last += 1
            if self.at_s[last] - self.at_s[first] >= REST_S - SAME_S and self.in_frame[first]:
                found.append((first, last))
            first = last + 1
        return found

    def _still(self, first: int, end: int, here: int) -> bool:
        apart = np.hypot(*(self.target[first:end] - self.target[here]).T)
        return bool(self.in_frame[first:end].all() and (apart < STILL).all())


@dataclass(frozen=True)
class Course:
    """One track while it is of one true person: T frames, in order, maybe with gaps."""

    truth: Truth
    frame: Array
    """(T,) int64 of the clip."""
    points: dict[str, Array]
    """(T, 2) by filter; `none` are those that all of them got."""
    in_frame_prob: dict[str, Array]
    """(T,) by filter."""

    @property
    def at_s(self) -> Array:
        """Times (T,)."""
        return np.asarray(self.truth.at_s[self.frame])

    def with_filter(self, name: str, points: Array, in_frame_prob: Array) -> Course:
        """Return the same with what one more filter made of it."""
        return replace(
            self, points=self.points | {name: points}, in_frame_prob=self.in_frame_prob | {name: in_frame_prob}
        )


def courses_of(clip: TrueClip, recorded: Recorded) -> list[Course]:
    """Return the tracks of a clip, from a recording of the edges `tracks`, `points` and `steady`."""
    at_s = np.array([int(frame.pts_ns[0]) for frame in recorded.frames()]) / 1e9
    rows: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    edges = (recorded.by_frame(edge) for edge in ("tracks", "points", "steady"))
    for frame, (truth, tracks, raw, ours) in enumerate(zip(clip.frames, *edges, strict=True)):
        seen = tracks.take(~np.isnan(tracks.head_box[:, 0]))
        match = pair(seen.head_score, fit_by_iou(seen.head_box, truth.head_box))
        owner = {int(one): int(truth.person_id[k]) for one, k in zip(seen.track_id, match, strict=True) if k >= 0}
        for k, track_id in enumerate(raw.track_id.tolist()):
            if track_id in owner:
                row = frame, raw.point[k], ours.point[k], raw.in_frame_prob[k], ours.in_frame_prob[k]
                rows.setdefault((track_id, owner[track_id]), []).append(row)
    made = []
    for (_, person), content in rows.items():
        where, raw_point, our_point, raw_prob, our_prob = (np.array(column) for column in zip(*content, strict=True))
        points = {"none": raw_point.astype(np.float64), "ours": our_point.astype(np.float64)}
        chances = {"none": raw_prob.astype(np.float64), "ours": our_prob.astype(np.float64)}
        made.append(Course(_truth_of(person, at_s, clip.frames), where, points, chances))
    return made


def _truth_of(person: int, at_s: Array, frames: Sequence[PeopleTruth]) -> Truth:
    target, in_frame = np.full((len(frames), 2), np.nan), np.zeros(len(frames), np.bool_)
    for k, people in enumerate(frames):
        for row in np.flatnonzero(people.person_id == person):
            target[k], in_frame[k] = people.target_point[row], people.in_frame[row]
    return Truth(at_s, target, in_frame)


@dataclass(frozen=True)
class Shift:
    """A gaze that moves from one rest to another: rows of a course from the end of the one to that of the other."""

    rows: Array
    arrived_s: float
    start: Array
    """(2,) where the unfiltered point was."""
    way: Array
    """(2,) how it went."""

    def crossed_s(self, course: Course, points: Array) -> float:
        """Return when points (T, 2) have gone half the way, between frames; infinity where they never do."""
        gone = (points[self.rows] - self.start) @ self.way / (self.way @ self.way)
        at_s = course.at_s[self.rows]
        if not (gone > 0.5).any():
            return math.inf
        k = int((gone > 0.5).argmax())
        if k == 0:
            return float(at_s[0])
        return float(at_s[k - 1] + (at_s[k] - at_s[k - 1]) * (0.5 - gone[k - 1]) / (gone[k] - gone[k - 1]))


def shifts_of(course: Course) -> Iterator[Shift]:
    """Yield the shifts of a course that count."""
    rests, at_s, raw = course.truth.rests(), course.truth.at_s, course.points["none"]
    for (_, left), (arrived, last) in pairwise(rests):
        way = course.truth.target[arrived] - course.truth.target[left]
        if at_s[arrived] - at_s[left] > LONGEST_SHIFT_S or np.hypot(*way) < LEAST_SHIFT:
            continue
        rows = np.flatnonzero((course.frame >= left) & (course.frame <= last))
        if len(rows) < last - left + 1:
            continue
        before = (course.frame <= left) & (course.at_s > at_s[left] - BEFORE_S)
        after = rows[course.at_s[rows] >= at_s[arrived] + SETTLING_S - SAME_S]
        start = np.median(raw[before], axis=0)
        seen = np.median(raw[after], axis=0) - start
        if seen @ way > 0 and np.hypot(*seen) >= LEAST_SEEN_SHIFT:
            yield Shift(rows, float(at_s[arrived]), start, seen)


@dataclass
class SmoothingTally:
    """What is added up over courses, by filter."""

    errors: dict[str, list[Array]] = field(default_factory=dict)
    steps: dict[str, list[Array]] = field(default_factory=dict)
    lags_s: dict[str, list[float]] = field(default_factory=dict)
    """After the true arrival of the gaze."""
    told_in: dict[str, list[Array]] = field(default_factory=dict)
    truly_in: list[Array] = field(default_factory=list)

    def add(self, course: Course) -> None:
        """Add one track."""
        looking = course.truth.in_frame[course.frame]
        rest = course.truth.at_rest()[course.frame]
        calm = rest[1:] & rest[:-1] & (np.diff(course.frame) == 1)
        shifts = list(shifts_of(course))
        self.truly_in.append(looking)
        for name, points in course.points.items():
            off = points[looking] - course.truth.target[course.frame][looking]
            self.errors.setdefault(name, []).append(np.hypot(*off.T))
            self.steps.setdefault(name, []).append(np.hypot(*np.diff(points, axis=0)[calm].T))
            late = [shift.crossed_s(course, points) - shift.arrived_s for shift in shifts]
            self.lags_s.setdefault(name, []).extend(late)
            self.told_in.setdefault(name, []).append(course.in_frame_prob[name] >= 0.5)

    def figures(self, name: str) -> Figures:
        """Return the figures of one filter by key, None where there was nothing to measure."""
        errors, steps = _joined(self.errors.get(name, [])), _joined(self.steps.get(name, []))
        lags = np.array(self.lags_s.get(name, [])) - np.array(self.lags_s.get("none", []))
        told, true = _joined(self.told_in.get(name, [])) > 0, _joined(self.truly_in) > 0
        both = int(told.sum() + true.sum())
        return {
            "l2": _rounded(np.mean, errors),
            "jitter": _rounded(lambda all_steps: np.sqrt(np.mean(all_steps**2)), steps, 5),
            "lag_ms": _rounded(np.median, lags * 1e3, 1),
            "inout_f1": round(2 * int((told & true).sum()) / both, 4) if both else None,
        }

    def details(self) -> Figures:
        """Return the counts behind the figures."""
        late = {name: np.array(lags) * 1e3 for name, lags in self.lags_s.items()}
        return {
            "heads": len(_joined(self.truly_in)),
            "heads_looking_into_the_frame": len(_joined(self.errors.get("none", []))),
            "steps_at_rest": len(_joined(self.steps.get("none", []))),
            "shifts": len(self.lags_s.get("none", [])),
            "after_arrival_ms": {name: _rounded(np.median, lags, 1) for name, lags in late.items()},
        }


def _joined(parts: Iterable[Array]) -> Array:
    return np.concatenate([np.empty(0), *parts])


def _rounded(of: Callable[[Array], Any], values: Array, digits: int = 4) -> float | None:
    return round(float(of(values)), digits) if len(values) else None
