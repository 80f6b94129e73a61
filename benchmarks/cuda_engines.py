"""Checks of the CUDA device that measure what launches models: runtimes, engines and CUDA graphs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.cuda_runs import Figures, WrongError, ms_a_call
from benchmarks.noise_frames import frames_of

FULL_HD = (1920, 1080)
LAUNCHES = 300
"""As many as a small model has."""
DETECTOR, GAZE = "deimv2-wholebody34-n", "gazelle-dinov3-s"
PUBLISHED_MS = 10.0
"""Upstream's own figure for detector, gaze and all around them, on an RTX 3070 with TensorRT."""


def recorded() -> Figures:
    """Many small copies on the device, one by one and as one CUDA graph: both are right; milliseconds on the host."""
    import numpy as np

    from pipeline.device_cuda import CudaDevice

    cuda = CudaDevice()
    places = [cuda.xp.asarray(np.full((64, 64), value, np.float32)) for value in range(LAUNCHES + 1)]

    def shift() -> None:
        for here, there in zip(places[1:], places[:-1], strict=True):
            cuda.xp.copyto(there, here)

    ways: dict[str, Callable[[], None]] = {"one_by_one": shift, "graph": cuda.recorded(shift)}
    told: Figures = {}
    for turn, (way, begin_all) in enumerate(ways.items(), 1):
        cuda.mark().synchronize()
        begin = time.perf_counter()
        begin_all()
        told[f"{way}_host_ms"] = round(1e3 * (time.perf_counter() - begin), 3)
        first = float(cuda.to_host(places[0])[0, 0])
        if first != turn:
            raise WrongError(f"recorded: {way}: expected all to move by one and the first to be {turn}, got {first:g}")
    return told


def true_size() -> Figures:
    """DEIMv2-N and Gaze-LLE S as upstream built them, weights drawn: a Full HD frame of 10 heads, all around included.

    On ONNX Runtime's CUDA provider and, where TensorRT is installed, by its engines, which takes minutes to build.
    """
    import numpy as np

    from benchmarks.models_files import files_of
    from pipeline.backends.accelerated import PROOFS
    from pipeline.device_cuda import CudaDevice
    from pipeline.session import Session

    if find_spec("torch") is None:
        raise ModuleNotFoundError("torch", name="torch")
    cuda, batch, told = CudaDevice(), frames_of(1, FULL_HD, 3), Figures()
    boxes = cuda.xp.asarray(np.tile(np.array([0.4, 0.2, 0.5, 0.4], np.float32), (1, 10, 1)))
    with tempfile.TemporaryDirectory() as name:
        files = files_of((DETECTOR, GAZE), Path(name))
        for backend, engines in _backends(cuda, Path(name) / "engines"):
            finds, looks = (Session(files[card].card, files[card].path, cuda, (), None, engines) for card in files)

            def frame(finds: Session = finds, looks: Session = looks) -> Any:
                seen, sees = (cuda.model_input(batch, one.card.input_size_wh or FULL_HD) for one in (finds, looks))
                cuda.to_host(finds.run({"input_bgr": seen})["label_xyxy_score"])
                return looks.run({"image_bgr": sees, "bboxes_x1y1x2y2": boxes})

            for _ in range(PROOFS + 1):  # an engine proves itself beside ONNX Runtime, and recordings are made
                frame()
            told[f"{backend}: ms a frame"] = round(ms_a_call(cuda, frame), 2)
            if engines:
                kept = [name for name, one in engines.models.items() if one and one.by_engine]
                told[f"{backend}: models by engine"] = ", ".join(kept) or "none"
            for session in (finds, looks):
                session.close()
    return told | {"published_ms_rtx_3070_tensorrt": PUBLISHED_MS}


def _backends(cuda: Any, folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield what may execute models here: a name, and what gives them engines."""
    from pipeline.backends import tensorrt
    from pipeline.backends.acceleration import acceleration
    from pipeline.settings import EngineConfig

    yield "CUDA provider", None
    if tensorrt.missing() is None:
        for precision in ("fp32", "fp16"):
            for graphs in (False, True):
                settings = EngineConfig(
                    device="cuda", backend="tensorrt", precision=precision, cuda_graphs=graphs, cache_folder=folder
                )
                named = f"TensorRT {precision}{', CUDA graphs' if graphs else ''}"
                yield named, acceleration(settings, cuda, live=False)
