"""Check and measure the CUDA device on a GPU: `make gpu-check`. Without a GPU it says so, and that is no failure.

Each check imports only what it checks, so that a machine with little installed tells what it can; a check that lacks a
package is `not run`, with the name of the package. Nothing of the card's settings is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import cuda_engines, cuda_runs, cuda_trace
from benchmarks.cuda_runs import Figures, WrongError
from benchmarks.noise_frames import frames_of
from pipeline.cuda.driver import no_device

FULL_HD, INPUT = (1920, 1080), (480, 288)
TICKS, REPEATS = 1000, 50
TOLERANCE = 6.0
"""Grey levels between a model input made on the GPU and on the CPU, which rounds to whole ones in between."""

MAPS_TOLERANCE = 1e-5
"""Sides of the frame, or shares of a map, between what is read off maps on the GPU and on the CPU."""
HEADS = (3, 32, 320)
"""A camera, a crowd, and what many cameras give together."""


def pixels() -> Figures:
    """Model inputs and crops of the GPU beside those of the CPU, and what they take."""
    import time

    import numpy as np

    from pipeline.device_cpu import CpuDevice
    from pipeline.device_cuda import CudaDevice

    cpu, cuda = CpuDevice(), CudaDevice()
    told: Figures = {}
    batch = frames_of(4, FULL_HD, 1)
    boxes, rows = np.tile([0.21, 0.13, 0.27, 0.26], (10, 1)), np.arange(10) % 4
    makes: dict[str, Callable[[Any], Any]] = {
        "model_input": lambda device: device.model_input(batch, INPUT, shrink="linear"),
        "letterbox": lambda device: device.model_input(batch, (416, 416), how="letterbox", dtype="uint8"),
        "crops": lambda device: device.crops(batch, rows, boxes, (224, 224), "rgb"),
    }
    for name, make in makes.items():
        apart = float(np.abs(cuda.to_host(make(cuda)).astype(np.float32) - make(cpu)).max())
        if apart > TOLERANCE:
            raise WrongError(f"{name}: expected at most {TOLERANCE} grey levels from the CPU, got {apart:.2f}")
        told[f"{name}_apart"] = round(apart, 2)
        begin = time.perf_counter()
        for _ in range(REPEATS):
            made = make(cuda)
        cuda.to_host(made)
        told[f"{name}_ms"] = round(1e3 * (time.perf_counter() - begin) / REPEATS, 3)
    copies, size = cuda.traffic.total("to_device", "pictures")
    if copies != len(batch):
        raise WrongError(f"pictures: expected {len(batch)} uploads, got {copies}")
    return told | {"bytes_a_picture": size // copies}


def memory() -> Figures:
    """What the pool of the device holds after many ticks of new pictures, beside what it held after a few."""
    from pipeline.device_cuda import CudaDevice

    cuda, used = CudaDevice(), []
    for tick in range(TICKS):
        cuda.to_host(cuda.model_input(frames_of(1, (320, 192), tick), (160, 96)))
        used.append(cuda.held_bytes())
    if used[-1] > max(used[:20]):
        raise WrongError(
            f"memory: expected at most {max(used[:20])} bytes after {TICKS} ticks, as after 20, got {used[-1]}"
        )
    return {"pool_bytes": used[-1]}


def maps() -> Figures:
    """Gaze maps read on the GPU beside brought to the host and read there, and milliseconds of both, by heads."""
    import time

    import numpy as np

    from nodes.ops.heatmap import cell_centres, hills, refined_peaks
    from nodes.ops.mass import cell_shares_of_maps, in_areas
    from pipeline.device_cuda import CudaDevice

    cuda, rng, told = CudaDevice(), np.random.default_rng(5), Figures()
    cells = rng.random((8, 64, 64))

    def read(there: Any, xp: Any) -> list[Any]:
        x = y = cell_centres(64, xp)
        masses = in_areas(cell_shares_of_maps(there), xp.asarray(cells), xp.zeros((0, 4)))
        return [refined_peaks(there, x, y), *hills(there, x, y, 0.5), masses]

    for heads in HEADS:
        there = cuda.xp.asarray(rng.random((heads, 64, 64)).astype(np.float32))
        ways: dict[str, Callable[[Any], list[Any]]] = {
            "there": lambda maps: cuda.all_to_host(*read(maps, cuda.xp)),
            "brought_here": lambda maps: read(cuda.to_host(maps), np),
        }
        answers = {}
        for way, take in ways.items():
            answers[way] = take(there)
            begin = time.perf_counter()
            for _ in range(REPEATS):
                take(there)
            told[f"{heads}_heads_{way}_ms"] = round(1e3 * (time.perf_counter() - begin) / REPEATS, 3)
        apart = max(float(np.abs(a - b).max()) for a, b in zip(*answers.values(), strict=True))
        if apart > MAPS_TOLERANCE:
            raise WrongError(f"{heads} maps: expected at most {MAPS_TOLERANCE} from the CPU, got {apart:.2g}")
        told[f"{heads}_heads_apart"] = apart
    return told


def models() -> Figures:
    """The shipped models on ONNX Runtime's CUDA provider beside the CPU, and milliseconds of a call."""
    import time
    from pathlib import Path

    import numpy as np
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ModuleNotFoundError("onnxruntime-gpu")
    from pipeline.device_cpu import CpuDevice
    from pipeline.device_cuda import CudaDevice
    from pipeline.session import open_session

    root, rng = Path(__file__).resolve().parents[1], np.random.default_rng(2)
    told: Figures = {}
    given = {
        "people-shop-480": {"input_bgr": rng.uniform(0, 255, (4, 3, 288, 480)).astype(np.float32)},
        "gaze-shop-480": {
            "image_bgr": rng.uniform(0, 255, (1, 3, 288, 480)).astype(np.float32),
            "bboxes_x1y1x2y2": np.tile(np.array([0.4, 0.2, 0.5, 0.4], np.float32), (1, 10, 1)),
        },
    }
    for name, inputs in given.items():
        answers = {}
        for device in (CpuDevice(), CudaDevice()):
            session = open_session(name, device, root)
            there = {key: device.xp.asarray(array) for key, array in inputs.items()}
            answer = session.run(there)
            begin = time.perf_counter()
            for _ in range(REPEATS):
                answer = session.run(there)
            answers[device.kind] = {key: device.to_host(array) for key, array in answer.items()}
            told[f"{name}_{device.kind}_ms"] = round(1e3 * (time.perf_counter() - begin) / REPEATS, 2)
        apart = max(float(np.abs(answers["cpu"][key] - answers["cuda"][key]).max()) for key in answers["cpu"])
        told[f"{name}_apart"] = round(apart, 5)
    return told


CHECKS: dict[str, Callable[[], Figures]] = {
    "pixels": pixels,
    "memory": memory,
    "maps": maps,
    "models": models,
    "heads": cuda_runs.heads,
    "recorded": cuda_engines.recorded,
    "true size": cuda_engines.true_size,
    "decode": cuda_runs.decode,
    "graph": cuda_runs.graph,
    "races": cuda_runs.races,
    "zero copy": cuda_runs.zero_copy,
    "trace": cuda_trace.trace,
    "streams": cuda_runs.streams,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks that are named, or all, and return the exit code: 1 when one failed."""
    if why := no_device():
        print(f"skipped: no CUDA device: {why}")
        return 0
    failed = 0
    for name in argv or CHECKS:
        try:
            figures = CHECKS[name]()
        except ModuleNotFoundError as error:
            print(f"{name}: not run: no {error.name or error}")
            continue
        except Exception as error:  # a check that breaks must not keep the others from being run
            print(f"{name}: FAILED: {type(error).__name__}: {error}")
            failed += 1
            continue
        print(f"{name}: right")
        for key, value in figures.items():
            print(f"  {key:<44} {value}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
