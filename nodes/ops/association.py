"""Which head belongs to which body."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.boxes import centres, share_inside, sizes

Array = np.ndarray[Any, np.dtype[Any]]

_SIDE_REACH = 0.75
"""Head centre this far from the body's middle line, in body widths: no fit. Bodies lean and carry things."""
_DROP_REACH = 3.0
"""Top of the head this far from the top of the body, in head heights: no fit. Raised arms reach about 2.5."""
_HEAD_SHARE = np.log([0.04, 0.08, 0.7, 1.2])
"""Head height over body height: fits fully between the inner two, not at all outside the outer two. Standing adults
have 0.13, a head and shoulders above a counter 0.6."""


def fit_in_body(heads: Array, bodies: Array) -> Array:
    """Return how well each head fits each body as its own head: (N, M) float64, 0 not at all to 1.

    The product of four parts: which share of the head lies in the body box; how near its centre is to the body's
    middle line; how near its top is to the body's top, in head heights; and whether its size is that of a head of
    such a body.

    Args:
        heads: (N, 4) xyxy.
        bodies: (M, 4) xyxy, same space.
    """
    heads, bodies = heads.astype(np.float64), bodies.astype(np.float64)
    if not len(heads) or not len(bodies):
        return np.zeros((len(heads), len(bodies)))
    head_height = np.maximum(sizes(heads)[:, 1:2], 1e-9)  # (N, 1)
    body_width, body_height = np.maximum(sizes(bodies), 1e-9).T  # (M,)
    aside = np.abs(centres(heads)[:, 0:1] - centres(bodies)[:, 0]) / body_width
    drop = np.abs(heads[:, 1:2] - bodies[:, 1]) / head_height
    size = np.interp(np.log(head_height / body_height), _HEAD_SHARE, [0.0, 1.0, 1.0, 0.0])
    upright = np.maximum(1 - aside / _SIDE_REACH, 0) * np.maximum(1 - drop / _DROP_REACH, 0)
    fit: Array = share_inside(heads, bodies) * upright * size
    return fit
