"""Boxes of people who walk through a hall or a street, and what a detector makes of them: no pictures.

For choosing how people are tracked: minutes of crowds with exact identities cost a second, because nothing is drawn.
A person is an upright box on a floor; who stands nearer hides who stands behind. The detector misses what is hidden,
in runs of frames rather than in single ones, shrinks boxes to what can be seen, is off by a few per cent, merges two
who overlap, and sees people where there are none. Its constants were set by eye after the detections of a street scene.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, aimed_camera

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("hall", "street", "shop", "walk")
"""Where the camera hangs: high over a hall, at eye level in a street, under a shop's ceiling, in a walker's hand."""
_SIZE_WH = (1280, 720)


@dataclass(frozen=True)
class Boxes:
    """One row a box, ordered by frame."""

    frame: Ints
    """(N,) from 0."""
    box_px: Floats
    """(N, 4) xyxy, cut off at the frame."""
    person_id: Ints
    """(N,) from 1; 0 for detections."""
    score: Floats
    """(N,) visible share of a true box, score of a detection; both 0 to 1."""


@dataclass(frozen=True)
class Crowd:
    """A sequence: what is true and what is found."""

    size_wh: tuple[int, int]
    fps: float
    frames: int
    truth: Boxes
    found: Boxes


def make_crowd(seed: int, *, seconds: float = 40.0) -> Crowd:
    """Return the sequence of a seed: its kind of place, density, frame rate and detector are drawn by it.

    Args:
        seed: any number; the same gives the same.
        seconds: length.
    """
    rng = np.random.default_rng([seed, 0xC20D])
    kind = KINDS[int(rng.integers(len(KINDS)))]
    fps = float(rng.choice([12.5, 25.0, 30.0]))
    times = np.arange(round(seconds * fps)) / fps
    paths = _paths(rng, times, kind)
    cameras = _cameras(rng, times, kind)
    rows = [_seen(camera, number, *paths, at=number) for number, camera in enumerate(cameras)]
    truth = Boxes(*(np.concatenate(column) for column in zip(*rows, strict=True)))
    return Crowd(_SIZE_WH, fps, len(times), truth, _detected(rng, truth, fps, len(times), paths[0].shape[0]))


def _cameras(rng: np.random.Generator, times: Floats, kind: str) -> list[Camera]:
    """Return the camera of each frame; it stands still but in a walker's hand."""
    height, pitch, focal = {
        "hall": (rng.uniform(4.5, 7), rng.uniform(14, 24), rng.uniform(0.9, 1.4)),
        "street": (rng.uniform(1.4, 2.2), rng.uniform(0, 5), rng.uniform(0.8, 1.2)),
        "shop": (rng.uniform(2.4, 3.2), rng.uniform(14, 26), rng.uniform(0.6, 0.9)),
        "walk": (rng.uniform(1.5, 1.8), rng.uniform(0, 4), rng.uniform(0.8, 1.1)),
    }[kind]
    moves = kind == "walk"
    step = np.diff(times, prepend=times[0])
    yaw = _eased(_wander(rng, times, tau_s=3.0), times, 1.2) * 9.0 * moves
    tilt = _eased(_wander(rng, times, tau_s=0.5), times, 0.4) * 0.6 * moves
    ahead = np.cumsum(step * rng.uniform(0.4, 1.2)) * moves
    made = []
    for turn, nod, gone in zip(yaw, tilt, ahead, strict=True):
        camera = aimed_camera(
            _SIZE_WH, focal_in_widths=focal, height_m=height, yaw_deg=float(turn), pitch_down_deg=float(pitch + nod)
        )
        camera.position[2] += gone
        made.append(camera)
    return made


def _paths(rng: np.random.Generator, times: Floats, kind: str) -> tuple[Floats, Floats, Floats]:
    """Return floor positions (P, T, 2), NaN while away, heights and widths (P,) of people in metres."""
    depth = {"hall": (5.0, 26.0), "street": (3.0, 22.0), "shop": (2.0, 11.0), "walk": (3.0, 40.0)}[kind]
    half = {"hall": 10.0, "street": 9.0, "shop": 4.0, "walk": 6.0}[kind]
    at_once = {"hall": rng.uniform(8, 32), "street": rng.uniform(4, 12), "shop": rng.uniform(3, 9)}.get(
        kind, rng.uniform(6, 16)
    )
    browses = 0.5 if kind == "shop" else 0.3
    stay_s = 14.0
    count = max(2, round(at_once * (times[-1] + stay_s) / stay_s))
    starts = rng.uniform(-stay_s, times[-1], count)
    paths = np.full((count, len(times), 2), np.nan)
    row = 0
    while row < count:
        friends = 1 + int(rng.random() < 0.25)
        speed = float(np.clip(rng.normal(1.25, 0.25), 0.6, 1.9))
        path = _walk(rng, times - starts[row], speed, half, depth, browses)
        for friend in range(min(friends, count - row)):
            beside = rng.normal(0, 0.15, 2) + np.array([0.65, 0.0]) * friend
            paths[row + friend] = path + beside
        row += friends
    heights = np.clip(rng.normal(1.72, 0.09, count), 1.45, 1.95)
    return paths, heights, heights * rng.uniform(0.28, 0.38, count)


