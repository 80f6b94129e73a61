"""Hold what many people look at while they fixate it, and go where they look next at once.

What is held of a person is a map of where it looks, or, where only points are known, a normal distribution: a point
and its spread. What is seen in a frame counts by how far it is from what is held, as a Hellinger distance: 0 the same,
1 nothing in common. It needs no tuning to the noise of a model, because it is measured in the model's own doubt: a
broad map may wander farther than a sharp one before that means anything.

- Near what is held, it is averaged in, over about `hold_s`: a fixation.
- Far from it in this frame and in the one before: the gaze has moved, the more surely the smaller of both distances,
  and what is held follows; both beyond `gate`, it is dropped for what is seen now.
- Far in this frame alone: it waits for the next one.

All of it runs where the maps are, on the host or on a device.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nodes.ops.heatmap import hills
from pipeline.namespaces import namespace, picked

Array = np.ndarray[Any, np.dtype[Any]]
_LEAST, _NARROWEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).eps)
"""What a cell weighs at least, and how narrow a spread may be."""
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
    """What N people look at: arrays of one namespace."""

    point: Any
    """(N, 2) float64, x and y."""
    spread: Any
    """(N, 2) float64 standard deviation of the part above half the peak, above 0."""
    map: Any
    """(N, h, w) float32, each summing to 1; (N, 0, 0) where only points are known."""
    distance: Any
    """(N,) float64 of what was seen last from what was held then."""

    def take(self, rows: Array) -> Fixations:
        """Return those picked by an index array or a mask, which is on the host."""
        return Fixations(*picked([getattr(self, field.name) for field in fields(self)], rows))

    def join(self, more: Fixations) -> Fixations:
        """Return these and more; where either is none, the shape of its maps does not matter."""
        if not self.point.shape[0] or not more.point.shape[0]:
            return self if self.point.shape[0] else more
        xp = namespace(self.point)
        pairs = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return Fixations(*(xp.concat(pair) for pair in pairs))


def seen_anew(point: Any, spread: Any, heatmap: Any | None) -> Fixations:
    """Return what is held after a first look.

    Args:
        point: (N, 2).
        spread: (N, 2) of the part of the map above half its peak.
        heatmap: (N, h, w) not negative; a map of zeros counts as even. None without maps.
    """
    xp, count = namespace(point), point.shape[0]
    weight = xp.zeros((count, 0, 0), dtype=xp.float32)
    if heatmap is not None:
        weight = xp.astype(xp.maximum(heatmap, _LEAST), xp.float32)
        weight = weight / xp.sum(weight, axis=(1, 2), keepdims=True)
    wide = xp.maximum(xp.astype(spread, xp.float64), _NARROWEST)
    return Fixations(xp.astype(point, xp.float64), wide, weight, xp.zeros(count, dtype=xp.float64))


def distances(held: Fixations, seen: Fixations) -> Any:
    """Return how far (N,) what is seen is from what is held, 0 to 1: their squared Hellinger distance."""
    xp = namespace(held.point)
    if held.map.size:
        return xp.clip(1 - xp.sum(xp.sqrt(held.map * seen.map), axis=(1, 2), dtype=xp.float64), 0.0, 1.0)
    both = (held.spread**2 + seen.spread**2) * WHOLE**2
    shared = xp.sqrt(xp.prod(2 * held.spread * seen.spread * WHOLE**2 / both, axis=1))
    return 1 - shared * xp.exp(-xp.sum((seen.point - held.point) ** 2 / both, axis=1) / 4)


def share_followed(distance: Any, before: Any, dt_s: Any, pace: Pace) -> Any:
    """Return which share (N,) of the way from what is held to what is seen is gone.

    Args:
        distance: (N,) of what is seen now.
        before: (N,) of what was seen before it.
        dt_s: (N,) seconds between both.
        pace: how fast.
    """
    xp = namespace(distance)
    beyond = xp.minimum(distance / pace.gate, 1.0)
    run = xp.minimum(beyond, before / pace.gate)
    some = run < 1
    moved = xp.where(some, run / xp.where(some, 1 - run, 1.0), 0.0)  # beyond, all of it is gone
    rate = (1 - beyond) / pace.hold_s + moved / pace.follow_s
    return xp.where(some, -xp.expm1(-dt_s * rate), 1.0)


def followed(held: Fixations, seen: Fixations, dt_s: Any, pace: Pace) -> Fixations:
    """Return what is held after another look of the same N people, `dt_s` (N,) seconds after the last."""
    if not held.point.shape[0]:
        return held
    xp = namespace(held.point)
    distance = distances(held, seen)
    share = share_followed(distance, held.distance, dt_s, pace)
    part, cells = share[:, None], xp.astype(share, xp.float32)[:, None, None]
    return Fixations(
        held.point + part * (seen.point - held.point),
        xp.sqrt(held.spread**2 + part * (seen.spread**2 - held.spread**2)),
        held.map + cells * (seen.map - held.map),
        distance,
    )


def on_maps(held: Fixations, x: Any, y: Any, floor: float) -> Fixations:
    """Return the same with points and spreads read off the maps.

    Cells weigh by how far they rise above the floor: so that none of them counts all at once, as it slowly rises.

    Args:
        held: with maps.
        x: (w,) where the columns lie.
        y: (h,) where the rows lie.
        floor: as a share of each map's peak, below 1.
    """
    xp = namespace(held.map)
    peak = xp.max(held.map, axis=(1, 2), keepdims=True)
    point, spread = hills(xp.maximum(held.map - floor * peak, 0.0), x, y, 0)
    return Fixations(point, spread, held.map, held.distance)
