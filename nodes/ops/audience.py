"""The people in one stream and when they looked: takes what is told of them, reports the measures of their attention.

Pure logic of one generation of one stream; times are pts in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from nodes.ops.attention import Person, Visit, facts, group_of, settle
from nodes.ops.presence import Interval, cut, joined
from nodes.ops.windows import Report, Window, Windows

SETTLE_EVERY_NS = 10**9
"""Time of the stream between two looks for what can no longer change: it costs little then, and memory stays small."""


@dataclass(frozen=True)
class Rules:
    """How attention is measured. Times in nanoseconds."""

    window_ns: int
    """Length of windows; 0 for none but those of the whole stream."""
    whole_ns: int
    """Longest report of the whole stream."""
    settle_ns: int
    """Time from the end of a window to its report."""
    min_presence_ns: int
    """Time in view that is an opportunity to see."""
    max_gap_ns: int
    """Gaps in sight up to this long are presence; longer ones between frames are holes, of which nothing is known."""
    repair_ns: int
    """For how long people who left and visits that ended may be told anew."""


class Look(NamedTuple):
    """One row of visits."""

    visit: str
    kind: str
    track_id: int
    target: str
    start_ns: int
    end_ns: int
    known_ns: int
    dwell_ns: int
    fixations: int
    fixation_ns: int


class Taken(NamedTuple):
    """A repair: from `since_ns` on, the track `taken_from` was really `track_id`."""

    track_id: int
    taken_from: int
    since_ns: int


class Audience:
    """Who was there and looked, by window.

    A frame first closes the time since the frame before it: who was seen in that one was in view until now. Then it
    takes repairs and visits. Then windows are reported that are over and have no open visits, if they were not yet, or
    if their measures changed.

    An interval between frames that is longer than the longest gap is a hole, for which nothing is counted; the frame
    before it lasts as long as the one before that. So does the last frame of all.
    """

    def __init__(self, rules: Rules, start_time_ns: int) -> None:
        self.late: list[str] = []
        """Visits and repairs that came too late to be counted where they belong; whoever says so may clear it."""
        self._rules = rules
        self._start_time_ns = start_time_ns
        self._windows: Windows | None = None
        self._people: dict[int, Person] = {}
        self._track_of: dict[str, int] = {}
        """Whose a visit is, of those that are not settled."""
        self._seen: list[int] = []
        """Tracks seen in the last frame."""
        self._targets: Collection[str] = ()
        self._last_ns = self._step_ns = 0
        self._settled_ns = self._horizon_ns = 0

    def frame(
        self,
        pts_ns: int,
        seen: Iterable[int],
        taken: Collection[Taken],
        looks: Iterable[Look],
        targets: Collection[str],
    ) -> list[Report]:
        """Take what a frame tells and return the reports that are due.

        A frame that is told again, as after an error, adds nothing but its visits.

        Args:
            pts_ns: its time, rising from call to call.
            seen: tracks that are seen in it.
            taken: repairs that became known in it.
            looks: visits as they became known by it.
            targets: those to report even when nobody looks.
        """
        rules = self._rules
        if self._windows is None:
            self._windows = Windows(pts_ns, self._start_time_ns, rules.window_ns, rules.whole_ns)
            self._settled_ns = self._horizon_ns = pts_ns
        elif pts_ns > self._last_ns:
            interval_ns = pts_ns - self._last_ns
            self._step_ns = interval_ns if interval_ns <= rules.max_gap_ns else self._step_ns
            self._close_time(self._windows)
        else:
            self.tell(looks)
            return []
        self._last_ns, self._seen, self._targets = pts_ns, sorted(set(seen)), targets
        self._windows.cover(pts_ns, pts_ns)
        self._repair(taken, self._windows)
        self.tell(looks)
        over = self._windows.over(pts_ns - rules.settle_ns)
        waiting_ns = self._open_visits() if over else []
        reports = self._reports(
            [one for one in over if not any(one.start_ns <= at_ns < one.end_ns for at_ns in waiting_ns)], pts_ns
        )
        if pts_ns - self._settled_ns >= SETTLE_EVERY_NS:
            self._settled_ns, self._horizon_ns = pts_ns, pts_ns - max(rules.repair_ns, rules.max_gap_ns)
            self._settle(self._windows)
        return reports

    def tell(self, looks: Iterable[Look]) -> None:
        """Take what became known of visits; those of a stream without frames so far are nothing to measure."""
        if self._windows is None:
            return
        for look in looks:
            old = self._forget(look.visit)
            if look.kind != "retracted":
                ended_ns = look.known_ns if look.kind == "ended" else None
                times = look.start_ns, look.end_ns, look.dwell_ns, look.fixations, look.fixation_ns
                visit = Visit(look.visit, group_of(look.target), *times, ended_ns)
                self._people.setdefault(look.track_id, Person()).visits[visit.id] = visit
                self._track_of[visit.id] = look.track_id
            if old is None and (look.kind == "retracted" or not self._windows.hold(look.start_ns)):
                self.late.append(look.visit)
            if look.kind != "updated":
                self._windows.changed(look.start_ns if old is None else min(old.start_ns, look.start_ns))

    def end(self) -> list[Report]:
        """Let the last frame last, and return the reports of all windows that are still due."""
        if self._windows is None:
            return []
        self._close_time(self._windows)
        end_ns = self._last_ns + self._step_ns
        return self._reports(self._windows.end(end_ns), end_ns)

    def _close_time(self, windows: Windows) -> None:
        """Let the last frame last: its windows are covered, and who was seen in it was in view."""
        start_ns, end_ns = self._last_ns, self._last_ns + self._step_ns
        if start_ns == end_ns:
            return
        windows.cover(start_ns, end_ns)
        for track_id in self._seen:
            seen = self._people.setdefault(track_id, Person()).seen
            if seen and seen[-1][1] == start_ns:
                seen[-1] = seen[-1][0], end_ns
                continue
            if seen and start_ns - seen[-1][1] <= self._rules.max_gap_ns:
                windows.changed(seen[-1][1])
            seen.append((start_ns, end_ns))

    def _repair(self, repairs: Collection[Taken], windows: Windows) -> None:
        """Give presence to whose it was. All repairs hold at once; of those of one moment the latest one counts."""
        moved: list[tuple[int, list[Interval]]] = []
        for repair in sorted(repairs, key=lambda repair: repair.since_ns, reverse=True):
            if repair.since_ns < self._horizon_ns:
                self.late.append(f"track {repair.taken_from} becoming {repair.track_id}")
            if (other := self._people.get(repair.taken_from)) is not None:
                other.seen, taken = cut(other.seen, repair.since_ns)
                moved.append((repair.track_id, taken))
                windows.changed(repair.since_ns - self._rules.max_gap_ns)  # gaps before it may be filled, or not now
        for track_id, taken in moved:
            person = self._people.setdefault(track_id, Person())
            person.seen = joined([*person.seen, *taken], 0)

    def _forget(self, visit: str) -> Visit | None:
        track_id = self._track_of.pop(visit, None)
        return None if track_id is None else self._people[track_id].visits.pop(visit)

    def _open_visits(self) -> list[int]:
        """Return the starts of visits that still last."""
        return [
            visit.start_ns
            for person in self._people.values()
            for visit in person.visits.values()
            if visit.ended_ns is None
        ]

    def _reports(self, windows: list[Window], known_ns: int) -> list[Report]:
        rules = self._rules
        people = self._people.values() if windows else ()
        told = [fact for person in people for fact in facts(person, rules.min_presence_ns, rules.max_gap_ns)]
        reports = [window.report(told, self._targets, known_ns) for window in windows]
        return [report for report in reports if report is not None]

    def _settle(self, windows: Windows) -> None:
        """Add up for good what is older than the horizon; forget people and windows that cannot change."""
        rules = self._rules
        told = [
            fact
            for person in self._people.values()
            for fact in settle(person, self._horizon_ns, rules.min_presence_ns, rules.max_gap_ns)
        ]
        self._people = {track_id: one for track_id, one in self._people.items() if one.seen or one.visits}
        visits = [visit for person in self._people.values() for visit in person.visits.values()]
        self._track_of = {visit.id: self._track_of[visit.id] for visit in visits}
        windows.settle(told, self._horizon_ns, [visit.start_ns for visit in visits])
