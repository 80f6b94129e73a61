"""Time calls in turns, so that what else the machine does falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.errors import ConfigError

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""By the name of the device."""

Times = dict[str, list[float]]


def open_engine(path: Path, device: str) -> Any:
    """Open a file with ONNX Runtime, on one thread of the CPU or on the GPU.

    Raises:
        ConfigError: there is no such device for it.
    """
    import onnxruntime

    if PROVIDERS[device] not in onnxruntime.get_available_providers():
        raise ConfigError(
            f"--device {device}: expected {PROVIDERS[device]}, got ONNX Runtime without it; see the extras"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=[PROVIDERS[device]])


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> Times:
    """Return milliseconds of each call of each round.

    Args:
        calls: by name.
        rounds: every other one goes through the calls backwards.
        clock: seconds.
    """
    spent: Times = {name: [] for name in calls}
    for number in range(rounds):
        for name, call in list(calls.items())[:: 1 if number % 2 == 0 else -1]:
            begin = clock()
            call()
            spent[name].append(1e3 * (clock() - begin))
    return spent


def clock_of(device: str) -> Callable[[], float]:
    """Return the clock that tells what a call costs: that of the processor, on a GPU the one on the wall."""
    return time.process_time if device == "cpu" else time.perf_counter


def ratio(times: Times, one: str, other: str) -> float:
    """Return how many times as long `one` takes as `other`: of each round, and of these the median."""
    return median(a / b for a, b in zip(times[one], times[other], strict=True))
