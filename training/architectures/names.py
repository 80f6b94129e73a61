"""All architectures by the names of the cards whose files they stand for."""

from __future__ import annotations

from training.architectures.deim import deim_architectures
from training.architectures.gaze import gaze_architectures
from training.architectures.spec import Architecture


def architectures() -> dict[str, Architecture]:
    """Return all architectures by name."""
    return {**gaze_architectures(), **deim_architectures()}
