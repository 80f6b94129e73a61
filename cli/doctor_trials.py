"""Try what a run needs, one thing in one process: `python -m cli.doctor_trials NAME` prints what was found as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cli.program import ROOT
from pipeline.cuda.driver import first_gpu, no_device

LEAST_FREE_BYTES = 2 * 10**9


@dataclass(frozen=True)
class Trial:
    """A trial: what it does, and what it cannot do without."""

    run: Callable[[], dict[str, str]]
    """Return `state`, `told` and perhaps `cure`; what it raises is what is wrong."""
    needs_packages: bool = True


def _machine() -> dict[str, str]:
    results = ROOT / "out" if (ROOT / "out").is_dir() else ROOT  # where they go, or where the folder would be made
    free = shutil.disk_usage(results).free
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    told = f"{cores} cores, {free / 1e9:.0f} GB free on the disk of the results"
    with tempfile.TemporaryFile(dir=results):
        pass
    if free < LEAST_FREE_BYTES:
        return {"state": "broken", "told": f"{told}; expected {LEAST_FREE_BYTES / 1e9:.0f} GB or more: make room"}
    return {"state": "works", "told": told}


def _video() -> dict[str, str]:
    import av
    import numpy as np

    count = 5
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "trial.mp4"))
        with av.open(path, "w") as written:
            stream = written.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for value in range(count):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * value, np.uint8), "bgr24")
                written.mux(stream.encode(frame))
            written.mux(stream.encode())
        with av.open(path) as read:
            got = sum(1 for _ in read.decode(video=0))
    if got != count:
        raise RuntimeError(f"H.264: expected {count} frames back, got {got}")
    return {"state": "works", "told": f"H.264 written and read again (PyAV {av.__version__})"}


def _models() -> dict[str, str]:
    return {"state": "works", "told": f"{', '.join(_run_once('cpu'))}: as they shipped, opened and run once"}


def _run_once(kind: Literal["cpu", "cuda"]) -> list[str]:
    """Open the models that ship on a device, and run them once each; return their names."""
    from pipeline.cards import load_card, names_of_all
    from pipeline.device import open_device
    from pipeline.session import Session

    device, shipped = open_device(kind), []
    for name in names_of_all(ROOT):
        card, path = load_card(name, ROOT)
        if card.shipped:
            Session(card, path, device).close()
            shipped.append(name)
    return shipped


def _events() -> dict[str, str]:
    import zmq

    with zmq.Context() as context, context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
        push.setsockopt(zmq.LINGER, 0)
        port = pull.bind_to_random_port("tcp://127.0.0.1")
        push.connect(f"tcp://127.0.0.1:{port}")
        push.send(b"trial")
        if not pull.poll(5000):
            raise RuntimeError("ZeroMQ: expected a message sent to 127.0.0.1, got none in 5 s; is loopback closed off?")
    return {"state": "works", "told": f"ZeroMQ {zmq.zmq_version()} on loopback"}


def _gpu() -> dict[str, str]:
    """Ask the driver itself, so that packages do not matter."""
    if why := no_device():
        return {"state": "absent", "told": why}
    gpu = first_gpu()
    version = f"driver {gpu.driver}".strip()
    return {"state": "works", "told": f"{gpu.count} of {gpu.name}, {version} for CUDA {gpu.cuda}"}


def _device() -> dict[str, str]:
    """Open the GPU as a run with `--device cuda` would; without one a run takes the CPU, and nothing is wrong."""
    from pipeline.device import missing_for_cuda

    if missing := missing_for_cuda():
        return {"state": "works", "told": f"cpu; for --device cuda: {'; '.join(missing)}"}
    names = _run_once("cuda")
    told = f"cpu, or with --device cuda the GPU: its kernels compiled, {' and '.join(names)} run once"
    return {"state": "works", "told": told}


def _tensorrt() -> dict[str, str]:
    """Import it as a run with `--backend tensorrt` would; no run needs it."""
    from pipeline.backends import tensorrt
    from pipeline.backends.engine_cache import EngineCache, default_folder

    if why := tensorrt.missing():
        return {"state": "absent", "told": f"for --backend tensorrt: {why}"}
    import onnxruntime

    package, folder = tensorrt.load(), default_folder()
    engines = len(EngineCache(folder).records()) if folder.exists() else 0
    there = "TensorrtExecutionProvider" in onnxruntime.get_available_providers()
    provider = "with" if there else "without, for --backend onnxruntime-tensorrt,"
    return {
        "state": "works",
        "told": f"TensorRT {package.__version__}, ONNX Runtime {provider} its provider, {engines} engines in {folder}",
    }


TRIALS = {
    "machine": Trial(_machine, needs_packages=False),
    "video": Trial(_video),
    "models": Trial(_models),
    "events": Trial(_events),
    "gpu driver": Trial(_gpu, needs_packages=False),
    "device": Trial(_device),
    "tensorrt": Trial(_tensorrt),
}
"""By name, in the order in which they are told."""


if __name__ == "__main__":
    print(json.dumps(TRIALS[sys.argv[1]].run()))
