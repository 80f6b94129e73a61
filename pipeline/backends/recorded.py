"""Runs of an engine that are always alike, recorded as CUDA graphs: one launch in place of one for each kernel.

A CUDA graph reads and writes at the addresses that it was recorded with. So a recorded run has memory and an execution
context of its own; inputs are copied there and outputs from there, on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.device import Device

MOST = 4
"""Shapes of which a thread records runs; each takes the memory of an execution context."""

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Recorded:
    """A run that can be repeated, on the stream of the thread that it belongs to."""

    device: Device
    context: Any
    """What it was recorded with: belongs to it alone, for as long as it is repeated."""
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    repeat: Callable[[], None]

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Begin the run on inputs of the shapes that it was recorded with; outputs are the caller's."""
        for name, array in inputs.items():
            self.device.xp.copyto(self.inputs[name], array)
        self.repeat()
        return {name: array.copy() for name, array in self.outputs.items()}


@dataclass
class Recordings:
    """The recorded runs of one thread, by the shapes of their inputs."""

    seen: set[Shapes] = field(default_factory=set)
    by_shapes: dict[Shapes, Recorded] = field(default_factory=dict)

    def of(self, inputs: Mapping[str, Any], record: Callable[[Mapping[str, Any]], Recorded]) -> Recorded | None:
        """Return the recorded run for inputs; `record` makes it when their shapes come for the second time.

        None for shapes that come for the first time, and for those that come when `MOST` others are recorded.
        """
        shapes = tuple((name, tuple(array.shape)) for name, array in inputs.items())
        if shapes not in self.by_shapes and len(self.by_shapes) < MOST:
            if shapes in self.seen:
                self.by_shapes[shapes] = record(inputs)
            self.seen.add(shapes)
        return self.by_shapes.get(shapes)
