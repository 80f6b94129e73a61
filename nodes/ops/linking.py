"""Link fragments of tracks that are one person's, and fill their gaps, once a clip is known to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.fragments import Fragments, camera_path, fragments_of, links, places, straightness

Array = np.ndarray[Any, np.dtype[Any]]

_MAX_FILL_NS = 3_000_000_000
"""Longest gap that is filled."""
_SURE_FILL = 0.1
"""How far from the true way a filled box may be, over the side of a square as large."""
_CALM_S = 0.1
"""Standard deviation of the bell over which boxes are averaged."""


@dataclass(frozen=True)
class Rows:
    """N rows of tracks of one generation of a stream, by (pts_ns, track_id); boxes in fractions of the frame."""

    pts_ns: Array
    """(N,) int64."""
    track_id: Array
    """(N,) int64."""
    head_box: Array
    """(N, 4) float32; NaN where not known."""
    head_score: Array
    """(N,) float32."""
    body_box: Array
    """(N, 4) float32; NaN where not known."""
    body_score: Array
    """(N,) float32."""
    observed: Array
    """(N,) bool: False where boxes are predicted."""

    def __len__(self) -> int:
        return len(self.pts_ns)


@dataclass(frozen=True)
class Linked:
    """What is known of N rows after linking, and the rows that are new."""

    track_id: Array
    """(N,) int64; 0 where a row is left out: predicted, or of somebody hardly seen."""
    body_box: Array
    """(N, 4) float32: averaged over neighbours in time."""
    filled: Rows
    """Rows that fill gaps, unobserved, with scores of 0."""


def link(rows: Rows, frames_ns: Array, aspect: float, min_seen_s: float) -> Linked:
    """Link fragments so that all links together are worth most, fill gaps, and average boxes.

    Tracks are cut where somebody was out of sight, and put together anew from both sides (`ops.fragments`); what the
    camera did in between is told by how everybody moved. Gaps are filled on straight lines where the ways before and
    after them are nearly so. Links after Zhang et al., "Global data association", CVPR 2008, with one gap at most
    between two fragments, which makes it an assignment.

    Args:
        rows: what was tracked, at most one row of a track at a pts.
        frames_ns: (F,) int64 pts of all frames, rising.
        aspect: width of the frame over its height.
        min_seen_s: who was seen for less in all is left out.
    """
    seen = np.flatnonzero(rows.observed)
    track_id, body_box = np.zeros(len(rows), np.int64), rows.body_box.copy()
    if not len(seen):
        return Linked(track_id, body_box, _rows([]))
    frame = np.searchsorted(frames_ns, rows.pts_ns[seen])
    place = places(rows.head_box[seen], rows.body_box[seen], aspect)
    path = camera_path(frame, rows.track_id[seen], place, len(frames_ns))
    pieces = fragments_of(rows.pts_ns[seen], rows.track_id[seen], rows.body_box[seen], place, path[frame], aspect)
    lasts_ns = np.diff(frames_ns, append=frames_ns[-1:])
    moved = np.tile(path / [aspect, 1], 2)
    bell = _bell(float(np.median(lasts_ns[:-1])) / 1e9) if len(frames_ns) > 1 else np.ones(1)
    filled = []
    for number, chain in enumerate(_chains(len(pieces), *links(pieces)), start=1):
        mine = np.concatenate([pieces.rows[piece] for piece in chain])
        at, whose = frame[mine], seen[mine]
        if lasts_ns[at].sum() < min_seen_s * 1e9:
            continue
        every = np.arange(at[0], at[-1] + 1)
        body = _along(every, at, rows.body_box[whose] - moved[at], bell) + moved[every]
        track_id[whose], body_box[whose] = number, body[at - at[0]]
        blank = every[_fillable(pieces, chain, at, frames_ns)[np.searchsorted(at, every, "right") - 1]]
        blank = np.setdiff1d(blank, at, assume_unique=True)
        head = _along(blank, at, rows.head_box[whose] - moved[at], np.ones(1)) + moved[blank]
        filled.append((frames_ns[blank], np.full(len(blank), number), head, body[blank - at[0]]))
    return Linked(track_id, body_box, _rows(filled))


def _chains(count: int, earlier: Array, later: Array, gain: Array) -> Iterator[list[int]]:
    """Yield the fragments of each person, by first sight, so that all links together are worth most.

    Args:
        count: of the fragments, by first sight.
        earlier: (K,) of each possible link, the fragment that ends.
        later: (K,) the fragment that begins.
        gain: (K,) what the link is worth, above 0.
    """
    after = _best(count, earlier, later, gain)
    begun = set(range(count)) - set(after.values())
    for first in sorted(begun):
        chain = [first]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        yield chain


def _best(count: int, earlier: Array, later: Array, gain: Array) -> dict[int, int]:
    """Return which fragment follows which. Only possible links are held: of 20,000 fragments all pairs take 3 GB."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    ends, row = np.unique(earlier, return_inverse=True)
    alone = np.arange(len(ends))  # of each, a column of its own: nobody follows
    rows, columns = np.concatenate([row, alone]), np.concatenate([later, count + alone])
    worth = np.concatenate([1 + gain, np.ones(len(ends))])  # all must be above 0
    shape = (len(ends), count + len(ends))
    ends_of, follows = min_weight_full_bipartite_matching(coo_array((worth, (rows, columns)), shape), maximize=True)
    linked = follows < count
    return dict(zip(ends[ends_of[linked]].tolist(), follows[linked].tolist(), strict=True))