def _walk(
    rng: np.random.Generator, since: Floats, speed: float, half: float, depth: tuple[float, float], browses: float
) -> Floats:
    """Return where a walker is (T, 2) at `since` seconds after coming in by one side; NaN before and after."""
    side = rng.choice([-1.0, 1.0])
    across = rng.random() < 0.6
    z = rng.uniform(*depth)
    if across:
        corners = [np.array([side * half, z]), np.array([-side * half, np.clip(z + rng.normal(0, 3), *depth)])]
    else:
        x = rng.uniform(-half, half)
        ends = depth if side > 0 else depth[::-1]
        corners = [np.array([x, ends[0]]), np.array([np.clip(x + rng.normal(0, 2), -half, half), ends[1]])]
    for _ in range(int(rng.integers(0, 3))):
        corners.insert(-1, np.array([rng.uniform(-half, half), rng.uniform(*depth)]) * 0.6 + corners[0] * 0.4)
    clock, stops = [0.0], [corners[0]]
    for corner in corners[1:]:
        clock.append(clock[-1] + max(float(np.linalg.norm(corner - stops[-1])) / speed, 0.1))
        stops.append(corner)
        if rng.random() < browses:
            clock.append(clock[-1] + rng.uniform(1, 12))
            stops.append(corner + rng.normal(0, 0.1, 2))
    here = np.stack([np.interp(since, clock, [stop[axis] for stop in stops]) for axis in (0, 1)], axis=1)
    here = np.stack([_eased(along, since, 1.0) for along in here.T], axis=1)
    here[(since < 0) | (since > clock[-1])] = np.nan
    return here


def _seen(
    camera: Camera, number: int, paths: Floats, heights: Floats, widths: Floats, at: int
) -> tuple[Ints, Floats, Ints, Floats]:
    """Return frame numbers, boxes, ids and visible shares of the people in the picture of one frame."""
    floor = paths[:, at]
    who = np.flatnonzero(~np.isnan(floor[:, 0]))
    feet = np.stack([floor[who, 0], np.zeros(len(who)), floor[who, 1]], axis=1)
    crown = feet - np.stack([np.zeros(len(who)), heights[who], np.zeros(len(who))], axis=1)
    feet_px, depth = camera.project(feet)
    crown_px, _ = camera.project(crown)
    stride = 1 + 0.2 * np.sin(at * 0.35 + who)
    half_px = widths[who] * stride * camera.focal_px / np.maximum(depth, 0.3) / 2
    middle = (feet_px[:, 0] + crown_px[:, 0]) / 2
    box = np.stack([middle - half_px, crown_px[:, 1], middle + half_px, feet_px[:, 1]], axis=1)
    whole = np.where(depth > 0.8, (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]), np.nan)
    box = np.clip(box, 0, np.array([*_SIZE_WH, *_SIZE_WH]))
    left = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) / whole
    inside = np.flatnonzero((left > 0.15) & (box[:, 3] - box[:, 1] > 20))
    inside = inside[np.argsort(depth[inside])]
    box, left = box[inside], left[inside]
    visible = np.array([_uncovered(box[row], box[:row]) for row in range(len(box))]) * left
    return np.full(len(box), number, np.int64), box, who[inside] + 1, visible


def _uncovered(box: Floats, nearer: Floats) -> float:
    """Return the share of a box that no nearer box covers, on a grid of 8 × 12 points."""
    x = box[0] + (np.arange(8) + 0.5) / 8 * (box[2] - box[0])
    y = box[1] + (np.arange(12) + 0.5) / 12 * (box[3] - box[1])
    beside = (x[:, None] > nearer[:, 0]) & (x[:, None] < nearer[:, 2])  # (8, K)
    along = (y[:, None] > nearer[:, 1]) & (y[:, None] < nearer[:, 3])  # (12, K)
    return float(1 - (beside[:, None] & along).any(axis=2).mean())


