"""Pieces of tracks without a longer gap, and how likely one is the next of another: by both of their ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nodes.ops.boxes import intersections, sizes, to_anchored
from nodes.ops.motion import HEADS_PER_BODY

Array = np.ndarray[Any, np.dtype[Any]]

# Chosen on rendered crowds (scenes.crowd, seeds 5001-5032); see docs/tracking.md.
_CUT_NS = 400_000_000
"""Longest time out of sight within a fragment."""
_MAX_GAP_NS = 4_000_000_000
"""Longest time out of sight over which fragments are linked."""
_PACE_NS = 800_000_000
"""Time at the end of a fragment from which its speed is told."""
_LEAST_PACE_NS = 150_000_000
"""A shorter one tells no speed."""
_PERSISTENCE_S = 1.5
"""For how long a walker keeps speed and direction."""
_SURE = 1.0
"""What a link is worth before anything speaks against it."""
_STRAY = (0.3, 0.35)
"""What people stray from such a way: at once, and more in each second; body heights."""
_SIZE_WEIGHT = 2.0
"""What a size that differs by a factor of e counts."""
_WAIT_WEIGHT = 0.3
"""What a second out of sight counts."""
_SAME_TRACK = 0.5
"""What speaks for a link when the tracker has made it."""
_EXIT_WEIGHT = 0.5
"""What speaks against it where one goes out of the picture, and again where the other comes in."""
_HIDDEN = (0.6, 0.6)
"""What speaks for it when somebody is in front of each end, less what speaks against it when nobody is."""
_LEAVES_S = 0.5
"""Who would be outside the picture so soon is going out."""
_BODY_IN_HEADS = (2.0, HEADS_PER_BODY)
"""Width and height of a body where the head alone is known."""
_LEAST_WITNESSES = 4
"""So many people must be seen in two frames to tell how the camera moved between them."""


@dataclass(frozen=True)
class Fragments:
    """M pieces of tracks, by first sight. Places are in fractions of the frame's height, as if the camera stood."""

    rows: tuple[Array, ...]
    """Of each, the rows in which it is seen, by time."""
    track_id: Array
    """(M,) as the tracker had it."""
    span_ns: Array
    """(M, 2) first and last sight."""
    place: Array
    """(M, 2, 2) x, y at both ends."""
    speed: Array
    """(M, 2, 2) of x, y at both ends; 0 where it was seen too shortly."""
    height: Array
    """(M, 2) of the body."""
    width: Array
    """(M, 2) of the body."""
    leaves: Array
    """(M, 2) bool: the picture ends there."""
    hidden: Array
    """(M, 2) share of the box that others cover at both ends."""

    def __len__(self) -> int:
        return len(self.rows)


def places(head_box: Array, body_box: Array, aspect: float) -> Array:
    """Return where people are (N, 4): middle and top of the body, its width and height; by the head if that is all.

    Args:
        head_box: (N, 4) fractions of the frame, NaN unknown.
        body_box: (N, 4) the same.
        aspect: width of the frame over its height.
    """
    wide = np.array([aspect, 1, aspect, 1])
    head, body = to_anchored(head_box * wide), to_anchored(body_box * wide)
    head[:, 2:] *= _BODY_IN_HEADS
    return np.asarray(np.where(np.isnan(body[:, :1]), head, body))


def camera_path(frame: Array, track_id: Array, place: Array, frames: int) -> Array:
    """Return how far the picture has moved until each frame (F, 2): the median of the steps of all who are in two.

    Args:
        frame: (N,) rows of people seen, by frame.
        track_id: (N,).
        place: (N, 4) see `places`.
        frames: how many there are.
    """
    order = np.lexsort((frame, track_id))
    follows = (np.diff(track_id[order]) == 0) & (np.diff(frame[order]) == 1)
    step = np.diff(place[order, :2], axis=0)[follows]
    at = frame[order][1:][follows]
    step, at = step[np.argsort(at, kind="stable")], np.sort(at)
    steps = np.zeros((frames, 2))
    for number, first, count in zip(*np.unique(at, return_index=True, return_counts=True), strict=True):
        if count >= _LEAST_WITNESSES:
            steps[number] = np.median(step[first : first + count], axis=0)
    return np.cumsum(steps, axis=0)


def fragments_of(
    pts_ns: Array, track_id: Array, body_box: Array, place: Array, path: Array, aspect: float
) -> Fragments:
    """Cut tracks where somebody was out of sight.

    Args:
        pts_ns: (N,) of the rows in which people are seen.
        track_id: (N,).
        body_box: (N, 4) fractions of the frame, NaN unknown.
        place: (N, 4) see `places`.
        path: (N, 2) see `camera_path`, of each row's frame.
        aspect: width of the frame over its height.
    """
    order = np.lexsort((pts_ns, track_id))
    cuts = np.flatnonzero((np.diff(track_id[order]) != 0) | (np.diff(pts_ns[order]) > _CUT_NS)) + 1
    rows = sorted(np.split(order, cuts), key=lambda mine: (pts_ns[mine[0]], track_id[mine[0]]))
    still = np.column_stack([place[:, :2] - path, place[:, 2:]])
    ends = np.array([[_end(pts_ns, still, mine, last) for last in (False, True)] for mine in rows])  # (M, 2, 6)
    edges = np.array([[mine[0], mine[-1]] for mine in rows])
    outward = ends[..., 2:4] * np.array([-1.0, 1.0])[None, :, None]
    soon = place[edges, :2] + _LEAVES_S * outward
    box = body_box[edges]
    leaves = (soon[..., 0] < 0) | (soon[..., 0] > aspect) | (soon[..., 1] + place[edges, 3] / 2 > 1)
    leaves |= (box[..., 0] < 0.01) | (box[..., 2] > 0.99)
    hidden = _covered(pts_ns, body_box, edges.ravel()).reshape(-1, 2)
    return Fragments(
        rows=tuple(rows),
        track_id=track_id[edges[:, 0]],
        span_ns=pts_ns[edges],
        place=ends[..., :2],
        speed=ends[..., 2:4],
        height=ends[..., 5],
        width=ends[..., 4],
        leaves=leaves,
        hidden=hidden,
    )


