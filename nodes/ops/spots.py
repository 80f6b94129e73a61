"""Places in the picture at which something was detected, and for how long it has not moved there."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from nodes.ops.doubles import overlaps
from nodes.ops.patches import change, share_unmoved

Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 24
"""Of a patch, pixels."""
GAP_NS = 1_000_000_000
"""What lies between two looks at a place counts up to this: detections may flicker."""
SETTLE_NS = 1_000_000_000
"""How long a place may look otherwise, beside a quarter of the time it did not, until it is begun anew."""
COVERED_NS = 10_000_000_000
"""How long something else may be detected in the place of a thing until that counts as gone."""
ALIVE_NS = 300_000_000_000
"""Memory of motion goes so far back."""
FORGET_NS = 20_000_000_000
"""Places at which nothing was detected for so long are forgotten, those of things after `KEEP_NS`."""
KEEP_NS = 3_600_000_000_000
LEARN_NS = 20_000_000_000
"""Time over which the picture of a place is averaged; so it follows slow changes of light, such as shadows."""
SAME_PLACE = 0.5
NEAR = 0.1
"""Overlaps from which a detection stands at a place, and from which places know of each other's motion."""
MOST = 128
"""Places kept of a stream; of more, those where something was detected last."""
UNCOVERED = 0.5
"""Share of a thing that must be seen as it was."""
NOISE = 2.5
"""A thing may differ by this many times as much as the middle of what there is in the picture."""
LEAST = 0.003
"""What a thing may seem to move in any case, fraction of the side of a patch."""
LOOSER = 2.0
"""A thing that is known may seem to move by this much more than one that is not."""


@dataclass(frozen=True)
class Spots:
    """K places of one stream."""

    part: Array
    """(K,) int64: what was detected there; places of different parts have nothing to do with each other."""
    box: Array
    """(K, 4) float32: the first detection there."""
    patch: Array
    """(K, SIDE, SIDE) float32: how it looked when its time began; of a thing, how it looks."""
    looked_ns: Array
    """(K,) int64: last look at it, which is taken only when something is detected there."""
    same_ns: Array
    """(K,) int64: for how long in all it looked like the patch while something was detected."""
    other_ns: Array
    """(K,) int64: for how long it did not, since its time began; of a thing, since it was seen last."""
    alive_ns: Array
    """(K,) int64: for how long there was something that moved, before its time began."""
    thing: Array
    """(K,) bool: it has stood still for long enough."""
    same: Array
    """(K,) bool: it looked like the patch at the last look."""

    @classmethod
    def none(cls) -> Spots:
        """Return those of a stream that begins."""
        no = np.empty(0, np.int64)
        nothing = np.empty((0, 4), np.float32), np.empty((0, SIDE, SIDE), np.float32)
        return cls(no, *nothing, no, no, no, no, no > 0, no > 0)

    def __len__(self) -> int:
        return len(self.part)

    def take(self, rows: Array) -> Spots:
        """Return the places picked by an index array or a mask."""
        return Spots(*(getattr(self, field.name)[rows] for field in fields(self)))

    def join(self, more: Spots) -> Spots:
        """Return these places and more."""
        both = ((getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return Spots(*(np.concatenate(pair) for pair in both))

    def at(self, part: Array, box: Array, only: Array | None = None) -> Array:
        """Return the place (N,) int64 at which each detection stands, -1 where it is a new one; things go first.

        Args:
            part: (N,) int64.
            box: (N, 4).
            only: (K,) bool, the places that count; None: all.
        """
        overlap = overlaps(box.T[:, :, None], self.box.T[:, None]) * (part[:, None] == self.part)
        if only is not None:
            overlap *= only
        if not overlap.size:
            return np.full(len(box), -1, np.int64)
        rank = np.where(overlap >= SAME_PLACE, overlap + self.thing, 0)
        return np.where(rank.max(axis=1) > 0, rank.argmax(axis=1), -1)

    def begun(self, part: Array, box: Array, patch: Array, pts_ns: int) -> Spots:
        """Return these places and new ones (N), which know of the motion that there was near them."""
        near = (overlaps(box.T[:, :, None], self.box.T[:, None]) > NEAR) & (part[:, None] == self.part) & ~self.thing
        alive_ns = np.where(near, self.alive_ns + self.other_ns, 0).max(axis=1, initial=0)
        count = len(part)
        now, no = np.full(count, pts_ns, np.int64), np.zeros(count, np.int64)
        return self.join(Spots(part, box, patch, now, no, no, alive_ns, no > 0, no == 0))

    def looked_at(
        self, rows: Array, patch: Array, pts_ns: int, noise: float, most: float, still_ns: int
    ) -> Spots:  # fmt: skip
        """Return the places after a look at some of them, where something is detected.

        Args:
            rows: (N,) places, each once.
            patch: (N, SIDE, SIDE) how they look now.
            pts_ns: of the frame.
            noise: by how much pixels differ where nothing happens, grey levels.
            most: what a thing may seem to move at most, fraction of the side of a patch.
            still_ns: for how long a thing must not have moved.
        """
        old = self.take(rows)
        levels, side_levels = change(patch, old.patch)
        allowed = np.clip(NOISE * noise, min(LEAST, most) * side_levels, most * side_levels)
        allowed *= np.where(old.thing, LOOSER, 1)
        whole = levels <= allowed
        share = share_unmoved(patch, old.patch, allowed / np.maximum(side_levels, 1e-6))
        same = whole | (old.thing & (share >= UNCOVERED))
        since_ns = np.minimum(pts_ns - old.looked_ns, GAP_NS)
        same_ns = old.same_ns + since_ns * same
        other_ns = np.where(old.thing & same, 0, old.other_ns + since_ns * ~same)
        anew = other_ns > np.where(old.thing, COVERED_NS, SETTLE_NS + same_ns // 4)
        alive_ns = np.minimum(old.alive_ns + (same_ns + other_ns) * anew, ALIVE_NS)
        same_ns, other_ns = same_ns * ~anew, other_ns * ~anew
        # A mean has less noise than one picture, and is not off as the first ones after a key frame may be.
        part = since_ns / np.clip(same_ns, 1, LEARN_NS)
        part = np.where(anew, 1, np.where(whole, part, 0)).astype(np.float32)
        after = Spots(
            part=old.part,
            box=old.box,
            patch=old.patch + part[:, None, None] * (patch - old.patch),
            looked_ns=np.full(len(rows), pts_ns, np.int64),
            same_ns=same_ns,
            other_ns=other_ns,
            alive_ns=alive_ns,
            thing=~anew & (old.thing | (same_ns >= still_ns + alive_ns)),
            same=same,
        )
        columns = {field.name: getattr(self, field.name).copy() for field in fields(self)}
        for name, column in columns.items():
            column[rows] = getattr(after, name)
        return Spots(**columns)

    def remembered(self, pts_ns: int) -> Spots:
        """Return those that are not forgotten at a time."""
        kept = pts_ns - self.looked_ns <= np.where(self.thing, KEEP_NS, FORGET_NS)
        if np.count_nonzero(kept) > MOST:
            latest = np.argsort(np.where(kept, -self.looked_ns, 0), kind="stable")[:MOST]
            kept = np.isin(np.arange(len(self)), latest)
        return self if kept.all() else self.take(kept)
