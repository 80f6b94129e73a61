"""Points against polygons: inside or not, and how far outside."""

from __future__ import annotations

import numpy as np


def inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Tell which points lie in a polygon by the even-odd rule.

    A point is inside when a ray from it to the right crosses an odd number of edges. Edges are half open (an edge owns
    its end with the smaller y), so a vertex is crossed once. Points exactly on the boundary may fall on either side;
    `distance()` decides them. NaN points are outside.

    Args:
        points: (N, 2) float.
        polygon: (K, 2) float vertices, any winding, closed by itself; may cross itself.

    Returns:
        (N,) bool.
    """
    x, y = points[:, :1], points[:, 1:]
    x1, y1 = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.roll(x1, -1), np.roll(y1, -1)
    spans = (y1 <= y) != (y2 <= y)  # (N, K)
    rise = np.where(y1 == y2, 1.0, y2 - y1)  # a level edge spans no point
    crossed = spans & (x < x1 + (y - y1) * (x2 - x1) / rise)
    return np.asarray(crossed.sum(axis=1) % 2 == 1)


def distance(points: np.ndarray, polygon: np.ndarray, aspect: np.ndarray) -> np.ndarray:
    """Return how far points lie outside a polygon, 0 inside and on the edge, in fractions of the frame height.

    Args:
        points: (N, 2) float, fractions of the frame.
        polygon: (K, 2) float vertices, fractions of the frame.
        aspect: (N,) float, width of the frame of each point over its height.

    Returns:
        (N,) float64; NaN for NaN points.
    """
    scale = np.stack([aspect, np.ones_like(aspect)], axis=-1)[:, None].astype(np.float64)  # (N, 1, 2)
    start = polygon[None] * scale  # (N, K, 2)
    along = np.roll(polygon, -1, axis=0)[None] * scale - start
    offset = points[:, None] * scale - start
    length2 = np.maximum((along**2).sum(-1), np.finfo(np.float64).tiny)  # a vertex given twice has no length
    share = np.clip((offset * along).sum(-1) / length2, 0.0, 1.0)
    to_edge = np.sqrt(((offset - share[..., None] * along) ** 2).sum(-1)).min(axis=1)
    return np.where(inside(points, polygon), 0.0, to_edge)