def _fillable(pieces: Fragments, chain: list[int], at: Array, frames_ns: Array) -> Array:
    """Tell after which sights of a person, seen in frames (N,), frames out of sight are filled: (N,) bool."""
    fillable = np.diff(frames_ns[at], append=frames_ns[at[-1]]) <= _MAX_FILL_NS
    a, b = np.array(chain[:-1], np.int64), np.array(chain[1:], np.int64)
    if len(a):
        side = np.sqrt(pieces.width[a, 1] * pieces.height[a, 1])
        ends = np.cumsum([len(pieces.rows[piece]) for piece in chain[:-1]]) - 1
        fillable[ends] &= straightness(pieces, a, b) <= _SURE_FILL * side
    return np.asarray(fillable)


def _along(every: Array, at: Array, boxes: Array, bell: Array) -> Array:
    """Return boxes (E, 4) in frames (E,), on straight lines between those (N, 4) of frames `at` (N,), and averaged.

    NaN where a box on either side is unknown.
    """
    if not len(every):
        return np.empty((0, 4))
    between = np.stack([np.interp(every, at, column) for column in boxes.T], axis=1)
    reach = len(bell) // 2
    if not reach or len(every) <= 2 * reach:
        return between
    before, behind = 2 * between[:1] - between[reach:0:-1], 2 * between[-1:] - between[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, between, behind])  # turned about its ends, so that these stay where they are
    calm = np.stack([np.convolve(column, bell, "valid") for column in padded.T], axis=1)
    return np.where(np.isnan(calm), between, calm)


def _bell(step_s: float) -> Array:
    """Return the weights of neighbours `step_s` seconds apart, the middle one's in the middle; they sum to 1."""
    reach = int(3 * _CALM_S / max(step_s, 1e-3))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step_s / _CALM_S) ** 2)
    return np.asarray(weights / weights.sum())


def _rows(parts: list[tuple[Array, Array, Array, Array]]) -> Rows:
    """Return unobserved rows from pts, track, head and body of each part."""
    parts = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)), np.empty((0, 4))), *parts]
    pts_ns, track_id, head, body = (np.concatenate(column) for column in zip(*parts, strict=True))
    nothing = np.zeros(len(pts_ns), np.float32)
    unseen = np.zeros(len(pts_ns), np.bool_)
    return Rows(pts_ns, track_id, head.astype(np.float32), nothing, body.astype(np.float32), nothing, unseen)
