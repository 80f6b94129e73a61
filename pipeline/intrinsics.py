"""What a camera's matrix says of its lens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


def intrinsics(matrix: Sequence[Sequence[float]]) -> Array:
    """Return the lens of a camera: (3, 3) upper triangular, from where points are seen by the camera to pixels.

    Focal lengths are positive and the last element is 1. Where the camera stands and where it looks is left out.

    Args:
        matrix: 3 rows of 4 numbers, pixels from world in any unit, or of 3, pixels from the camera's axes.

    Raises:
        ValueError: it is no matrix of a pinhole camera.

    Ref: RQ decomposition; Hartley & Zisserman, "Multiple View Geometry", 2nd ed., section 6.2.4.
    """
    given = np.array(matrix, np.float64)
    if given.shape not in ((3, 3), (3, 4)) or not np.isfinite(given).all():
        raise ValueError(f"expected 3 rows of 3 or 4 finite numbers, got {given.tolist()!r}")
    left = given[:, :3]
    lengths = np.linalg.norm(left, axis=1)
    if not lengths.all() or abs(np.linalg.det(left / lengths[:, None])) < 1e-9:
        raise ValueError("expected the matrix of a pinhole camera, got one whose rows depend on each other")
    _, turned = np.linalg.qr(left[::-1].T)  # QR of the matrix turned about is its RQ
    upper = turned.T[::-1, ::-1]
    upper = upper * np.sign(np.diag(upper))
    return np.asarray(upper / upper[2, 2])
