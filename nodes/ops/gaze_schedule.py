"""Which heads are asked about in which frame: those whose last map says least about where they look now.

A map goes stale with time; sooner while its head moves or turns, and sooner where the two maps before differed. On
rendered clips, how much a map differs from one made 0.16 s later goes with how far the head turned in between
(correlation 0.53), with how much the maps before differed (0.43), with the change of the head's size (0.34) and with
its path (0.23); not with how broad the map is (0.01) nor with how near its in-frame probability is to a half (0.01).

A pass of the model over a frame costs more than one head more in it, so heads are asked about together: there is time
between passes unless somebody new appears, and who is nearly due joins in. Time is that of the stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.namespaces import namespace

Array = np.ndarray[Any, np.dtype[Any]]

DUE, JOINS = 1.0, 0.5
"""Staleness from which a head is asked about, and from which it joins where another is."""
UNKNOWN = 1e12
"""Staleness of a head without a map, above that of all others; those that have waited longest come first."""
SLACK_NS = 1_000_000
"""Containers round times, mostly to milliseconds: who is due that soon is due."""
SAVED_S = 0.5
"""A budget that is not used up is saved for this long."""


@dataclass(frozen=True)
class Rules:
    """What a schedule goes by."""

    max_age_s: float
    """Seconds after which a calm head is asked about again."""
    max_move: float
    """Way of a side of its box, in widths or heights of the box, after which a head is asked about again."""
    max_turn: float
    """Share of its direction scores that moved to other directions after which a head is asked about again."""
    unsettled: float
    """How much sooner a head is asked about again whose last two maps have nothing in common."""
    rest_s: float
    """Least seconds between two passes of the model, if nobody new appears."""
    hold_s: float
    """Seconds for which a map stands in for newer ones, and a head out of sight is remembered."""
    heads_per_s: float
    """Heads asked about per second of the stream; may be infinite."""
    max_heads: int
    """Heads asked about in one frame."""

    @classmethod
    def every_frame(cls, max_heads: int, hold_s: float) -> Rules:
        """Return rules by which everybody is due in each frame."""
        return cls(1e-6, 1.0, 1.0, 0.0, 0.0, hold_s, math.inf, max_heads)

    @property
    def heeds_answers(self) -> bool:
        """Tell whether what the model says of a frame has a part in who is asked about in the next."""
        return self.unsettled > 0


@dataclass(frozen=True)
class Heads:
    """N heads of one frame."""

    track_id: Array
    """(N,) int64."""
    box: Array
    """(N, 4), not NaN."""
    facing: Array
    """(N, 8) scores of directions."""
    score: Array
    """(N,)."""


@dataclass(eq=False)
class Answer:
    """What the model was asked about a head, how the head was then, and, once it is heard, what the model said."""

    asked_ns: int
    box: Array
    facing: Array
    before: Answer | None = None
    """The answer before it, until this one is heard."""
    heard: bool = False
    heatmap: Any = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """(h, w), once it is heard; where the model left it."""
    in_frame_prob: float = 0.0
    change: float = 0.0
    """How much it differs from the answer before: 0 not at all, not heard yet or not looked at, 1 altogether."""

    def hear(self, heatmap: Any, in_frame_prob: float, moved: float) -> None:
        """Take what the model says; answers of one head are heard in their order.

        Args:
            heatmap: (h, w).
            in_frame_prob: 0 to 1.
            moved: what `moved` returns of the map.
        """
        if self.before is not None:
            self.change = max(moved, abs(self.before.in_frame_prob - in_frame_prob))
        self.heard, self.heatmap, self.in_frame_prob, self.before = True, heatmap, in_frame_prob, None


def moved(answers: Sequence[Answer], maps: Any) -> Any:
    """Return how much of maps (N, h, w) lies elsewhere than in the answers before, (N,) float64, where the maps are.

    Args:
        answers: about each head, not heard yet. One without an answer before has moved by nothing.
        maps: what the model says now.
    """
    xp, (count, high, wide) = namespace(maps), maps.shape
    befores = [answer.before for answer in answers]
    before = xp.stack([maps[row, ...] if one is None else one.heatmap for row, one in enumerate(befores)])
    return _differences(xp.reshape(before, (count, high * wide)), xp.reshape(maps, (count, high * wide)))


@dataclass(frozen=True)
class _Known:
    """What is known of a head."""

    since_ns: int
    """When it was asked about last, else first seen."""
    seen_ns: int
    answer: Answer | None


class GazeSchedule:
    """The heads of one generation of one stream, a map each."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._known: dict[int, _Known] = {}
        self._pts_ns: int | None = None
        self._pass_ns: int | None = None
        self._credit = 0.0

    def correct(self, taken: Iterable[tuple[int, int, int]]) -> None:
        """Give answers to the tracks that they were of, all at once.

        Args:
            taken: (track id, taken from, since in ns): what was asked of the other since then was of this track.
        """
        given = []
        for track_id, other, since_ns in taken:
            theirs = self._known.get(other)
            if theirs is not None and theirs.answer is not None and theirs.answer.asked_ns >= since_ns:
                given.append((track_id, self._known.pop(other)))
        for track_id, theirs in given:
            own = self._known.get(track_id)
            if own is None or own.answer is None or own.since_ns < theirs.since_ns:
                self._known[track_id] = theirs

    def choose(self, pts_ns: int, heads: Heads, rules: Rules) -> Array:
        """Return which heads of a frame to ask about, (N,) bool; `answer` then gives what is to hear of each.

        By rules that heed answers (`Rules.heeds_answers`), what was asked before must have been heard.

        Args:
            pts_ns: of the frame; never falls.
            heads: all that could be asked about.
            rules: what holds from this frame on.
        """
        self._advance(pts_ns, rules)
        appeared = not set(heads.track_id.tolist()) <= self._known.keys()
        for track_id in heads.track_id.tolist():
            known = self._known.get(track_id)
            self._known[track_id] = replace(known, seen_ns=pts_ns) if known else _Known(pts_ns, pts_ns, None)
        asked = np.zeros(len(heads.track_id), np.bool_)
        stale = self._staleness(pts_ns, heads, rules)
        rested = self._pass_ns is None or pts_ns - self._pass_ns + SLACK_NS >= rules.rest_s * 1e9
        if appeared or (rested and (stale >= DUE).any()):
            order = np.lexsort((-heads.score, -stale))[: int(min(rules.max_heads, self._credit))]
            asked[order] = stale[order] >= JOINS
        for row in np.flatnonzero(asked).tolist():
            track_id = int(heads.track_id[row])
            answer = Answer(pts_ns, heads.box[row], heads.facing[row], self._known[track_id].answer)
            self._known[track_id] = _Known(pts_ns, pts_ns, answer)
        if asked.any():
            self._pass_ns = pts_ns
            self._credit -= int(asked.sum())
        return asked

    def forget_unheard(self) -> None:
        """Go back to the answers before those that were never heard, because the model failed."""
        for track_id, known in list(self._known.items()):
            answer = known.answer
            while answer is not None and not answer.heard:
                answer = answer.before
            if answer is not known.answer:
                self._known[track_id] = replace(known, answer=answer)

    def answer(self, track_id: int) -> Answer | None:
        """Return the last answer about a head, heard or not, if there is one that still stands in."""
        known = self._known.get(track_id)
        return None if known is None else known.answer

    def _advance(self, pts_ns: int, rules: Rules) -> None:
        """Move time on: save up, let go of answers that are too old and of heads that are gone."""
        hold_ns = rules.hold_s * 1e9
        for track_id, known in list(self._known.items()):
            if pts_ns - known.seen_ns > hold_ns:
                del self._known[track_id]
            elif known.answer is not None and pts_ns - known.answer.asked_ns > hold_ns:
                self._known[track_id] = replace(known, answer=None)
        most = max(rules.heads_per_s * SAVED_S, 1.0)
        if self._pts_ns is None or most == math.inf:
            self._credit = most
        else:
            self._credit = min(self._credit + rules.heads_per_s * ((pts_ns - self._pts_ns) / 1e9), most)
        self._pts_ns = pts_ns

    def _staleness(self, pts_ns: int, heads: Heads, rules: Rules) -> Array:
        """Return how stale what is known of each head is, (N,): 1 where it is due.

        Time counts without bound, the rest up to a bound: whoever waits comes before whoever moves, in the end.
        """
        if not len(heads.track_id):
            return np.empty(0)
        known = [self._known[track_id] for track_id in heads.track_id.tolist()]
        answers = [each.answer for each in known]
        before = [_as_it_is(heads, row) if answer is None else answer for row, answer in enumerate(answers)]
        box, facing = (np.stack([getattr(each, name) for each in before]) for name in ("box", "facing"))
        change = np.array([each.change for each in before]) if rules.heeds_answers else 0.0
        side = np.maximum(np.tile(box[:, 2:] - box[:, :2], 2), np.finfo(np.float32).eps)
        move = (np.abs(heads.box - box) / side).max(axis=1) / rules.max_move
        turn = _differences(facing, heads.facing) / rules.max_turn
        age_s = (pts_ns - np.array([each.since_ns for each in known]) + SLACK_NS) / 1e9
        aged = age_s / rules.max_age_s * (1 + rules.unsettled * change)
        stale = aged + np.minimum(move, DUE) + np.minimum(turn, DUE)
        return np.where([answer is None for answer in answers], UNKNOWN + age_s, stale)


def _as_it_is(heads: Heads, row: int) -> Answer:
    """Return an answer that says nothing, about a head that has not changed since."""
    return Answer(0, heads.box[row], heads.facing[row])


def _differences(a: Any, b: Any) -> Any:
    """Return which share of each row of `a` (N, K) lies elsewhere in that of `b`, both 0 or more; of nothing, nothing.

    Rows are taken as shares of their sums.
    """
    xp = namespace(a)
    total_a, total_b = (xp.sum(each, axis=1, keepdims=True, dtype=xp.float64) for each in (a, b))
    share_a, share_b = (each / xp.where(total > 0, total, 1.0) for each, total in ((a, total_a), (b, total_b)))
    apart = xp.sum(xp.abs(share_a - share_b), axis=1) / 2
    return xp.where((total_a > 0)[:, 0] == (total_b > 0)[:, 0], apart, 1.0)
