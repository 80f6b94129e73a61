"""The lens of a stream's camera, from what its configuration says of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.distance import lens_of
from pipeline.intrinsics import intrinsics
from pipeline.streams import StreamConfig

Array = np.ndarray[Any, np.dtype[Any]]


def lens_of_stream(config: StreamConfig, size_wh: Array) -> Array | None:
    """Return the lens (3, 3), from where points are seen by the camera to fractions of the frame; None where unknown.

    Args:
        config: of the stream: its `camera_matrix` goes first, then its `hfov_deg`.
        size_wh: (2,) width and height of the upright frame, pixels.
    """
    if config.camera_matrix is not None:
        lens = intrinsics(config.camera_matrix)
        lens[:2] /= np.array(config.camera_size_wh or size_wh, np.float64)[:, None]
        if config.camera_origin == "centre":
            lens[:2, 2] += 0.5
        return lens
    if config.hfov_deg is not None:
        return lens_of(config.hfov_deg, float(size_wh[0] / size_wh[1]))
    return None
