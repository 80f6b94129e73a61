"""Filters that smooth rotations of heads over time, many at once; of some only the yaw is known.

A filter holds a rotation, not its angles: each sample turns it by a share of the one turn that leads to the sample, the
shortest way round. So nothing swings through the front where yaw passes ±180, and nothing spins where a head looks
straight up. A sample of which only the yaw is known turns it about the vertical.

The share is that of a low-pass whose cut-off rises with the speed of turning, as in the 1€ filter (Casiez, Roussel and
Vogel, CHI 2012), carried over to rotations by their tangent vectors (error state). Added to it: samples have weights,
and so has what is held, which fades, so that a fresh filter averages instead of clinging to its first sample; and a
sample far off weighs less, as under noise with heavy tails (Cauchy), so that a head taken for its back for one frame
does not turn round, while one that stays turned does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops import rotations as rot

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Tuning:
    """How strongly to smooth."""

    min_cutoff_hz: float
    """Cut-off at rest."""
    beta: float
    """Rise of the cut-off with speed, Hz per degree and second."""
    speed_cutoff_hz: float
    """Cut-off of the speed that is used for this."""
    usual_error_deg: float
    """A sample this far off weighs half."""


@dataclass(frozen=True)
class Held:
    """What N filters hold."""

    yaw_pitch_roll_deg: Array
    """(N, 3) the rotation; pitch and roll are NaN as long as only yaws were seen."""
    weight: Array
    """(N,) how much it weighs, 1 per sample of weight 1, fading; 0 holds nothing yet."""
    speed: Array
    """(N, 3) filtered speed of turning about the axes of the picture, degrees per second."""

    @classmethod
    def nothing(cls, count: int) -> Held:
        """Return filters that hold nothing yet: the next sample counts whole."""
        return cls(np.tile([0.0, np.nan, np.nan], (count, 1)), np.zeros(count), np.zeros((count, 3)))

    def take(self, rows: Array) -> Held:
        """Return the filters picked by an index array or a mask."""
        return Held(self.yaw_pitch_roll_deg[rows], self.weight[rows], self.speed[rows])

    def join(self, more: Held) -> Held:
        """Return these filters and more."""
        pairs = (
            (self.yaw_pitch_roll_deg, more.yaw_pitch_roll_deg),
            (self.weight, more.weight),
            (self.speed, more.speed),
        )
        return Held(*(np.concatenate(pair) for pair in pairs))


def filtered(held: Held, yaw_pitch_roll_deg: Array, weight: Array, dt_s: Array, tuning: Tuning) -> Held:
    """Return the filters after one more sample each.

    Args:
        held: N filters.
        yaw_pitch_roll_deg: (N, 3) samples; pitch and roll both NaN where only the yaw is known.
        weight: (N,) above 0, 1 for a full sample.
        dt_s: (N,) seconds since the filter's last sample, above 0.
        tuning: how strongly to smooth.
    """
    unheld, unseen = np.isnan(held.yaw_pitch_roll_deg), np.isnan(yaw_pitch_roll_deg)
    # What one of both does not know it takes from the other; what neither knows is level.
    begins = np.where(unheld, np.where(unseen, 0.0, yaw_pitch_roll_deg), held.yaw_pitch_roll_deg)
    ends = np.where(unseen, begins, yaw_pitch_roll_deg)
    start, end = np.split(rot.quaternions(rot.matrices(np.concatenate([begins, ends]))), 2)
    # A filter whose pitch and roll are those of its first whole sample does not cling to them.
    before = np.where((unheld & ~unseen).any(axis=1), np.minimum(held.weight, 1.0), held.weight)
    turn = np.degrees(rot.vectors(rot.product(end, rot.undone(start))))  # (N, 3)
    fresh = before == 0
    far = np.where(fresh, 0.0, np.linalg.norm(turn, axis=1) / tuning.usual_error_deg)
    weight = weight / (1 + far**2)
    dt = dt_s[:, None]
    gain = weight[:, None] * (1 - _kept(tuning.speed_cutoff_hz, dt))
    speed = np.where(fresh[:, None], 0.0, held.speed + gain * (turn / dt - held.speed))
    kept = _kept(tuning.min_cutoff_hz + tuning.beta * np.linalg.norm(speed, axis=1), dt_s)
    # What is held weighs no more than endless full samples at this cut-off, so that speed opens the filter at once.
    total = np.minimum(before, 1 / (1 - kept)) * kept + weight
    part = rot.from_vectors(np.radians((weight / total)[:, None] * turn))
    angles = rot.yaw_pitch_roll(rot.from_quaternions(rot.product(part, start)))
    return Held(np.where(unheld & unseen, np.nan, angles), total, speed)


def _kept(cutoff_hz: Any, dt_s: Any) -> Any:
    """Return the share of the old value that a low-pass of first order keeps over a step."""
    return 1 / (1 + 2 * np.pi * cutoff_hz * dt_s)
