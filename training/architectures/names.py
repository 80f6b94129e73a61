"""All architectures by the names of the cards whose files they stand for."""

from __future__ import annotations

from training.architectures.crop_models import crop_architectures
from training.architectures.deim import deim_architectures
from training.architectures.gaze import gaze_architectures
from training.architectures.plain_detectors import plain_architectures
from training.architectures.spec import Architecture


def architectures() -> dict[str, Architecture]:
    """Return all architectures by name."""
    return {**gaze_architectures(), **deim_architectures(), **plain_architectures(), **crop_architectures()}
