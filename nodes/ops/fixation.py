"""Hold what many people look at while they fixate it, and go where they look next at once.

What is held of a person is a map of where it looks, or, where only points are known, a normal distribution: a point
and its spread. What is seen in a frame counts by how far it is from what is held, as a Hellinger distance: 0 the same,
1 nothing in common. It needs no tuning to the noise of a model, because it is measured in the model's own doubt: a
broad map may wander farther than a sharp one before that means anything.

- Near what is held, it is averaged in, over about `hold_s`: a fixation.
- Far from it in this frame and in the one before: the gaze has moved, the more surely the smaller of both distances,
  and what is held follows; both beyond `gate`, it is dropped for what is seen now.
- Far in this frame alone: it waits for the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nodes.ops.heatmap import hills

Array = np.ndarray[Any, np.dtype[Any]]


WHOLE = 1.8
"""Standard deviation of a normal distribution over that of its part above half its peak, which is what points have."""


@dataclass(frozen=True)
class Pace:
    """How fast what is held changes."""

    hold_s: float
    """Time constant of the average within a fixation."""
    gate: float
    """Distance, 0 to 1, that is surely another fixation, seen twice in a row."""
    follow_s: float
    """Time constant with which a shift of half of that is followed."""


@dataclass(frozen=True)
class Fixations:
    """What N people look at."""

    point: Array
    """(N, 2) float64, x and y."""
    spread: Array
    """(N, 2) float64 standard deviation of the part above half the peak, above 0."""
    map: Array
    """(N, h, w) float32, each summing to 1; (N, 0, 0) where only points are known."""
    distance: Array
    """(N,) float64 of what was seen last from what was held then."""

    def take(self, rows: Array) -> Fixations:
        """Return those picked by an index array or a mask."""
        return Fixations(*(getattr(self, field.name)[rows] for field in fields(self)))

    def join(self, more: Fixations) -> Fixations:
        """Return these and more; where either is none, the shape of its maps does not matter."""
        if not len(self.point) or not len(more.point):
            return self if len(self.point) else more
        pairs = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return Fixations(*(np.concatenate(pair) for pair in pairs))


def seen_anew(point: Array, spread: Array, heatmap: Array | None) -> Fixations:
    """Return what is held after a first look.

    Args:
        point: (N, 2).
        spread: (N, 2) of the part of the map above half its peak.
        heatmap: (N, h, w) not negative; a map of zeros counts as even. None without maps.
    """
    count = len(point)
    weight = np.empty((count, 0, 0), np.float32)
    if heatmap is not None:
        weight = np.maximum(heatmap, np.finfo(np.float32).tiny).astype(np.float32)
        weight = weight / weight.sum(axis=(1, 2), keepdims=True)
    wide = np.maximum(spread.astype(np.float64), np.finfo(np.float32).eps)
    return Fixations(point.astype(np.float64), wide, weight, np.zeros(count))


def distances(held: Fixations, seen: Fixations) -> Array:
    """Return how far (N,) what is seen is from what is held, 0 to 1: their squared Hellinger distance."""
    if held.map.size:
        return np.asarray(np.clip(1 - np.sqrt(held.map * seen.map).sum(axis=(1, 2), dtype=np.float64), 0, 1))
    both = (held.spread**2 + seen.spread**2) * WHOLE**2
    shared = np.sqrt((2 * held.spread * seen.spread * WHOLE**2 / both).prod(axis=1))
    return np.asarray(1 - shared * np.exp(-((seen.point - held.point) ** 2 / both).sum(axis=1) / 4))


def share_followed(distance: Array, before: Array, dt_s: Array, pace: Pace) -> Array:
    """Return which share (N,) of the way from what is held to what is seen is gone.

    Args:
        distance: (N,) of what is seen now.
        before: (N,) of what was seen before it.
        dt_s: (N,) seconds between both.
        pace: how fast.
    """
    beyond = np.minimum(distance / pace.gate, 1)
    run = np.minimum(beyond, before / pace.gate)
    moved = np.divide(run, 1 - run, out=np.full(len(run), np.inf), where=run < 1)
    rate = (1 - beyond) / pace.hold_s + moved / pace.follow_s
    return np.asarray(np.where(run < 1, -np.expm1(-dt_s * rate), 1.0))


def followed(held: Fixations, seen: Fixations, dt_s: Array, pace: Pace) -> Fixations:
    """Return what is held after another look of the same N people, `dt_s` (N,) seconds after the last."""
    if not len(held.point):
        return held
    distance = distances(held, seen)
    share = share_followed(distance, held.distance, dt_s, pace)
    part, cells = share[:, None], share[:, None, None].astype(np.float32)
    return Fixations(
        held.point + part * (seen.point - held.point),
        np.sqrt(held.spread**2 + part * (seen.spread**2 - held.spread**2)),
        held.map + cells * (seen.map - held.map),
        distance,
    )


def on_maps(held: Fixations, x: Array, y: Array, floor: float) -> Fixations:
    """Return the same with points and spreads read off the maps.

    Cells weigh by how far they rise above the floor: so that none of them counts all at once, as it slowly rises.

    Args:
        held: with maps.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
        floor: as a share of each map's peak, below 1.
    """
    peak = held.map.max(axis=(1, 2), keepdims=True)
    point, spread = hills(np.maximum(held.map - floor * peak, 0), x, y, 0)
    return Fixations(point, spread, held.map, held.distance)
