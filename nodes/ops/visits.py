"""Turn looks in single frames into visits: when one begins, goes on and ends.

Pure logic of one stream; time is its pts. Terms follow eye tracking: a *visit* is a run of hits on one target with
short gaps bridged; *dwell* is the part of it that was really spent looking. A hit covers the time from its frame to the
next one (a sample lasts one sample interval), so dwell is weighted by time and does not depend on the frame rate or on
dropped frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["started", "updated", "ended", "retracted"]


@dataclass(frozen=True)
class Rules:
    """When a run of hits is a visit. Times in nanoseconds."""

    min_look_ns: int
    """Dwell at which a visit starts."""
    max_gap_ns: int
    """Longest time from one hit to the next within a visit."""
    min_visit_ns: int
    """Dwell below which a visit that has started is taken back at its end."""
    update_ns: int
    """Time between updates of a visit that lasts; 0 for none."""
    enter_score: float
    """Hits below it do not count until the visit has started."""
    keep_score: float
    """Hits below it do not count once the visit has started."""


@dataclass(frozen=True)
class Change:
    """Something that became known of a visit. Times are pts in nanoseconds."""

    kind: Kind
    track_id: int
    target: str
    start_ns: int
    """pts of the first hit."""
    end_ns: int
    """pts of the last hit so far."""
    known_ns: int
    """pts of the frame that made it known."""
    dwell_ns: int
    score: float
    """Mean score of the hits so far."""
    update: int
    """1, 2, … for the updates of a visit; 0 for other kinds."""


@dataclass
class _Look:
    """A run of hits of one track on one target: a candidate, then a visit."""

    start_ns: int
    last_ns: int
    dwell_ns: int = 0
    score_sum: float = 0.0
    hits: int = 0
    entered: bool = False
    told_ns: int = 0
    """When something was last made known of it."""
    updates: int = 0

    def tell(self, kind: Kind, key: tuple[int, str], now_ns: int) -> Change:
        """Make known how things stand now."""
        self.told_ns = now_ns
        return Change(
            kind=kind,
            track_id=key[0],
            target=key[1],
            start_ns=self.start_ns,
            end_ns=self.last_ns,
            known_ns=now_ns,
            dwell_ns=self.dwell_ns,
            score=self.score_sum / self.hits,
            update=self.updates if kind == "updated" else 0,
        )


class VisitMachine:
    """The visits of one generation of one stream.

    A frame first closes the time since the frame before it, then ends what was not hit for longer than the gap, then
    takes its own hits. Changes of a frame come in this order, each part sorted by track and target.

    An interval between frames that is longer than the gap is a hole: nothing is known of it, so visits end at it, and
    a hit before it counts for as long as the interval before that one. So does the hit in the last frame of all.
    """

    def __init__(self) -> None:
        self._looks: dict[tuple[int, str], _Look] = {}
        self._last_ns: int | None = None
        self._step_ns = 0

    def frame(self, pts_ns: int, hits: Iterable[tuple[int, str, float]], rules: Rules) -> list[Change]:
        """Take the hits of one frame as (track id, target, score) and return what became known.

        `pts_ns` rises from call to call. A (track, target) given twice counts once, with its highest score.
        """
        if self._last_ns is not None:
            interval_ns = pts_ns - self._last_ns
            self._step_ns = interval_ns if interval_ns <= rules.max_gap_ns else self._step_ns
        changes = self._close_time(pts_ns, rules, everything=False)
        for key, score in _best(hits).items():
            look = self._looks.get(key)
            if score < (rules.keep_score if look is not None and look.entered else rules.enter_score):
                continue
            if look is None:
                look = self._looks[key] = _Look(start_ns=pts_ns, last_ns=pts_ns)
            look.last_ns = pts_ns
            look.score_sum += score
            look.hits += 1
            if look.entered and 0 < rules.update_ns <= pts_ns - look.told_ns:
                look.updates += 1
                changes.append(look.tell("updated", key, pts_ns))
        self._last_ns = pts_ns
        return changes

    def end(self, rules: Rules) -> list[Change]:
        """End everything, as at the end of the stream, and return what became known by that."""
        changes = [] if self._last_ns is None else self._close_time(self._last_ns, rules, everything=True)
        self._looks.clear()
        return changes

    def _close_time(self, now_ns: int, rules: Rules, everything: bool) -> list[Change]:
        """Add the time since the last frame to the looks it hit; start and end visits."""
        changes = []
        for key, look in sorted(self._looks.items()):
            if look.last_ns == self._last_ns:
                look.dwell_ns += self._step_ns
            if not look.entered and look.dwell_ns >= rules.min_look_ns:
                look.entered = True
                changes.append(look.tell("started", key, now_ns))
            if everything or now_ns - look.last_ns > rules.max_gap_ns:
                del self._looks[key]
                if look.entered:
                    kind: Kind = "ended" if look.dwell_ns >= rules.min_visit_ns else "retracted"
                    changes.append(look.tell(kind, key, now_ns))
        return changes


def _best(hits: Iterable[tuple[int, str, float]]) -> dict[tuple[int, str], float]:
    best: dict[tuple[int, str], float] = {}
    for track_id, target, score in sorted(hits):
        best[track_id, target] = score  # sorted, so the highest score of a pair comes last
    return best
