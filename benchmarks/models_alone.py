"""What a call of a model takes by itself, for one picture."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np

from benchmarks.models_calls import clock_of, in_turns, open_engine
from benchmarks.models_files import ModelFile

ROUNDS = 10


def measure_alone(file: ModelFile, device: str) -> float:
    """Return milliseconds of a call with one picture of noise, of the size that the card says."""
    engine = open_engine(file.path, device)
    (given,) = engine.get_inputs()
    (spec,) = file.card.contract.inputs.values()
    width, height = file.card.input_size_wh or (1, 1)
    named = {"H": height, "W": width}
    shape = [extent if isinstance(extent, int) else named.get(extent, 1) for extent in spec.shape]
    low, high = spec.range or (0, 255)
    picture: Any = np.random.default_rng(0).uniform(low, high, shape).astype(spec.dtype)
    times = in_turns({"ms": lambda: engine.run(None, {given.name: picture})}, 1 + ROUNDS, clock_of(device))
    return round(median(times["ms"][1:]), 2)  # the first call is dearer
