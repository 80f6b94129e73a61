"""What gaze points are usually smoothed with, as peers of our filter: an exponential average and the One-Euro filter.

Ref: Casiez, Roussel and Vogel, "1€ Filter", CHI 2012.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def averaged(values: Array, at_s: Array, tau_s: float) -> Array:
    """Return exponential averages (T, D) of values (T, D) at rising times (T,), with a time constant."""
    made = np.array(values, np.float64)
    share = -np.expm1(-np.diff(at_s) / tau_s)
    for k in range(1, len(made)):
        made[k] = made[k - 1] + share[k - 1] * (made[k] - made[k - 1])
    return made


def one_euro(values: Array, at_s: Array, min_cutoff_hz: float, beta: float, speed_cutoff_hz: float) -> Array:
    """Return values (T, D) at rising times (T,) after the filter as published; all D axes have one cut-off.

    Args:
        values: (T, D).
        at_s: (T,) seconds.
        min_cutoff_hz: cut-off at rest.
        beta: rise of the cut-off with speed, Hz per unit and second.
        speed_cutoff_hz: cut-off of the speed that is used for this.
    """
    made = np.array(values, np.float64)
    speed = np.zeros(made.shape[1])
    for k in range(1, len(made)):
        dt_s = at_s[k] - at_s[k - 1]
        step = made[k] - made[k - 1]
        speed = speed + _share(speed_cutoff_hz, dt_s) * (step / dt_s - speed)
        cutoff_hz = min_cutoff_hz + beta * float(np.sqrt(speed @ speed))
        made[k] = made[k - 1] + _share(cutoff_hz, dt_s) * step
    return made


def _share(cutoff_hz: float, dt_s: float) -> float:
    """Return how much of a step a low-pass of first order lets through in one frame."""
    turned = 2 * np.pi * cutoff_hz * dt_s
    return float(turned / (1 + turned))
