"""What a session asks of whatever executes a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.card_contract import Shape

Tensors = dict[str, tuple[Shape, str]]
"""Shape and dtype of inputs or outputs, by name."""


class Runner(Protocol):
    """Executes a model on arrays of a device."""

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """Run the model once, after all that the calling thread began on the device before.

        Args:
            inputs: contiguous arrays of the device, by the names of the file, with dtypes and axes that fit.
            outputs: those that are wanted, by the names of the file.

        Returns:
            An array on the device for each output. They are the caller's: no later run touches them.
        """

    def close(self) -> None:
        """Let go of the model; `run` must not be called afterwards."""


class Backend(Runner, Protocol):
    """A runner that knows what its file declares."""

    @property
    def inputs(self) -> Tensors:
        """Inputs that must be fed, by the names of the file."""

    @property
    def spare(self) -> Tensors:
        """Inputs for which the file has a value."""

    @property
    def outputs(self) -> Tensors:
        """All outputs, by the names of the file."""


@dataclass(frozen=True)
class Model:
    """A model that is open, and all that is needed to have something else execute it."""

    name: str
    """Of its card."""
    content: bytes
    """An ONNX file, checked: what ran under the contract of the card, in which all inputs must be fed."""
    inputs: Tensors
    """By the names of the file, with extents where the card or the file fixes them, else the card's names of axes."""
    outputs: tuple[str, ...]
    """Those that the card names, as the file calls them."""
    trial: Mapping[str, Any] | None
    """Made-up inputs on which the model runs; None where it runs on none that are made up."""


def one_line(error: Exception) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split())
