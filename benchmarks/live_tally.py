"""From single sightings to figures: how old frames were, how many were dropped, and what grows from cycle to cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.results import Figures

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Clock:
    """How the number in a picture tells when it was sent: frame k of n is sent at times t with floor(t fps) % n = k."""

    fps: float
    frames: int

    def age_s(self, number: int, unix_s: float) -> float:
        """Return how long before a time a frame was sent, seconds; right up to the length of the clip."""
        return float((unix_s - number / self.fps) % (self.frames / self.fps))


@dataclass(frozen=True)
class Sighting:
    """One frame at the sink."""

    stream_id: str
    unix_s: float
    age_s: float | None
    """None where no number could be read."""
    generation: int
    pts_ns: int

    @property
    def sent_s(self) -> float:
        """Return the unix time at which it was sent, minus infinity where that is unknown."""
        return float("-inf") if self.age_s is None else self.unix_s - self.age_s


@dataclass(frozen=True)
class Sample:
    """What a process holds after some cycles."""

    cycle: int
    rss_bytes: int
    threads: int
    open_files: int


def ages(sightings: Sequence[Sighting]) -> Figures:
    """Return the percentiles of ages, milliseconds; None without any.

    A frame without a readable number has no age: it is counted as `unread`.
    """
    known = [1e3 * one.age_s for one in sightings if one.age_s is not None]
    values = np.percentile(known, PERCENTILES).tolist() if known else [None] * len(PERCENTILES)
    figures = {f"p{name}_ms": _rounded(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return {**figures, "max_ms": _rounded(max(known, default=None)), "unread": len(sightings) - len(known)}


def level(sightings: Sequence[Sighting], offered_fps: float, window_s: float) -> Figures:
    """Return the figures of a load over a window of time.

    Args:
        sightings: frames at the sink within the window.
        offered_fps: frames that all cameras together send in a second. What was never read counts as dropped, too.
        window_s: its length.
    """
    processed_fps = len(sightings) / window_s
    return {
        **ages(sightings),
        "drop_rate": round(max(1 - processed_fps / offered_fps, 0.0), 4),
        "processed_fps": round(processed_fps, 2),
        "offered_fps": round(offered_fps, 2),
    }


def growth(samples: Sequence[Sample], since: int) -> Figures:
    """Return what grows over 1,000 cycles, by least squares over the samples from a cycle on.

    Args:
        samples: at least two with different cycles from there on; with fewer, figures are None.
        since: cycles before it are for warming up.
    """
    kept = [one for one in samples if one.cycle >= since]
    cycles = np.array([one.cycle for one in kept], np.float64)
    held: dict[str, Sequence[float]] = {
        "rss_mb_per_1000": [one.rss_bytes / 1e6 for one in kept],
        "threads_per_1000": [one.threads for one in kept],
        "open_files_per_1000": [one.open_files for one in kept],
    }
    enough = len(set(cycles.tolist())) > 1
    return {key: round(1e3 * slope(cycles, values), 4) if enough else None for key, values in held.items()}


def slope(xs: np.ndarray, ys: Sequence[float]) -> float:
    """Return the slope of the line through points that is nearest to them in y, by least squares."""
    centred = xs - xs.mean()
    return float(centred @ np.asarray(ys, np.float64) / (centred @ centred))


def violations(accounts: Mapping[str, Any]) -> list[str]:
    """Return one line for each account whose frames do not add up: in = out + dropped, with nothing in flight.

    Counted here from the numbers of a report, apart from what the engine finds by itself.

    Args:
        accounts: by name: frames `in`, `out`, `dropped` by cause, at the end of a run.
    """
    lines = []
    for name, account in accounts.items():
        missing = account["in"] - account["out"] - sum(account["dropped"].values())
        if missing:
            lines.append(f"{name}: {account['in']} frames came, {missing} of them neither went nor were dropped")
    return lines


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
