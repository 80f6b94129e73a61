"""What an architecture is: the network, and the names and shapes of its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Shape = tuple[int | str, ...]

_TRACED_EXTENT = 2
"""What an axis of any extent has while the network is traced."""
_PATCHES = (12, 12)
"""Rows and columns of patches in a random picture."""
_BOX_SIZES = (0.05, 0.25)
"""Least and largest sides of random boxes."""


@dataclass(frozen=True)
class Input:
    """An input of a file.

    Attributes:
        shape: a name stands for an axis of any extent.
        low, high: range of the values.
        boxes: the last axis is x1, y1, x2, y2, fractions.
    """

    shape: Shape
    low: float = 0.0
    high: float = 255.0
    boxes: bool = False

    def random(self, generator: torch.Generator, extents: dict[str, int]) -> Tensor:
        """Return random values; axes that `extents` does not name have extent 2."""
        shape = [extents.get(n, _TRACED_EXTENT) if isinstance(n, str) else n for n in self.shape]
        values = torch.rand(shape, generator=generator)
        if len(shape) == 4:  # a picture: convolutions would average plain noise away
            patches = torch.rand(*shape[:2], *_PATCHES, generator=generator)
            values = (values + 3 * F.interpolate(patches, size=shape[2:], mode="bilinear")) / 4
        values = self.low + (self.high - self.low) * values
        if self.boxes:
            size = _BOX_SIZES[0] + (_BOX_SIZES[1] - _BOX_SIZES[0]) * values[..., 2:]
            corner = values[..., :2] * (1 - size)
            values = torch.cat([corner, corner + size], -1)
        return values


@dataclass(frozen=True)
class Architecture:
    """A network and its file.

    Attributes:
        file: name of the released file that this one stands for.
        build: makes the network with random weights; in evaluation mode it maps the inputs to the outputs, in order.
        steepen: changes the last weights so that the outputs on given inputs are neither flat nor saturated.
        inputs, outputs: by name; a name for an axis is the one that the file declares.
        opset: of the file.
        note: goes into the file.
    """

    file: str
    build: Callable[[], nn.Module]
    inputs: dict[str, Input]
    outputs: dict[str, Shape]
    steepen: Callable[[nn.Module, list[Tensor]], None] | None = None
    opset: int = 17
    note: str = "random weights"
