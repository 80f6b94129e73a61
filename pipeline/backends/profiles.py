"""The shapes that an engine is built for: for each free axis of a model the least, the usual and the most rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.backends.backend import Tensors

Extents = tuple[int, int, int]
"""Least, usual and most of an axis: least <= usual <= most."""
Shapes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Least, usual and most shape of an input."""

MOST_ROWS = 32
"""An engine takes so many rows of anything at most, unless told otherwise: heads of frames that go into one call."""
USUAL_ROWS = 4
"""What it is tuned for."""
MOST_BYTES = 64 << 20
"""An input grows to so many bytes at most, unless told otherwise: what an engine needs grows with it many times."""


@dataclass(frozen=True)
class Profile:
    """The shapes of the inputs that an engine takes, by the names of the file."""

    shapes: Mapping[str, Shapes]

    def holds(self, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Tell whether an engine takes inputs of these shapes, by name."""
        return shapes.keys() == self.shapes.keys() and all(
            len(shape) == len(self.shapes[name][0]) and _within(shape, self.shapes[name])
            for name, shape in shapes.items()
        )

    def words(self, which: int) -> str:
        """Return the least (0), usual (1) or most (2) shapes as ONNX Runtime wants them: `x:1x3x288x480,row:1`."""
        return ",".join(f"{name}:{'x'.join(map(str, shapes[which]))}" for name, shapes in self.shapes.items())

    def __str__(self) -> str:
        return " to ".join((self.words(0), self.words(2))) + f", tuned for {self.words(1)}"


def profile_of(inputs: Tensors, extents: Mapping[str, Extents]) -> Profile:
    """Return the shapes to build an engine for.

    A free axis takes 1 to 32 rows, fewer where a row is large; an axis of a name has the same extents in all inputs.

    Args:
        inputs: of the model; free axes have names.
        extents: of axes, by name, where they are to be others.

    Raises:
        ValueError: an input has two axes or more whose extents nothing tells.
    """
    found = dict(extents)
    for name, (shape, dtype) in inputs.items():
        free = [axis for axis in dict.fromkeys(shape) if not isinstance(axis, int) and axis not in extents]
        if len(free) > 1:
            axes = ", ".join(map(str, free))
            raise ValueError(f"input {name!r}: expected one axis of any extent at most, got {axes}: nothing tells them")
        for axis in free:
            others = [one if isinstance(one, int) else extents[str(one)][2] for one in shape if one != axis]
            row_bytes = math.prod(others) * np.dtype(dtype).itemsize
            most = max(1, min(MOST_ROWS, MOST_BYTES // max(row_bytes, 1)))
            before = found.get(str(axis))
            most = min(most, before[2]) if before else most
            found[str(axis)] = (1, min(USUAL_ROWS, most), most)
    shapes = {}
    for name, (shape, _) in inputs.items():
        ranges = [(axis,) * 3 if isinstance(axis, int) else found[str(axis)] for axis in shape]
        least, usual, most_rows = (tuple(one[which] for one in ranges) for which in range(3))
        shapes[name] = (least, usual, most_rows)
    return Profile(shapes)


def _within(shape: tuple[int, ...], shapes: Shapes) -> bool:
    return all(low <= got <= high for low, got, high in zip(shapes[0], shape, shapes[2], strict=True))
