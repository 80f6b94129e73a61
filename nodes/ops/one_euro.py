"""One-Euro filters for many moving points at once, in which points may weigh differently.

Ref: Casiez, Roussel and Vogel, "1€ Filter", CHI 2012. Added to it: a sample has a weight, and the filter keeps the
weight of what it holds, which fades with the same time constant. So with weights all 1 and a steady cut-off a
long-running filter is the original; a fresh one, and one after a jump, averages samples instead of clinging to the
first; and after a run of doubtful samples one good sample is believed at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Tuning:
    """How strongly to smooth."""

    min_cutoff_hz: float
    """Cut-off at rest."""
    beta: float
    """Rise of the cut-off with speed, Hz per unit and second."""
    speed_cutoff_hz: float
    """Cut-off of the speed that is used for this."""


@dataclass(frozen=True)
class Held:
    """What N filters hold."""

    value: Array
    """(N, D) float64: filtered."""
    weight: Array
    """(N,) float64: how much the value weighs, 1 per sample of weight 1, fading."""
    speed: Array
    """(N, D) float64: filtered derivative, units per second."""

    @classmethod
    def nothing(cls, value: Array) -> Held:
        """Return filters that hold nothing yet: the next sample (N, D) counts whole, whatever `value` (N, D) is."""
        return cls(value, np.zeros(len(value)), np.zeros_like(value))

    def take(self, rows: Array) -> Held:
        """Return the filters picked by an index array or a mask."""
        return Held(self.value[rows], self.weight[rows], self.speed[rows])

    def join(self, more: Held) -> Held:
        """Return these filters and more."""
        pairs = ((self.value, more.value), (self.weight, more.weight), (self.speed, more.speed))
        return Held(*(np.concatenate(pair) for pair in pairs))


def filtered(held: Held, value: Array, weight: Array, dt_s: Array, tuning: Tuning) -> Held:
    """Return the filters after one more sample each.

    Args:
        held: N filters.
        value: (N, D) samples.
        weight: (N,) above 0, 1 for a full sample.
        dt_s: (N,) seconds since the filter's last sample, above 0.
        tuning: how strongly to smooth; the speed is that of the point, so that all D axes have one cut-off.
    """
    dt = dt_s[:, None]
    gain = weight[:, None] * (1 - _kept(tuning.speed_cutoff_hz, dt))
    speed = held.speed + gain * ((value - held.value) / dt - held.speed)
    cutoff_hz = tuning.min_cutoff_hz + tuning.beta * np.linalg.norm(speed, axis=1)
    kept = _kept(cutoff_hz, dt_s)
    # What is held weighs no more than endless full samples at this cut-off, so that speed opens the filter at once.
    total = np.minimum(held.weight, 1 / (1 - kept)) * kept + weight
    share = (weight / total)[:, None]
    return Held(held.value + share * (value - held.value), total, speed)


def _kept(cutoff_hz: Any, dt_s: Any) -> Any:
    """Return the share of the old value that a low-pass of first order keeps over a step."""
    return 1 / (1 + 2 * np.pi * cutoff_hz * dt_s)
