"""Turn looks in single frames into visits: when one begins, goes on and ends, and what is taken back.

What a visit is stands in `nodes.ops.looks`. Here it is told as it becomes known, and told anew when the tracker finds
out who was who.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from nodes.ops.looks import Facts, Look, Moment, Rules, follow
from nodes.ops.renaming import Renaming

Kind = Literal["started", "updated", "ended", "retracted"]
Reason = Literal["", "looked_away", "stream_ended", "discontinuity", "too_short", "identity"]


@dataclass(frozen=True)
class Change:
    """Something that became known of a visit. Times are pts in nanoseconds."""

    kind: Kind
    reason: Reason
    visit: str
    """`<track>/<target>/<first pts>`, with `~<n>` when it is told anew for the n-th time."""
    update: int
    """1, 2, … for the updates of a visit; 0 for other kinds."""
    replaces: tuple[str, ...]
    """Visits taken back before, whose looks are looks of this one."""
    track_id: int
    target: str
    start_ns: int
    """pts of the first hit."""
    known_ns: int
    end_ns: int
    """When what the last hit so far stands for was over."""
    dwell_ns: int
    fixations: int
    fixation_ns: int
    score: float
    """Mean score of the hits so far, weighted by time."""


@dataclass(slots=True, eq=False)
class _Visit:
    """What was told of a visit."""

    name: str
    start_ns: int
    facts: Facts
    """As last told."""
    state: Literal["open", "ended", "retracted"] = "open"
    told_ns: int = 0
    updates: int = 0
    replaces: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Pair:
    """What is held of one track and one target."""

    track_id: int
    target: str
    touched: _Frame
    """The last frame in which anything happened to it."""
    look: Look | None = None
    """As things stand now."""
    base: Look | None = None
    """As things stood before the oldest frame that is remembered."""
    visit: _Visit | None = None
    """The one that is told and open: that of `look`."""
    told: list[_Visit] = field(default_factory=list)
    """All visits that are not wholly before the frames that are remembered, in the order in which they were told."""
    owed: list[_Visit] = field(default_factory=list)
    """Taken back, to be named by the visit that `look` may become."""

    def key(self) -> tuple[int, str]:
        return self.track_id, self.target

    def begin(self, look: Look, now_ns: int, replaced: Iterable[_Visit]) -> Change:
        """Tell that a visit has started."""
        name = f"{self.track_id}/{self.target}/{look.start_ns}"
        times = sum(visit.start_ns == look.start_ns for visit in self.told)
        self.visit = _Visit(f"{name}~{times}" if times else name, look.start_ns, look.facts())
        self.visit.replaces = tuple(visit.name for visit in replaced)
        self.told.append(self.visit)
        return self.tell(self.visit, "started", "", look.facts(), now_ns)

    def finish(self, look: Look, reason: Reason, now_ns: int) -> list[Change]:
        """Tell that the look is over, if anything was told of it, and forget it."""
        visit, self.visit, self.look, self.owed = self.visit, None, None, []
        if visit is None:
            return []
        if look.too_short():
            visit.state = "retracted"
            return [self.tell(visit, "retracted", "too_short", look.facts(), now_ns)]
        visit.state = "ended"
        return [self.tell(visit, "ended", reason, look.facts(), now_ns)]

    def tell(self, visit: _Visit, kind: Kind, reason: Reason, facts: Facts, now_ns: int) -> Change:
        """Tell how things stand."""
        visit.facts, visit.told_ns = facts, now_ns
        visit.updates += kind == "updated"
        return Change(
            kind,
            reason,
            visit.name,
            visit.updates if kind == "updated" else 0,
            visit.replaces,
            self.track_id,
            self.target,
            visit.start_ns,
            now_ns,
            *facts,
        )


@dataclass(slots=True, eq=False)
class _Frame(Moment):
    """A frame that is remembered."""

    hits: dict[_Pair, float] = field(default_factory=dict)
    repaired: list[_Pair] = field(default_factory=list)
    """Pairs whose looks were corrected when this was the last frame."""


class VisitMachine:
    """The visits of one generation of one stream.

    A frame says how long the frame before it lasted, so the hits of that one are counted now; then what was not hit for
    longer than the gap ends. Changes of a frame are sorted by track and target, what is taken back because of a wrong
    identity before all others.

    An interval between frames that is longer than the gap is a hole: nothing is known of it, so visits end at it, and
    a hit before it counts for as long as the interval before that one. So does the hit in the last frame of all.

    Corrections change the hits that are remembered. The looks that have to do with them are followed anew from where
    memory begins, by the same rules, and compared with what was told: a visit of which all that was told still holds
    stays; any other is taken back; what is missing is told.
    """

    def __init__(self, repair_ns: int) -> None:
        """Remember the hits of that many nanoseconds, so that they can be given to another track."""
        self._repair_ns = repair_ns
        self._pairs: dict[tuple[int, str], _Pair] = {}
        self._last: _Frame | None = None
        self._history: deque[_Frame] = deque()
        self._recent: deque[_Frame] = deque()
        """The end of the history: frames whose hits may belong to looks that go on."""
        self._part = 0
        self._step_ns = 0

    def frame(
        self,
        pts_ns: int,
        hits: Iterable[tuple[tuple[int, str], float]],
        rules: Rules,
        corrections: Sequence[tuple[int, int, int]] = (),
    ) -> list[Change]:
        """Take one frame and return what became known.

        Args:
            pts_ns: rises from call to call.
            hits: ((track id, target), score); a pair given twice counts once, with its highest score.
            rules: what holds from this frame on.
            corrections: (taken from, since in ns, track id): hits before this frame that were of another track.
        """
        changes: list[Change] = []
        first: list[Change] = []
        if self._last is not None:
            interval_ns = pts_ns - self._last.pts_ns
            hole = interval_ns > rules.max_gap_ns
            self._part += hole
            self._step_ns = self._step_ns if hole else interval_ns
            self._last.end_ns = self._last.pts_ns + self._step_ns
            repaired = self._renamed(self._last, Renaming(corrections), pts_ns) if corrections else {}
            if repaired:
                first, changes = self._repair(repaired, pts_ns, rules)
            changes += self._count(self._last, pts_ns, repaired)
            changes += self._expire(pts_ns, rules)
            self._forget(pts_ns, max(self._repair_ns, rules.max_gap_ns))
        self._last = _Frame(pts_ns, self._part, rules)
        self._take(self._last, hits)
        return first + sorted(changes, key=_place)

    def end(self, reason: Reason) -> list[Change]:
        """End everything, as at the end of the stream, and return what became known by that. Nothing may follow."""
        changes: list[Change] = []
        if self._last is not None:
            now_ns = self._last.end_ns = self._last.pts_ns + self._step_ns
            changes += self._count(self._last, now_ns, {}, updates=False)
            for pair in self._pairs.values():
                if pair.look is not None:
                    changes += pair.finish(pair.look, reason, now_ns)
        return sorted(changes, key=_place)

    def _take(self, frame: _Frame, hits: Iterable[tuple[tuple[int, str], float]]) -> None:
        """Keep the hits of a frame that can count; how long they last is not known yet."""
        least = min(frame.rules.enter_score, frame.rules.keep_score)
        for key, score in hits:
            if score >= least:
                pair = self._pairs.get(key)
                if pair is None:
                    pair = self._pairs[key] = _Pair(*key, frame)
                pair.touched = frame
                known = frame.hits.get(pair)
                if known is None or score > known:
                    frame.hits[pair] = score
        self._history.append(frame)
        self._recent.append(frame)

    def _count(self, frame: _Frame, now_ns: int, but: dict[_Pair, list[_Pair]], updates: bool = True) -> list[Change]:
        """Count the hits of the last frame, now that it is over."""
        changes = []
        for pair, score in frame.hits.items():
            if pair in but:
                continue
            look = pair.look = follow(pair.look, frame, score)
            if look is None or not look.entered:
                continue
            if pair.visit is None:
                changes.append(pair.begin(look, now_ns, pair.owed))
            elif (
                updates and look.end_ns == now_ns and 0 < frame.rules.update_ns <= now_ns - pair.visit.told_ns
            ):  # in a gap there is no news
                changes.append(pair.tell(pair.visit, "updated", "", look.facts(), now_ns))
        return changes

    def _expire(self, now_ns: int, rules: Rules) -> list[Change]:
        """End the looks whose target was not hit for longer than the gap, or before a hole."""
        changes = []
        while self._recent and self._over(self._recent[0], now_ns, rules):
            frame = self._recent.popleft()
            for pair in frame.hits:
                if pair.look is not None and pair.look.end_ns == frame.end_ns:
                    changes += pair.finish(pair.look, "looked_away", now_ns)
        return changes

    def _over(self, last: Moment | Look, now_ns: int, rules: Rules) -> bool:
        return last.part != self._part or now_ns - last.end_ns > rules.max_gap_ns

    def _forget(self, now_ns: int, horizon_ns: int) -> None:
        """Follow the hits that are too old to be corrected to where memory begins; drop pairs that have no others."""
        while self._history and now_ns - self._history[0].end_ns > horizon_ns:
            frame = self._history.popleft()
            for pair, score in frame.hits.items():
                base = follow(pair.base, frame, score)
                if base is not pair.base:
                    pair.base = base
                    begins_ns = frame.end_ns if base is None else base.start_ns
                    pair.told = [visit for visit in pair.told if visit.start_ns >= begins_ns]
            for pair in chain(frame.hits, frame.repaired):
                if pair.touched is frame:
                    self._pairs.pop(pair.key(), None)

    def _renamed(self, last: _Frame, names: Renaming, now_ns: int) -> dict[_Pair, list[_Pair]]:
        """Rename hits that are remembered; return the pairs that lost or got any, with those they got them from."""
        suspects = [pair for pair in self._pairs.values() if names.concerns(pair.track_id, pair.target)]
        givers: dict[_Pair, list[_Pair]] = {}
        for frame in reversed(self._history):
            if frame.pts_ns < max(names.since_ns, now_ns - self._repair_ns):
                break
            moved = []
            for pair in suspects:
                if pair in frame.hits:
                    key = names.of(pair.track_id, pair.target, frame.pts_ns)
                    if key != pair.key():
                        moved.append((key, pair, frame.hits.pop(pair)))
            for key, pair, score in moved:
                givers.setdefault(pair, [])
                if key is not None:
                    taker = self._pairs.get(key)
                    if taker is None:
                        taker = self._pairs[key] = _Pair(*key, last)
                    frame.hits[taker] = max(score, frame.hits.get(taker, score))
                    from_whom = givers.setdefault(taker, [])
                    if pair not in from_whom:
                        from_whom.append(pair)
        for pair in givers:
            pair.touched = last
        last.repaired.extend(givers)
        return dict(sorted(givers.items(), key=lambda item: item[0].key()))

    def _repair(self, givers: dict[_Pair, list[_Pair]], now_ns: int, rules: Rules) -> tuple[list[Change], list[Change]]:
        """Follow looks anew; return what is taken back, and what is told instead."""
        back: list[Change] = []
        found: dict[_Pair, list[Look]] = {}
        gone: dict[_Pair, list[_Visit]] = {}
        for pair in givers:
            looks, stands = self._followed(pair)
            found[pair], gone[pair] = looks, list(pair.owed)
            over = {look.start_ns: look.facts() for look in looks if self._ended(look, looks, now_ns, rules)}
            for visit in pair.told:
                holds = stands if visit.state == "open" else over.get(visit.start_ns) == visit.facts
                if visit.state != "retracted" and not holds:
                    visit.state = "retracted"
                    back.append(pair.tell(visit, "retracted", "identity", visit.facts, now_ns))
                    gone[pair].append(visit)
        told: list[Change] = []
        for pair, others in givers.items():
            replaceable = [visit for giver in dict.fromkeys([pair, *others]) for visit in gone[giver]]
            told += self._told_anew(pair, found[pair], replaceable, now_ns, rules)
        return back, told

    def _followed(self, pair: _Pair) -> tuple[list[Look], bool]:
        """Return the looks of a pair from where memory begins, and whether what was told of the open one holds."""
        look, visit = copy(pair.base), pair.visit
        looks = [] if look is None else [look]
        stands = bool(look and visit and look.start_ns == visit.start_ns and look.end_ns >= visit.facts.end_ns)
        for frame in self._history:
            if pair not in frame.hits:
                continue
            look = follow(look, frame, frame.hits[pair])
            if look is not None and (not looks or looks[-1] is not look):
                looks.append(look)
            if look and visit and look.entered and (look.start_ns, look.end_ns) == (visit.start_ns, visit.facts.end_ns):
                stands = stands or look.facts() == visit.facts
        return looks, stands

    def _told_anew(self, pair: _Pair, looks: list[Look], gone: list[_Visit], now_ns: int, rules: Rules) -> list[Change]:
        """Bring what is told of a pair in line with its looks."""
        changes: list[Change] = []
        standing = {visit.start_ns: visit for visit in pair.told if visit.state != "retracted"}
        pair.look, pair.visit, pair.owed = None, None, []
        for look in looks:
            over = look is not looks[-1] or self._over(look, now_ns, rules)
            visit = standing.get(look.start_ns)
            if (visit.state == "ended") if visit else (over and look.too_short()):
                continue
            replaced = [each for each in gone if each.start_ns < look.end_ns and look.start_ns < each.facts.end_ns]
            if visit is not None:
                pair.visit = visit
                visit.replaces += tuple(each.name for each in replaced)
            elif look.entered:
                changes.append(pair.begin(look, now_ns, replaced))
            if over:
                changes += pair.finish(look, "looked_away", now_ns)
            else:
                pair.look, pair.owed = look, [] if look.entered else replaced
        return changes

    def _ended(self, look: Look, looks: list[Look], now_ns: int, rules: Rules) -> bool:
        """Tell whether one of the looks of a pair is a visit that is over."""
        return not look.too_short() and (look is not looks[-1] or self._over(look, now_ns, rules))


def _place(change: Change) -> tuple[int, str]:
    return change.track_id, change.target
