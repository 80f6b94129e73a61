"""Minutes of four streams at what the graph can take: ages and drops stay as they are, and nothing grows."""

from __future__ import annotations

import math
import tempfile
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from benchmarks.live_churn import sample
from benchmarks.live_load import SMALL_WH, Lengths, running, saturate
from benchmarks.live_tally import Sighting, ages, growth, level
from benchmarks.results import Figures

SOAK_STREAMS = 4
LOOK_S = 0.5


class Kept:
    """Times and ages of many frames in little memory: what grows in minutes shall not be our own list."""

    def __init__(self) -> None:
        self._unix_s, self._age_s = array("d"), array("d")

    def keep(self, sightings: Sequence[Sighting]) -> None:
        """Keep some more."""
        self._unix_s.extend(one.unix_s for one in sightings)
        self._age_s.extend(math.nan if one.age_s is None else one.age_s for one in sightings)

    def sightings(self) -> list[Sighting]:
        """Return all that were kept, without stream and place in it."""
        both = zip(self._unix_s, self._age_s, strict=True)
        return [Sighting("", unix_s, None if math.isnan(age_s) else age_s, 0, 0) for unix_s, age_s in both]


def soak(lengths: Lengths, one_x: float | None) -> Figures:
    """Run four streams at 1× for minutes.

    Args:
        lengths: how long.
        one_x: frames a second; None to find out first.

    Returns:
        As a level, and what memory, threads and open files did: growth for each 1,000 s of the second half.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, violations = Path(name), []
        if one_x is None:
            one_x, found = saturate(folder, lengths)
            violations += found.violations
        kept, samples = Kept(), []
        with running(folder, SMALL_WH, SOAK_STREAMS, one_x) as (run, eye, _):
            time.sleep(lengths.warm_s)
            eye.taken()
            began_s = time.time()
            while (at_s := time.time() - began_s) < lengths.soak_s:
                samples.append(sample(round(at_s)))
                time.sleep(LOOK_S)
                kept.keep(eye.taken())
            ended_s = time.time()
        seen = kept.sightings()
    grown = {key.replace("1000", "1000_s"): value for key, value in growth(samples, round(lengths.soak_s / 2)).items()}
    return {
        **level(seen, one_x, ended_s - began_s),
        **grown,
        "seconds": round(ended_s - began_s),
        "rss_mb_first": round(samples[0].rss_bytes / 1e6, 1),
        "rss_mb_last": round(samples[-1].rss_bytes / 1e6, 1),
        "quarters": [_quarter(seen, began_s, ended_s, part) for part in range(4)],
        "streams": SOAK_STREAMS,
        "one_x_fps": one_x,
        "violations": [*violations, *run.violations],
    }


def _quarter(seen: list[Sighting], began_s: float, ended_s: float, part: int) -> float | None:
    """Return the p95 age of a quarter of the time, milliseconds."""
    length_s = (ended_s - began_s) / 4
    from_s = began_s + part * length_s
    p95_ms: float | None = ages([one for one in seen if from_s <= one.unix_s < from_s + length_s])["p95_ms"]
    return p95_ms
