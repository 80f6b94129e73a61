"""What preparing a model of any family has in common: the rewritten model, what it is tried on, its new contract."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnx import ModelProto

from nodes.surgery.graph import Array
from nodes.surgery.trials import Trial
from pipeline.cards import ModelCard
from pipeline.errors import ModelError

SAME = 1e-4
"""Largest difference that a rewritten model may show from the released one, where both compute in single precision."""
TRIAL_FRAMES = 3
"""Pictures of each trial: enough to tell pictures from each other in one call."""
CALIBRATION_FRAMES = 32
"""Frames of clips from which the ranges of activations are taken."""
_ROUNDS = 3

Figures = dict[str, float]


@dataclass(frozen=True)
class Source:
    """What is to be prepared.

    Attributes:
        card: of the released file.
        path: the file.
        clips: footage that it is tried on.
        root: the checkout.
    """

    card: ModelCard
    path: Path
    clips: tuple[Path, ...]
    root: Path

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the model's pictures, pixels."""
        if self.card.input_size_wh is None:
            raise ModelError(f"model {self.card.name!r}: expected input_size_wh in its card, got none; add it")
        return self.card.input_size_wh


@dataclass
class Rewritten:
    """A model that computes the same from another input.

    Attributes:
        model: the model.
        steps: what was done, by name.
    """

    model: ModelProto
    steps: dict[str, Any] = field(default_factory=dict)


class Job(ABC):
    """Prepares one model."""

    def __init__(self, source: Source, released: ModelProto) -> None:
        self.source, self.released = source, released

    @abstractmethod
    def rewrite(self) -> Rewritten:
        """Return the model in single precision with its new input.

        Raises:
            ModelError: the file has a structure that is not known.
        """

    @abstractmethod
    def check(self, rewritten: Rewritten, trials: dict[str, Trial]) -> dict[str, Figures]:
        """Return how far a rewritten model is from the released one, by trial.

        Raises:
            ModelError: further than `SAME`.
        """

    @abstractmethod
    def speed(self, rewritten: Rewritten, trial: Trial) -> Figures:
        """Return milliseconds of calls of the released and of the rewritten model, on one thread of this machine."""

    @abstractmethod
    def apart(self, single: ModelProto, other: ModelProto, trials: dict[str, Trial]) -> dict[str, Figures]:
        """Return how far a model of another precision is from the one in single precision, by trial."""

    @abstractmethod
    def badness(self, figures: Figures) -> float:
        """Return how bad such a distance is; 1 is just good enough for half precision."""

    @abstractmethod
    def inputs(self, trial: Trial) -> dict[str, Array]:
        """Return the inputs of the rewritten model."""

    @abstractmethod
    def delicate(self, model: ModelProto) -> dict[str, Collection[str]]:
        """Return the names of nodes of the rewritten model that stay in single precision in any case, by reason."""

    @abstractmethod
    def coarse(self, model: ModelProto) -> Collection[str]:
        """Return the names of nodes of the rewritten model that are not quantised to 8 bits."""

    @abstractmethod
    def card_fields(self, model: ModelProto) -> dict[str, Any]:
        """Return what the card of the rewritten model says otherwise than that of the released one."""


def require_same(where: str, figures: dict[str, Figures], key: str) -> None:
    """Refuse a rewritten model that does not compute the same.

    Raises:
        ModelError: names the trial and the difference.
    """
    for trial, found in figures.items():
        if not found[key] <= SAME:
            raise ModelError(
                f"{where}: expected the rewritten model within {SAME:g} of the released one, got {found[key]:.3g} on "
                f"{trial} pictures; the file stays as it is"
            )


def milliseconds(calls: dict[str, Callable[[], object]]) -> Figures:
    """Return the least processor time of each call, taken in turns, milliseconds."""
    least = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call()
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            least[name] = min(least[name], 1e3 * (time.process_time() - begin))
    return least
