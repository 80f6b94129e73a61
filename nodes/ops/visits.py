"""Turn looks in single frames into visits: when one begins, goes on and ends, and what is taken back.

What a visit is stands in `nodes.ops.looks`, what is told of it in `nodes.ops.told`, how it is told anew when the
tracker finds out who was who in `nodes.ops.repairs`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from itertools import chain

from nodes.ops.looks import Rules, follow, over
from nodes.ops.repairs import Renaming, rename, repair
from nodes.ops.told import Change, Frame, Pair, Reason


class VisitMachine:
    """The visits of one generation of one stream.

    A frame says how long the frame before it lasted, so the hits of that one are counted now; then what was not hit for
    longer than the gap ends. Changes of a frame are sorted by track and target; what is taken back because of a wrong
    identity comes before all others.

    An interval between frames that is longer than the gap is a hole: nothing is known of it, so visits end at it, and
    a hit before it counts for as long as the interval before that one. So does the hit in the last frame of all.
    """

    def __init__(self, repair_ns: int) -> None:
        """Remember the hits of that many nanoseconds, so that they can be given to another track."""
        self._repair_ns = repair_ns
        self._pairs: dict[tuple[int, str], Pair] = {}
        self._history: deque[Frame] = deque()
        self._recent: deque[Frame] = deque()
        """The end of the history: frames whose looks may go on."""
        self._step_ns = 0

    def frame(
        self,
        pts_ns: int,
        hits: Iterable[tuple[tuple[int, str], float]],
        rules: Rules,
        corrections: Collection[tuple[int, int, int]] = (),
    ) -> list[Change]:
        """Take one frame and return what became known.

        Args:
            pts_ns: rises from call to call.
            hits: ((track id, target), score); a pair given twice counts once, with its highest score.
            rules: what holds from this frame on.
            corrections: (taken from, since in ns, track id): hits before this frame that were of another track.
        """
        if not self._history:
            self._take(Frame(pts_ns, 0, rules), hits)
            return []
        last = self._history[-1]
        interval_ns = pts_ns - last.pts_ns
        hole = interval_ns > rules.max_gap_ns
        self._step_ns = self._step_ns if hole else interval_ns
        last.end_ns = last.pts_ns + self._step_ns
        now = Frame(pts_ns, last.part + hole, rules)
        givers = {}
        if corrections:
            givers = rename(self._history, self._pairs, Renaming(corrections), pts_ns - self._repair_ns)
        back, changes = repair(givers, self._history, now)
        changes += self._count(last, pts_ns, givers)
        changes += self._expire(now)
        self._forget(now)
        self._take(now, hits)
        return back + sorted(changes, key=_place)

    def end(self, reason: Reason) -> list[Change]:
        """End everything, as at the end of the stream, and return what became known by that. Nothing may follow."""
        if not self._history:
            return []
        last = self._history[-1]
        last.end_ns = last.pts_ns + self._step_ns
        changes = self._count(last, last.end_ns, (), updates=False)
        for pair in self._pairs.values():
            if pair.look is not None:
                changes += pair.finish(pair.look, reason, last.end_ns)
        return sorted(changes, key=_place)

    def _take(self, frame: Frame, hits: Iterable[tuple[tuple[int, str], float]]) -> None:
        """Keep the hits of a frame that can count; how long they last is not known yet."""
        least = min(frame.rules.enter_score, frame.rules.keep_score)
        for key, score in hits:
            if score >= least:
                pair = self._pairs.get(key)
                if pair is None:
                    pair = self._pairs[key] = Pair(*key, frame)
                pair.touched = frame
                known = frame.hits.get(pair)
                if known is None or score > known:
                    frame.hits[pair] = score
        self._history.append(frame)
        self._recent.append(frame)

    def _count(self, last: Frame, now_ns: int, but: Collection[Pair], updates: bool = True) -> list[Change]:
        """Count the hits of the last frame, now that it is over, but for pairs that were followed anew."""
        changes = []
        for pair, score in last.hits.items():
            if pair in but:
                continue
            look = pair.look = follow(pair.look, last, score)
            if look is None or not look.entered:
                continue
            if pair.visit is None:
                changes.append(pair.begin(look, now_ns, pair.owed))
            elif updates and look.end_ns == now_ns:  # there is no news in a gap, nor where it ends at once
                changes += pair.update(look, now_ns)
        return changes

    def _expire(self, now: Frame) -> list[Change]:
        """End the looks whose target was not hit for longer than the gap, or before a hole."""
        changes = []
        while self._recent and over(self._recent[0], now):
            frame = self._recent.popleft()
            for pair in frame.hits:
                if pair.look is not None and pair.look.end_ns == frame.end_ns:
                    changes += pair.finish(pair.look, "looked_away", now.pts_ns)
        return changes

    def _forget(self, now: Frame) -> None:
        """Follow the hits that are too old to be corrected to where memory begins; drop pairs that have no others.

        A look that is over for as long as a gap may be is not gone on with by any hit that can still be corrected.
        """
        horizon_ns = now.pts_ns - self._repair_ns - now.rules.max_gap_ns
        while self._history and self._history[0].end_ns < horizon_ns:
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


def _place(change: Change) -> tuple[int, str]:
    return change.track_id, change.target
