"""How far away a head is: the angle under which it is seen, and how large heads are.

One pinhole camera: a point at (u, v) of the frame is seen along the ray `inverse @ (u, v, 1)`. The left and the right
edge of a box are planes through the camera, the upper and the lower one are, too. A ball that touches both planes of a
pair is as far from the line in which they meet as half the angle between them says, wherever in the picture it is seen:
wide pictures draw out what is near their edges, and that is made up for exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

TURNS = np.arange(8) * (np.pi / 4)
"""Turn of the head in each of the eight directions, radians from the camera."""


def lens_of(hfov_deg: float, aspect: float) -> Array:
    """Return the lens (3, 3) of a camera with square pixels that looks along the middle of its frame.

    Args:
        hfov_deg: horizontal field of view, more than 0 and less than 180.
        aspect: width of the frame over its height.

    Returns:
        From where points are seen by the camera to fractions of the frame.
    """
    focal = 0.5 / np.tan(np.radians(hfov_deg) / 2)
    return np.array([[focal, 0, 0.5], [0, focal * aspect, 0.5], [0, 0, 1.0]])


def sights(boxes: Array, inverse: Array) -> tuple[Array, Array]:
    """Return under which angles boxes are seen, and where what fills them is.

    Args:
        boxes: (N, 4) fractions of the frame.
        inverse: (N, 3, 3) inverse of the lens of each.

    Returns:
        Angles (N, 2) between the left and right, and the upper and lower edges, radians; unit vectors (N, 3) to
        image-right, down and away, along which the middle is seen: that of the angles, not that of the box.
    """
    low, high = (_tangents(boxes[:, side : side + 2], inverse) for side in (0, 2))
    low, high = np.arctan(low), np.arctan(high)
    along = np.concatenate([np.tan((low + high) / 2), np.ones((len(boxes), 1))], axis=1)
    return high - low, along / np.linalg.norm(along, axis=1, keepdims=True)


def seen_width_m(direction_scores: Array, width_m: float, depth_m: float) -> Array:
    """Return how wide heads look (N,): from ear to ear in front, from nose to nape from the side.

    A head from above is an ellipse; turned by an angle it is `sqrt((width cos)² + (depth sin)²)` wide. Squares are
    averaged over what the scores of the directions say; where these say nothing, over all turns.

    Args:
        direction_scores: (N, 8), 0 front, then by 45°.
        width_m: from ear to ear, metres.
        depth_m: from nose to nape, metres.
    """
    scores = direction_scores.astype(np.float64)
    whole = scores.sum(axis=1)
    front = np.divide(scores @ np.cos(TURNS) ** 2, whole, out=np.full_like(whole, 0.5), where=whole > 0)
    return np.asarray(np.sqrt(width_m**2 * front + depth_m**2 * (1 - front)))


def metres(angle: Array, along: Array, axis: int, size_m: Array | float) -> Array:
    """Return how far away something is (N,), from the camera to its middle: metres.

    Args:
        angle: (N,) radians, more than 0, between the planes that it touches.
        along: (N, 3) unit vectors to its middle.
        axis: 0 for planes of left and right, 1 for those of above and below.
        size_m: (N,) or one for all: its size across the line of sight.
    """
    from_line = size_m / (2 * np.tan(angle / 2))
    return np.asarray(from_line / np.hypot(along[:, axis], along[:, 2]))


def head_distance_m(angles: Array, along: Array, width_m: Array, height_m: float, cut: Array) -> Array:
    """Return the distances (N,) of heads, metres; NaN where nothing of the box can be trusted.

    The geometric mean of what width and height say: their errors are shares of the distance and mostly not the same.
    What the edge of the picture cuts off says nothing.

    Args:
        angles: (N, 2) radians, of width and height.
        along: (N, 3) unit vectors to the middle.
        width_m: (N,) how wide each head looks.
        height_m: how high heads are.
        cut: (N, 2) bool: whether width, or height, is cut off.
    """
    with np.errstate(divide="ignore"):
        each = metres(angles[:, 0], along, 0, width_m), metres(angles[:, 1], along, 1, height_m)
        told = np.log(np.stack(each, axis=1))
    good = ~cut & np.isfinite(told)
    count = good.sum(axis=1)
    mean = np.divide(np.where(good, told, 0).sum(axis=1), count, out=np.full(len(told), np.nan), where=count > 0)
    return np.asarray(np.exp(mean))


def _tangents(points: Array, inverse: Array) -> Array:
    """Return how far aside and down points (N, 2) are seen (N, 2), per unit of depth."""
    along = np.einsum("nij,nj->ni", inverse, np.concatenate([points, np.ones((len(points), 1))], axis=1))
    return np.asarray(along[:, :2] / along[:, 2:])
