"""Rotations of heads from the outputs of pose models, as their cards describe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nodes.adapters.card_angles import degrees
from nodes.ops import rotations as rot
from pipeline.card_fields import HeadPoseOutputs

Array = np.ndarray[Any, np.dtype[Any]]


def rotations_told(answer: Mapping[str, Array], outputs: HeadPoseOutputs) -> Array:
    """Return rotations (K, 3, 3) in our convention (`ops.rotations`) of outputs by name, NaN where there is none."""
    with np.errstate(invalid="ignore"):  # no angle is no rotation
        if outputs.rotation:
            given = answer[outputs.rotation].astype(np.float64)
            turned = rot.from_six(given) if given.ndim == 2 else given
            turned = np.swapaxes(turned, 1, 2) if outputs.transposed else turned
            return np.asarray(turned * np.outer(outputs.axes, outputs.axes))
        if outputs.vector:
            return rot.towards(answer[outputs.vector][:, :3] * np.array(outputs.axes))
        angles = [degrees(answer, angle) for angle in outputs.angles]
        return rot.matrices(np.stack(angles, axis=1), outputs.order)