def links(pieces: Fragments) -> tuple[Array, Array, Array]:
    """Return which fragments may follow which, and what that is worth: earlier (K,), later (K,), gain (K,) above 0.

    A way out of sight is taken to go on half as it ended and half as it begins again, each fading as people's speeds
    do; what it misses, what sizes differ and how long it took count against the link.
    """
    first_ns, last_ns = pieces.span_ns.T
    begin = np.searchsorted(first_ns, last_ns, "right")
    end = np.searchsorted(first_ns, last_ns + _MAX_GAP_NS, "right")
    count = np.maximum(end - begin, 0)
    a = np.repeat(np.arange(len(pieces)), count)
    b = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count) + begin[a]
    gap_s = (first_ns[b] - last_ns[a]) / 1e9
    walked_s = _PERSISTENCE_S * -np.expm1(-gap_s / _PERSISTENCE_S)
    way = pieces.place[a, 1] + walked_s[:, None] * (pieces.speed[a, 1] + pieces.speed[b, 0]) / 2
    tall_a, tall_b = pieces.height[a, 1], pieces.height[b, 0]
    miss = np.linalg.norm(pieces.place[b, 0] - way, axis=1) / np.sqrt(tall_a * tall_b)
    gain = _SURE - miss / (_STRAY[0] + _STRAY[1] * gap_s) - _WAIT_WEIGHT * gap_s
    gain -= _SIZE_WEIGHT * np.abs(np.log(tall_a / tall_b))
    gain -= _EXIT_WEIGHT * (pieces.leaves[a, 1].astype(float) + pieces.leaves[b, 0])
    gain += _HIDDEN[0] * (pieces.hidden[a, 1] + pieces.hidden[b, 0] - _HIDDEN[1])
    same = pieces.track_id[a] == pieces.track_id[b]
    following = np.flatnonzero(same)
    _, nearest = np.unique(a[following], return_index=True)  # of its later fragments, the next
    gain[following[nearest]] += _SAME_TRACK
    good = gain > 0
    return a[good], b[good], gain[good]


def straightness(pieces: Fragments, a: Array, b: Array) -> Array:
    """Return how far in the middle of the gaps between fragments a (K,) and b (K,) the straight way may be wrong.

    In frame heights: the speeds before and after differ from that of the straight way, so it bends.
    """
    gap_s = ((pieces.span_ns[b, 0] - pieces.span_ns[a, 1]) / 1e9)[:, None]
    straight = (pieces.place[b, 0] - pieces.place[a, 1]) / gap_s
    off = np.linalg.norm(pieces.speed[a, 1] - straight, axis=1) + np.linalg.norm(pieces.speed[b, 0] - straight, axis=1)
    return np.asarray(off / 2 * gap_s[:, 0] / 8)


def _end(pts_ns: Array, still: Array, rows: Array, last: bool) -> list[float]:
    """Return x, y, their speeds, width and height at one end of a fragment, by a line through its last sights."""
    times_ns = pts_ns[rows]
    near = rows[times_ns >= times_ns[-1] - _PACE_NS] if last else rows[times_ns <= times_ns[0] + _PACE_NS]
    edge = near[-1 if last else 0]
    sides = np.median(still[near, 2:], axis=0)
    if pts_ns[near[-1]] - pts_ns[near[0]] <= _LEAST_PACE_NS or len(near) < 3:
        return [*still[edge, :2], 0.0, 0.0, *sides]
    since = (pts_ns[near] - pts_ns[near].mean()) / 1e9
    middle = still[near, :2].mean(axis=0)
    speed = since @ (still[near, :2] - middle) / (since @ since + 0.02)  # a short look tells less speed
    at = (pts_ns[edge] - pts_ns[near].mean()) / 1e9
    return [*(middle + speed * at), *speed, *sides]


def _covered(pts_ns: Array, body_box: Array, which: Array) -> Array:
    """Return the largest share of each of some boxes (K,) that another of its frame covers: (K,), 0 to 1."""
    order = np.argsort(pts_ns, kind="stable")
    begin, end = (np.searchsorted(pts_ns[order], pts_ns[which], side) for side in ("left", "right"))
    share = np.zeros(len(which))
    for k, row in enumerate(which.tolist()):
        others = order[begin[k] : end[k]]
        others = others[others != row]
        area = float(sizes(body_box[row : row + 1]).prod())
        if len(others) and area > 0:
            share[k] = min(float(intersections(body_box[row : row + 1], body_box[others]).max()) / area, 1.0)
    return share
