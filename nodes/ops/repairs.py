"""Visits as they should have been told when the tracker finds out who was who.

Corrections change the hits that are remembered. The looks that have to do with them are followed anew from where memory
begins, by the same rules as before, and compared with what was told: a visit of which all that was told still holds
stays; any other is taken back; what is missing is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy

from nodes.ops.looks import Look, follow, over
from nodes.ops.told import Change, Frame, Pair, Told

PERSON = "person:"


class Renaming:
    """The corrections of one frame, all of which hold at once.

    A correction (a, s, b) says that what was known of track a from s until now is of track b. Where several take from
    one track, the one with the latest s that is not after a moment counts at that moment.
    """

    def __init__(self, corrections: Iterable[tuple[int, int, int]]) -> None:
        """Take (taken from, since in ns, track id)."""
        self._owners: dict[int, list[tuple[int, int]]] = {}
        for taken_from, since_ns, track_id in sorted(corrections):
            self._owners.setdefault(taken_from, []).insert(0, (since_ns, track_id))  # latest first
        self._people = {f"{PERSON}{track_id}": track_id for track_id in self._owners}
        self.since_ns = min((owners[-1][0] for owners in self._owners.values()), default=0)

    def concerns(self, pair: Pair) -> bool:
        """Tell whether hits of a pair may have to be renamed."""
        return pair.track_id in self._owners or pair.target in self._people

    def of(self, pair: Pair, pts_ns: int) -> tuple[int, str] | None:
        """Return whose look at what a hit was at that time; None where somebody would look at themselves."""
        track_id, target = self._owner(pair.track_id, pts_ns), pair.target
        if target in self._people:
            target = f"{PERSON}{self._owner(self._people[target], pts_ns)}"
        return None if target == f"{PERSON}{track_id}" else (track_id, target)

    def _owner(self, track_id: int, pts_ns: int) -> int:
        owners = self._owners.get(track_id, ())
        return next((owner for since_ns, owner in owners if since_ns <= pts_ns), track_id)


def rename(
    history: Sequence[Frame], pairs: dict[tuple[int, str], Pair], names: Renaming, since_ns: int
) -> dict[Pair, list[Pair]]:
    """Rename hits in place.

    Args:
        history: what is remembered, oldest first.
        pairs: by key; pairs that are missing are added.
        names: who was who.
        since_ns: hits before it are left alone.

    Returns:
        The pairs that lost or got hits, ordered by track and target, each with those it got them from.
    """
    suspects = [pair for pair in pairs.values() if names.concerns(pair)]
    givers: dict[Pair, list[Pair]] = {}
    for frame in reversed(history):
        if frame.pts_ns < max(names.since_ns, since_ns):
            break
        moved = []
        for pair in suspects:
            if pair in frame.hits:
                key = names.of(pair, frame.pts_ns)
                if key != pair.key():
                    moved.append((key, pair, frame.hits.pop(pair)))
        for key, pair, score in moved:
            givers.setdefault(pair, [])
            if key is not None:
                taker = pairs.setdefault(key, Pair(*key, history[-1]))
                frame.hits[taker] = max(score, frame.hits.get(taker, score))
                others = givers.setdefault(taker, [])
                if pair not in others:
                    others.append(pair)
    for pair in givers:
        pair.touched = history[-1]
    history[-1].repaired.extend(givers)
    return dict(sorted(givers.items(), key=lambda item: item[0].key()))


def repair(givers: dict[Pair, list[Pair]], history: Sequence[Frame], now: Frame) -> tuple[list[Change], list[Change]]:
    """Follow the looks of pairs anew, after their hits were renamed.

    Args:
        givers: the pairs, each with those it got hits from.
        history: what is remembered, oldest first; all frames are over.
        now: the frame that follows.

    Returns:
        What is taken back, and what is told instead.
    """
    back: list[Change] = []
    looks: dict[Pair, list[Look]] = {}
    gone: dict[Pair, list[Told]] = {}
    for pair in givers:
        looks[pair], stands = _followed(pair, history)
        ended = [look for look in looks[pair] if _over(look, looks[pair], now) and not look.too_short()]
        facts = {look.start_ns: look.facts() for look in ended}
        gone[pair] = list(pair.owed)
        for visit in pair.told:
            holds = stands if visit.state == "open" else facts.get(visit.start_ns) == visit.facts
            if visit.state != "retracted" and not holds:
                back.append(pair.take_back(visit, now.pts_ns))
                gone[pair].append(visit)
    told: list[Change] = []
    for pair, others in givers.items():
        replaceable = [visit for giver in (pair, *others) for visit in gone[giver]]
        told += _told_anew(pair, looks[pair], replaceable, now)
    return back, told


def _followed(pair: Pair, history: Iterable[Frame]) -> tuple[list[Look], bool]:
    """Return the looks of a pair from where memory begins, and whether what was told of the open visit holds."""
    look, visit = copy(pair.base), pair.visit
    looks = [] if look is None else [look]
    stands = bool(look and visit and look.start_ns == visit.start_ns and look.end_ns >= visit.facts.end_ns)
    for frame in history:
        if pair not in frame.hits:
            continue
        look = follow(look, frame, frame.hits[pair])
        if look is not None and (not looks or looks[-1] is not look):
            looks.append(look)
        if look and visit and look.entered and (look.start_ns, look.end_ns) == (visit.start_ns, visit.facts.end_ns):
            stands = stands or look.facts() == visit.facts
    return looks, stands


def _told_anew(pair: Pair, looks: list[Look], gone: list[Told], now: Frame) -> list[Change]:
    """Bring what is told of a pair in line with its looks; `gone` are visits taken back that these may stand for."""
    changes: list[Change] = []
    standing = {visit.start_ns: visit for visit in pair.told if visit.state != "retracted"}
    pair.look, pair.visit, pair.owed = None, None, []
    for look in looks:
        is_over, visit = _over(look, looks, now), standing.get(look.start_ns)
        if (visit.state == "ended") if visit else (is_over and look.too_short()):
            continue
        replaced = [each for each in gone if each.start_ns < look.end_ns and look.start_ns < each.facts.end_ns]
        if visit is not None:
            pair.visit = visit
            visit.replaces += tuple(each.name for each in replaced)
        elif look.entered:
            changes.append(pair.begin(look, now.pts_ns, replaced))
        if is_over:
            changes += pair.finish(look, "looked_away", now.pts_ns)
        else:
            pair.look, pair.owed = look, [] if look.entered else replaced
    return changes


def _over(look: Look, looks: list[Look], now: Frame) -> bool:
    return look is not looks[-1] or over(look, now)
