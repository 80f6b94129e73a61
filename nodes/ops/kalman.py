"""Many small Kalman filters at once: coordinates that move with a velocity which fades.

Every coordinate is a filter of its own with the state position and velocity, so predict and update have closed forms
and no matrix is ever inverted. The velocity is an Ornstein-Uhlenbeck process: it keeps its direction for about
`persistence_s` and has the standard deviation `speed` in the long run. So what is out of sight glides on and comes to
rest instead of flying off, and a time step of any length costs the same and gives the same as many small ones. The
position drifts besides, because what is measured is off to one side for a while rather than anew each time.

Ref: Kalman 1960; for the process, Johnson et al., "Continuous-time correlated random walk model", Ecology 2008.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

POSITION, VELOCITY = 0, 1
"""Places on the first axis of a mean (2, ...)."""
PP, PV, VV = 0, 1, 2
"""Places on the first axis of a covariance (3, ...): var(position), cov(position, velocity), var(velocity)."""


def begin(position: Array, noise: Array, speed: Array) -> tuple[Array, Array]:
    """Return mean (2, ...) and covariance (3, ...) after a first sight, at rest for all we know.

    Args:
        position: (...) measured.
        noise: (...) standard deviation of the measurement.
        speed: (...) standard deviation of the velocity in the long run, unit per second.
    """
    zero = np.zeros_like(position)
    return np.stack([position, zero]), np.stack([noise**2, zero, speed**2])


def predict(
    mean: Array, cov: Array, dt_s: float, speed: Array, persistence_s: tuple[float, ...], drift: Array | float = 0.0
) -> tuple[Array, Array]:
    """Return mean and covariance `dt_s` seconds later.

    Args:
        mean: (2, ..., K) position and velocity of K coordinates.
        cov: (3, ..., K).
        dt_s: seconds, 0 or more.
        speed: (..., K) standard deviation of the velocity in the long run.
        persistence_s: K time constants with which velocities fade, seconds.
        drift: (..., K) standard deviation of the drift of the position in a second; it grows with the root of time.
    """
    kept, reach, path, turn, spread = _course(dt_s, persistence_s)
    variance = speed * speed
    after, grown = np.empty_like(mean), np.empty_like(cov)
    np.multiply(mean[VELOCITY], reach, out=after[POSITION])
    after[POSITION] += mean[POSITION]
    np.multiply(mean[VELOCITY], kept, out=after[VELOCITY])
    carried = reach * cov[VV]
    grown[PP] = cov[PP] + reach * (2 * cov[PV] + carried) + variance * path + drift * drift * dt_s
    grown[PV] = kept * (cov[PV] + carried) + variance * turn
    grown[VV] = kept * kept * cov[VV] + variance * spread
    return after, grown


def update(mean: Array, cov: Array, measured: Array, noise: Array, seen: Array | None = None) -> tuple[Array, Array]:
    """Return mean and covariance after measurements of the positions.

    Args:
        mean: (2, ...).
        cov: (3, ...).
        measured: (...) positions.
        noise: (...) standard deviation of the measurement, above 0.
        seen: (...) bool, False where nothing was measured: there all stays as it is.
    """
    error = measured - mean[POSITION]
    if seen is not None:
        error, noise = np.where(seen, error, 0), np.where(seen, noise, np.inf)
    gain = cov[:VV] / (cov[PP] + noise * noise)
    after, left = np.empty_like(mean), np.empty_like(cov)
    np.add(mean, gain * error, out=after)
    left[VV] = np.maximum(cov[VV] - gain[VELOCITY] * cov[PV], 0)
    np.multiply(cov[:VV], 1 - gain[POSITION], out=left[:VV])
    return after, left


@lru_cache(maxsize=256)
def _course(dt_s: float, persistence_s: tuple[float, ...]) -> tuple[Array, Array, Array, Array, Array]:
    """Return what a step of `dt_s` seconds does to velocities that fade with K time constants, each (K,).

    That is the share of the velocity that is kept, the seconds of the old velocity that are walked, and, per variance
    of the speed, what is added to var(position), to cov(position, velocity) and to var(velocity).
    """
    made = []
    for persistence in persistence_s:
        steps = dt_s / persistence
        kept, gone = math.exp(-steps), -math.expm1(-steps)
        # Variance of the path: 2x - 3 + 4e^-x - e^-2x, which cancels to (2/3)x³ for short steps.
        path = steps**3 * (2 / 3) if steps < 1e-3 else 2 * steps - 3 + 4 * kept - kept * kept
        made.append((kept, persistence * gone, persistence**2 * path, persistence * gone**2, -math.expm1(-2 * steps)))
    kept, walked, path, turn, spread = np.array(made).T.copy()
    return kept, walked, path, turn, spread
