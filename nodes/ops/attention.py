"""What the visits and the presence of people add to measures of attention.

Each visit, each first look at something, each stay in view is a *fact* with a time; a measure of a window is a sum over
the facts of its time, or a ratio of such sums. So figures add up over windows, and what a person adds can be told anew
when the tracker repairs an identity. Pure logic; times are pts in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

from nodes.ops.presence import Interval, cut, joined, length, reached

STREAM = ""
"""Stands in the place of a target for the whole stream."""
STILL = 2**63 - 1
"""End of a visit that has not ended: later than any pts."""


class Fact(NamedTuple):
    """Something that adds to a measure: at a moment, or while it lasts."""

    of: str
    """`presence`: its time counts, where it was spent. `looking`: counts where the film of a window ends within it.
    All others count in the window in which they begin, whole."""
    target: str
    to: str
    start_ns: int
    end_ns: int
    amount: int


@dataclass(frozen=True)
class Visit:
    """A visit as it was told last."""

    id: str
    target: str
    start_ns: int
    end_ns: int
    dwell_ns: int
    fixations: int
    fixation_ns: int
    ended_ns: int | None
    """pts of the frame that made its end known; None while it lasts."""


@dataclass
class Person:
    """What is known of one track: all of it lately, and of what can no longer change only what later facts need."""

    visits: dict[str, Visit] = field(default_factory=dict)
    seen: list[Interval] = field(default_factory=list)
    """When it was seen; gaps not filled yet."""
    first_ns: int | None = None
    """First sight, if that is settled."""
    seen_ns: int = 0
    """Settled time in view."""
    had_opportunity: bool = False
    watched: set[str] = field(default_factory=set)
    """Targets of settled visits."""
    last: str | None = None
    """Target of the last settled visit."""


def group_of(target: str) -> str:
    """Return under which name a target is measured: people, and objects of one kind, are taken together."""
    head, _, rest = target.partition(":")
    if head == "person" and rest:
        return "person:*"
    if head == "object" and rest:
        return f"object:{rest.rpartition(':')[0] or rest}:*"
    return target


def facts(person: Person, min_presence_ns: int, max_gap_ns: int) -> Iterator[Fact]:
    """Tell what a person adds to measures, beyond what is settled.

    Args:
        person: visits and presence.
        min_presence_ns: time in view that is an opportunity to see.
        max_gap_ns: gaps in sight up to this long are presence.
    """
    seen = joined(person.seen, max_gap_ns)
    visits = _ordered(person.visits.values())
    first_ns = _first_sight(person)
    for target in sorted(person.watched):
        yield from (Fact("presence", target, "", start, end, 1) for start, end in seen)
    watched, last = set(person.watched), person.last
    for visit in visits:
        start_ns, group = visit.start_ns, visit.target
        yield _at(start_ns, "first_looks", group) if last is None else _at(start_ns, "transitions", last, to=group)
        again = group in watched
        for target in (group, STREAM):
            yield _at(start_ns, "visits", target)
            yield _at(start_ns, "attention", target, visit.dwell_ns)
            yield _at(start_ns, "fixations", target, visit.fixations)
            yield _at(start_ns, "fixation", target, visit.fixation_ns)
            yield _at(start_ns, "glances", target, int(visit.fixations == 0))
            yield _at(start_ns, "revisits", target, int(again))
            yield Fact("looking", target, "", start_ns, STILL if visit.ended_ns is None else visit.end_ns, 1)
            if target not in watched:
                watched.add(target)
                before, after = cut(seen, start_ns)
                yield _at(start_ns, "watchers", target)
                yield _at(start_ns, "presence_before", target, person.seen_ns + length(before))
                yield from (Fact("presence", target, "", start, end, 1) for start, end in after)
                if first_ns is not None and first_ns <= start_ns:
                    yield _at(start_ns, "first_look", target, start_ns - first_ns)
        last = group
    if not person.had_opportunity:
        moments = [visits[0].start_ns] if visits else []
        in_time_ns = reached(seen, min_presence_ns - person.seen_ns)
        if (moment := min(moments if in_time_ns is None else [*moments, in_time_ns], default=None)) is not None:
            yield _at(moment, "ots", STREAM)


def settle(person: Person, horizon_ns: int, min_presence_ns: int, max_gap_ns: int) -> list[Fact]:
    """Take off a person what can no longer change, and return the facts of it.

    That is what is older than the horizon, and comes before any visit that still lasts or ended after the horizon.
    The facts that are left plus those returned are the same as before.
    """
    visits = _ordered(person.visits.values())
    done = list(takewhile(lambda visit: visit.ended_ns is not None and visit.ended_ns <= horizon_ns, visits))
    left = visits[len(done) :]
    until_ns = min(horizon_ns, left[0].start_ns if left else horizon_ns)
    before, filled = cut(joined(person.seen, max_gap_ns), until_ns)
    _, after = cut(person.seen, until_ns)
    if after and filled[0][0] < after[0][0]:  # within a gap: what is left of it can be filled no more
        after.insert(0, (filled[0][0], after[0][0]))
    old = Person(
        {visit.id: visit for visit in done},
        before,
        _first_sight(person),
        person.seen_ns,
        person.had_opportunity,
        person.watched,
        person.last,
    )
    told = list(facts(old, min_presence_ns, max_gap_ns))
    person.visits = {visit.id: visit for visit in left}
    final = [one for one in after if one[1] <= horizon_ns]  # a visit may last for hours: gaps before the horizon stay
    person.seen = [*joined(final, max_gap_ns), *after[len(final) :]]
    if person.first_ns is None and before:
        person.first_ns = before[0][0]
    person.seen_ns += length(before)
    person.had_opportunity |= any(fact.of == "ots" for fact in told)
    if done:
        person.watched = person.watched | {visit.target for visit in done} | {STREAM}
        person.last = done[-1].target
    return told


def _at(at_ns: int, of: str, target: str, amount: int = 1, to: str = "") -> Fact:
    return Fact(of, target, to, at_ns, at_ns, amount)


def _first_sight(person: Person) -> int | None:
    """Return when somebody was first seen; None when never."""
    return person.first_ns if person.first_ns is not None else min(person.seen, default=(None,))[0]


def _ordered(visits: Iterable[Visit]) -> list[Visit]:
    return sorted(visits, key=lambda visit: (visit.start_ns, visit.target, visit.id))
