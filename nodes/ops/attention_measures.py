"""The measures of attention in one window of time, from the facts that belong to it; docs/events.md defines them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nodes.ops.attention import STREAM, Fact
from nodes.ops.presence import Interval, overlap


class Figure(NamedTuple):
    """One number of one window."""

    measure: str
    target: str
    to: str
    value: float


@dataclass
class Tally:
    """The facts of one window, added up."""

    sums: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By kind of fact, target and next target."""
    first_looks_ns: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """How long people had been in view when they first looked, by target."""

    def add(self, told: Iterable[Fact], window: Interval, until_ns: int) -> None:
        """Add what of some facts belongs to a window that was filmed until `until_ns`."""
        for fact in told:
            key = fact.of, fact.target, fact.to
            if fact.of == "presence":
                self.sums[key] += overlap((fact.start_ns, fact.end_ns), window)
            elif fact.of == "looking":
                self.sums[key] += fact.start_ns < until_ns <= fact.end_ns
            elif window[0] <= fact.start_ns < window[1]:
                if fact.of == "first_look":
                    self.first_looks_ns[fact.target].append(fact.amount)
                self.sums[key] += fact.amount

    def plus(self, told: Iterable[Fact], window: Interval, until_ns: int) -> Tally:
        """Return a tally with more facts in it; this one stays as it is."""
        made = Tally(Counter(self.sums))
        for target, times_ns in self.first_looks_ns.items():
            made.first_looks_ns[target] = list(times_ns)
        made.add(told, window, until_ns)
        return made


def figures(tally: Tally, targets: Collection[str], covered_ns: int) -> list[Figure]:
    """Return the measures of a window: of the stream, then of each target, then transitions, always in this order.

    Args:
        tally: the facts of the window.
        targets: those to report even when nobody looked.
        covered_ns: how much of the window was filmed.
    """
    looked_at = {target for (_, target, _), amount in tally.sums.items() if amount and target != STREAM}
    made = [Figure("covered_s.1", "", "", covered_ns / 10**9), Figure("ots.1", "", "", tally.sums["ots", STREAM, ""])]
    for target in (STREAM, *sorted(looked_at.union(targets))):
        made += [Figure(measure, target, "", value) for measure, value in _measures(tally, target)]
    for (of, target, to), amount in sorted(tally.sums.items()):
        if of == "transitions" and amount:
            made.append(Figure("transitions.1", target, to, amount))
    return made


def _measures(tally: Tally, target: str) -> Iterator[tuple[str, float]]:
    def total(of: str, target: str = target) -> int:
        return tally.sums[of, target, ""]

    yield "watchers.1", total("watchers")
    if total("ots", STREAM):
        yield "conversion.1", total("watchers") / total("ots", STREAM)
    yield "attention_s.1", total("attention") / 10**9
    yield "presence_s.1", (total("presence_before") + total("presence")) / 10**9
    yield "visits.1", total("visits")
    if total("visits"):
        yield "visit_mean_s.1", total("attention") / total("visits") / 10**9
    yield "revisits.1", total("revisits")
    yield "glances.1", total("glances")
    yield "fixations.1", total("fixations")
    if total("fixations"):
        yield "fixation_mean_s.1", total("fixation") / total("fixations") / 10**9
    if times_ns := sorted(tally.first_looks_ns.get(target, ())):
        middle = times_ns[(len(times_ns) - 1) // 2] + times_ns[len(times_ns) // 2]
        yield "first_look_mean_s.1", sum(times_ns) / len(times_ns) / 10**9
        yield "first_look_median_s.1", middle / 2 / 10**9
    if target != STREAM:
        yield "first_looks.1", total("first_looks")
        if total("watchers", STREAM):
            yield "first_look_share.1", total("first_looks") / total("watchers", STREAM)
    yield "looking_now.1", total("looking")
