"""Follow the looks of one person at one target: when a run of hits begins, goes on and is over.

Pure logic; time is the pts of a stream. Terms follow eye tracking: a *look* here is a run of hits with short gaps
bridged, *dwell* the part of it that was really spent looking, a *fixation* a part without a gap that lasts long enough.
A hit stands for the time from its frame to the next one (a sample lasts one sample interval), so everything is weighted
by time and depends neither on the frame rate nor on dropped frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Rules:
    """When a run of hits is a visit, and what is a fixation. Times in nanoseconds."""

    min_look_ns: int
    """Expected looking (`Look.weight`) at which a visit starts."""
    max_gap_ns: int
    """Longest time without looking within a visit, and longest time between two frames that says anything."""
    min_visit_ns: int
    """Expected looking below which a visit that has started is taken back at its end."""
    update_ns: int
    """Time between updates of a visit that lasts; 0 for none."""
    enter_score: float
    """Hits below it do not count until the visit has started."""
    keep_score: float
    """Hits below it do not count once the visit has started."""
    keep_share: float
    """Nor do hits below this share of the look's best one."""
    fixation_gap_ns: int
    """Longest time without looking within a fixation."""
    min_fixation_ns: int
    """Time of looking that makes a fixation."""


@dataclass(slots=True, eq=False)
class Moment:
    """What a frame stands for: the time from its pts to the next one."""

    pts_ns: int
    part: int
    """Count of the holes before it: no look goes on across one."""
    rules: Rules
    end_ns: int = 0
    """Known when the next frame comes."""


class Facts(NamedTuple):
    """How things stand with a look."""

    end_ns: int
    dwell_ns: int
    fixations: int
    fixation_ns: int
    score: float
    """Mean score of the hits, weighted by time."""


@dataclass(slots=True, eq=False)
class Look:
    """A run of hits: a candidate, then a visit."""

    start_ns: int
    part: int
    rules: Rules
    """Those of its last frame."""
    end_ns: int
    dwell_ns: int = 0
    weight: float = 0.0
    """Expected looking: sum of probabilities times nanoseconds."""
    best: float = 0.0
    """Highest probability of its hits."""
    steady_ns: int = 0
    """Looking since the last gap that ends a fixation."""
    fixating: bool = False
    """Whether that is a fixation already, and counted."""
    fixations: int = 0
    fixation_ns: int = 0
    entered: bool = False

    def facts(self) -> Facts:
        """Return how things stand. A look that has entered has lasted some time."""
        return Facts(self.end_ns, self.dwell_ns, self.fixations, self.fixation_ns, self.weight / self.dwell_ns)

    def too_short(self) -> bool:
        """Tell whether it is no visit if it is over."""
        return not self.entered or self.weight < self.rules.min_visit_ns


def over(last: Look | Moment, now: Moment) -> bool:
    """Tell whether a look, or those of a moment, cannot go on any more: the gap is too long, or there is a hole."""
    return last.part != now.part or now.pts_ns - last.end_ns > now.rules.max_gap_ns


def follow(look: Look | None, moment: Moment, score: float) -> Look | None:
    """Return the look that goes on after a hit, the same one where it is; one that is over by then is left behind."""
    rules = moment.rules
    if look is not None and over(look, moment):
        look = None
    if score < (rules.keep_score if look is not None and look.entered else rules.enter_score):
        return look
    if look is not None and score < rules.keep_share * look.best:
        return look
    if look is None:
        look = Look(moment.pts_ns, moment.part, rules, moment.pts_ns)
    elif moment.pts_ns - look.end_ns > rules.fixation_gap_ns:
        look.steady_ns, look.fixating = 0, False
    lasted_ns = moment.end_ns - moment.pts_ns
    look.rules = rules
    look.end_ns = moment.end_ns
    look.dwell_ns += lasted_ns
    look.weight += score * lasted_ns
    look.best = max(look.best, score)
    look.steady_ns += lasted_ns
    if look.fixating:
        look.fixation_ns += lasted_ns
    elif look.steady_ns >= rules.min_fixation_ns:
        look.fixating = True
        look.fixations += 1
        look.fixation_ns += look.steady_ns
    if not look.entered:
        look.entered = look.dwell_ns > 0 and look.weight >= rules.min_look_ns
    return look
