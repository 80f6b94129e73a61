"""What is told of the looks of one person at one target: each visit as it becomes known, and what is taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from nodes.ops.looks import Facts, Look, Moment

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
class Told:
    """What was told of a visit."""

    name: str
    start_ns: int
    facts: Facts
    """As last told."""
    replaces: tuple[str, ...]
    state: Literal["open", "ended", "retracted"] = "open"
    told_ns: int = 0
    updates: int = 0


@dataclass(slots=True, eq=False)
class Frame(Moment):
    """A frame that is remembered."""

    hits: dict[Pair, float] = field(default_factory=dict)
    repaired: list[Pair] = field(default_factory=list)
    """Pairs whose hits were given to others, or come from others, since this is the last frame."""


@dataclass(slots=True, eq=False)
class Pair:
    """What is held of one track and one target."""

    track_id: int
    target: str
    touched: Frame
    """The last frame in which anything happened to it."""
    look: Look | None = None
    """As things stand now."""
    base: Look | None = None
    """As things stood before the oldest frame that is remembered."""
    visit: Told | None = None
    """The one that is told and open: that of `look`."""
    told: list[Told] = field(default_factory=list)
    """All visits that are not wholly before the frames that are remembered, in the order in which they were told."""
    owed: list[Told] = field(default_factory=list)
    """Taken back, to be named by the visit that `look` may become."""

    def key(self) -> tuple[int, str]:
        """Return whose look at what it is."""
        return self.track_id, self.target

    def begin(self, look: Look, now_ns: int, replaced: Iterable[Told]) -> Change:
        """Tell that a visit has started."""
        name = f"{self.track_id}/{self.target}/{look.start_ns}"
        times = sum(visit.start_ns == look.start_ns for visit in self.told)
        name = f"{name}~{times}" if times else name
        self.visit = Told(name, look.start_ns, look.facts(), tuple(visit.name for visit in replaced))
        self.told.append(self.visit)
        return self._tell(self.visit, "started", "", look.facts(), now_ns)

    def update(self, look: Look, now_ns: int) -> list[Change]:
        """Tell how far a visit has come, when it is time to."""
        if self.visit is None or not 0 < look.rules.update_ns <= now_ns - self.visit.told_ns:
            return []
        self.visit.updates += 1
        return [self._tell(self.visit, "updated", "", look.facts(), now_ns)]

    def finish(self, look: Look, reason: Reason, now_ns: int) -> list[Change]:
        """Tell that the look is over, if anything was told of it, and forget it."""
        visit, self.visit, self.look, self.owed = self.visit, None, None, []
        if visit is None:
            return []
        if look.too_short():
            visit.state = "retracted"
            return [self._tell(visit, "retracted", "too_short", look.facts(), now_ns)]
        visit.state = "ended"
        return [self._tell(visit, "ended", reason, look.facts(), now_ns)]

    def take_back(self, visit: Told, now_ns: int) -> Change:
        """Tell that a visit is none of this pair's, with what was told of it before."""
        visit.state = "retracted"
        return self._tell(visit, "retracted", "identity", visit.facts, now_ns)

    def _tell(self, visit: Told, kind: Kind, reason: Reason, facts: Facts, now_ns: int) -> Change:
        visit.facts, visit.told_ns = facts, now_ns
        return Change(
            kind=kind,
            reason=reason,
            visit=visit.name,
            update=visit.updates if kind == "updated" else 0,
            replaces=visit.replaces,
            track_id=self.track_id,
            target=self.target,
            start_ns=visit.start_ns,
            known_ns=now_ns,
            **facts._asdict(),
        )
