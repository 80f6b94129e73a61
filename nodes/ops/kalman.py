"""Many small Kalman filters at once: coordinates that move with a velocity which fades.

Every coordinate is a filter of its own with the state position and velocity, so predict and update have closed forms
and no matrix is ever inverted. The velocity is an Ornstein-Uhlenbeck process: it keeps its direction for about
`persistence_s` and has the standard deviation `speed` in the long run. So what is out of sight glides on and comes to
rest instead of flying off, and a time step of any length costs the same and gives the same as many small ones.

Ref: Kalman 1960; for the process, Johnson et al., "Continuous-time correlated random walk model", Ecology 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

POSITION, VELOCITY = 0, 1
"""Places in the last axis of a mean (..., 2)."""
PP, PV, VV = 0, 1, 2
"""Places in the last axis of a covariance (..., 3): var(position), cov(position, velocity), var(velocity)."""


def begin(position: Array, noise: Array, speed: Array) -> tuple[Array, Array]:
    """Return mean (..., 2) and covariance (..., 3) after a first sight, at rest for all we know.

    Args:
        position: (...) measured.
        noise: (...) standard deviation of the measurement.
        speed: (...) standard deviation of the velocity in the long run, unit per second.
    """
    zero = np.zeros_like(position)
    return _columns(position, zero), _columns(noise**2, zero, speed**2)


def predict(mean: Array, cov: Array, dt_s: float, speed: Array, persistence_s: Array) -> tuple[Array, Array]:
    """Return mean and covariance `dt_s` seconds later.

    Args:
        mean: (..., 2) position and velocity.
        cov: (..., 3).
        dt_s: seconds, 0 or more.
        speed: (...) standard deviation of the velocity in the long run.
        persistence_s: broadcastable to (...): time constant with which the velocity fades, seconds.
    """
    steps = dt_s / persistence_s
    kept = np.exp(-steps)
    reach = persistence_s * -np.expm1(-steps)
    position = mean[..., POSITION] + reach * mean[..., VELOCITY]
    velocity = kept * mean[..., VELOCITY]
    variance = speed**2
    # Variance of the path: 2x - 3 + 4e^-x - e^-2x, which cancels to (2/3)x³ for short steps.
    path = np.where(steps < 1e-3, steps**3 * (2 / 3), 2 * steps - 3 + 4 * kept - kept**2)
    pp = cov[..., PP] + 2 * reach * cov[..., PV] + reach**2 * cov[..., VV] + variance * persistence_s**2 * path
    pv = kept * (cov[..., PV] + reach * cov[..., VV]) + variance * reach**2 / persistence_s
    vv = kept**2 * cov[..., VV] + variance * -np.expm1(-2 * steps)
    return _columns(position, velocity), _columns(pp, pv, vv)


def update(mean: Array, cov: Array, measured: Array, noise: Array) -> tuple[Array, Array]:
    """Return mean and covariance after measurements of the positions.

    Args:
        mean: (..., 2).
        cov: (..., 3).
        measured: (...) positions.
        noise: (...) standard deviation of the measurement, above 0.
    """
    total = cov[..., PP] + noise**2
    gain_p, gain_v = cov[..., PP] / total, cov[..., PV] / total
    error = measured - mean[..., POSITION]
    kept = 1 - gain_p
    vv = np.maximum(cov[..., VV] - gain_v * cov[..., PV], 0)
    mean = _columns(mean[..., POSITION] + gain_p * error, mean[..., VELOCITY] + gain_v * error)
    return mean, _columns(kept * cov[..., PP], kept * cov[..., PV], vv)


def _columns(*columns: Array) -> Array:
    """Return arrays of one shape side by side along a new last axis."""
    made = np.empty((*columns[0].shape, len(columns)))
    for place, column in enumerate(columns):
        made[..., place] = column
    return made