def _detected(rng: np.random.Generator, truth: Boxes, fps: float, frames: int, people: int) -> Boxes:
    """Return what a detector makes of true boxes."""
    times = np.arange(frames) / fps
    strict = rng.uniform(-0.5, 3.0)  # of the detector: how much must be seen
    mood = np.stack([_wander(rng, times, tau_s=0.4) + _wander(rng, times, tau_s=4.0) for _ in range(people + 1)])
    off = np.stack([[_wander(rng, times, tau_s=0.3) for _ in range(4)] for _ in range(people + 1)])
    size = truth.box_px[:, 2:] - truth.box_px[:, :2]
    who, frame = truth.person_id, truth.frame
    sure = 9.0 * (truth.score - 0.38) - strict + 1.2 * np.log(size[:, 1] / 110.0) + 1.3 * mood[who, frame]
    sure += rng.normal(0, rng.uniform(0.5, 1.5), len(sure))
    jitter = rng.uniform(0.5, 1.1) * (0.85 * off[who, :, frame] + 0.45 * rng.normal(0, 1, (len(who), 4)))
    box = truth.box_px + jitter * np.array([0.11, 0.045, 0.11, 0.045]) * np.tile(size, 2)
    hidden = np.clip(1 - truth.score - 0.2, 0, 1) * rng.uniform(0.2, 0.9, len(who))
    box[:, 3] -= hidden * size[:, 1] * 0.5
    rows = np.flatnonzero(sure > 0)
    parts = [(frame[rows], box[rows], 1 / (1 + np.exp(-1.3 * sure[rows] - 0.5))), _ghosts(rng, fps, frames)]
    found = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((-found[2], found[0]))
    frame, box, score = (column[order] for column in found)
    kept = _merged(frame, box)
    return Boxes(frame[kept], box[kept], np.zeros(int(kept.sum()), np.int64), score[kept])


def _ghosts(rng: np.random.Generator, fps: float, frames: int) -> tuple[Ints, Floats, Floats]:
    """Return boxes where nobody is: a few places that look like people now and then."""
    frame: list[Ints] = []
    box: list[Floats] = []
    score: list[Floats] = []
    for _ in range(int(rng.integers(1, 6))):
        height = rng.uniform(60, 260)
        corner = rng.uniform(0, 1, 2) * (np.array(_SIZE_WH) - [height * 0.4, height])
        place = np.array([*corner, corner[0] + height * 0.4, corner[1] + height])
        seen = np.flatnonzero(_wander(rng, np.arange(frames) / fps, tau_s=0.3) > rng.uniform(1.3, 2.2))
        frame.append(seen)
        box.append(place + rng.normal(0, 0.04, (len(seen), 4)) * height)
        score.append(rng.uniform(0.3, 0.85, len(seen)))
    return np.concatenate(frame), np.concatenate(box), np.concatenate(score)


def _merged(frame: Ints, box: Floats) -> NDArray[np.bool_]:
    """Tell which boxes are left when a box that overlaps a surer one by more than half is taken for it: (N,)."""
    kept = np.ones(len(frame), np.bool_)
    starts = np.searchsorted(frame, np.unique(frame))
    for first, end in zip(starts, [*starts[1:], len(frame)], strict=True):
        for row in range(first + 1, end):
            others = box[first:row][kept[first:row]]
            shared = np.minimum(others[:, 2:], box[row, 2:]) - np.maximum(others[:, :2], box[row, :2])
            area = np.maximum(shared, 0).prod(axis=1)
            total = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[row, 2:] - box[row, :2]).prod() - area
            kept[row] = not (area > 0.5 * total).any()
    return kept


def _eased(values: Floats, times: Floats, over_s: float) -> Floats:
    """Return values (T,) averaged over a bell of `over_s` seconds, so that nothing jumps."""
    step = float(times[1] - times[0])
    bell = np.hanning(max(3, 2 * round(over_s / 2 / step) + 1) + 2)[1:-1]
    padded = np.pad(values, len(bell) // 2, mode="edge")
    return np.convolve(padded, bell / bell.sum(), "valid")


def _wander(rng: np.random.Generator, times: Floats, *, tau_s: float) -> Floats:
    """Return noise (T,) with variance 1 that forgets itself in `tau_s` seconds."""
    step = float(times[1] - times[0])
    kept = math.exp(-step / tau_s)
    fresh = rng.normal(0, 1, len(times)) * math.sqrt(1 - kept * kept)
    out = np.empty(len(times))
    value = rng.normal()
    for k, each in enumerate(fresh):
        value = kept * value + each
        out[k] = value
    return out
