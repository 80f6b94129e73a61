"""Measures of attention worked out from all visits and all presence at once, as docs/events.md defines them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

TICK = 10**7
"""All times are multiples of it, nanoseconds."""


@dataclass(frozen=True)
class Seen:
    """A visit that was never taken back."""

    id: str
    track_id: int
    target: str
    start_ns: int
    end_ns: int
    dwell_ns: int
    fixations: int
    fixation_ns: int


def presence(samples: Iterable[tuple[int, int]], max_gap_ns: int) -> list[int]:
    """Return the moments, a TICK apart, at which somebody was in view, gaps filled."""
    found: set[int] = set()
    last = None
    for start, end in sorted(samples):
        if last is not None and start - last <= max_gap_ns:
            found.update(range(last, start, TICK))
        found.update(range(start, end, TICK))
        last = max(end, last or end)
    return sorted(found)


def measured(
    window: tuple[int, int],
    visits: Sequence[Seen],
    in_view: dict[int, list[int]],
    min_presence_ns: int,
    until_ns: int,
) -> dict[tuple[str, str, str], float]:
    """Return all measures of a window that are not 0; it was filmed until `until_ns`."""
    made: dict[tuple[str, str, str], float] = defaultdict(float)
    start, end = window
    by_track: dict[int, list[Seen]] = defaultdict(list)
    for visit in sorted(visits, key=lambda visit: (visit.start_ns, visit.target, visit.id)):
        by_track[visit.track_id].append(visit)
    inside = [visit for visit in visits if start <= visit.start_ns < end]
    opportunities = [
        moment
        for track in by_track.keys() | in_view.keys()
        if (moment := opportunity(by_track[track], in_view.get(track, []), min_presence_ns)) is not None
    ]
    made["ots.1", "", ""] = ots = sum(start <= moment < end for moment in opportunities)
    firsts = [own[0] for own in by_track.values() if own and start <= own[0].start_ns < end]
    for target in {"", *(visit.target for visit in visits)}:
        of = [visit for visit in visits if target in ("", visit.target)]
        here = [visit for visit in inside if target in ("", visit.target)]
        first: dict[int, Seen] = {}
        for visit in sorted(of, key=lambda visit: (visit.start_ns, visit.target, visit.id)):
            first.setdefault(visit.track_id, visit)
        watchers = [visit for visit in first.values() if start <= visit.start_ns < end]
        waits = [
            (visit.start_ns - in_view[visit.track_id][0]) / 1e9
            for visit in watchers
            if visit.start_ns >= min(in_view.get(visit.track_id, [visit.start_ns + 1]))
        ]
        fixations = sum(visit.fixations for visit in here)
        figures = {
            "watchers.1": len(watchers),
            "conversion.1": len(watchers) / ots if ots else 0,
            "attention_s.1": sum(visit.dwell_ns for visit in here) / 1e9,
            "presence_s.1": sum(in_view_here(in_view.get(track, []), visit, window) for track, visit in first.items()),
            "visits.1": len(here),
            "visit_mean_s.1": mean([visit.dwell_ns / 1e9 for visit in here] or [0]),
            "revisits.1": sum(repeated(visit, by_track[visit.track_id]) for visit in here),
            "glances.1": sum(visit.fixations == 0 for visit in here),
            "fixations.1": fixations,
            "fixation_mean_s.1": sum(visit.fixation_ns for visit in here) / max(fixations, 1) / 1e9 * bool(fixations),
            "first_look_mean_s.1": mean(waits or [0]),
            "first_look_median_s.1": median(waits or [0]),
            "looking_now.1": sum(visit.start_ns < until_ns <= visit.end_ns for visit in of),
        }
        if target:
            own = sum(visit.target == target for visit in firsts)
            figures |= {"first_looks.1": own, "first_look_share.1": own / len(firsts) if firsts else 0}
        for measure, value in figures.items():
            made[measure, target, ""] = value
    for looks in by_track.values():
        for one, other in pairwise(looks):
            made["transitions.1", one.target, other.target] += start <= other.start_ns < end
    return {key: value for key, value in made.items() if value}


def opportunity(own: list[Seen], in_view: list[int], min_presence_ns: int) -> int | None:
    moments = [own[0].start_ns] if own else []
    if len(in_view) * TICK >= min_presence_ns:
        moments.append(in_view[min_presence_ns // TICK - 1])
    return min(moments, default=None)


def in_view_here(in_view: list[int], first: Seen, window: tuple[int, int]) -> float:
    """Return seconds in view: those before the first look count where that was, others where they were."""
    counted = [max(moment, first.start_ns) for moment in in_view]
    return sum(window[0] <= moment < window[1] for moment in counted) * TICK / 1e9


def repeated(visit: Seen, own: list[Seen]) -> bool:
    return any(other.target == visit.target for other in own[: own.index(visit)])
