"""Read the detector back out of the ONNX file that ships, so that training can go on from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.errors import ConfigError
from training.detector_graph import DetectorGraph
from training.detector_net import DetectorNet
from training.layers import fuse_batch_norm


def read_detector(path: Path) -> DetectorGraph:
    """Return the graph of a file that `python -m training.detector` wrote, in eval mode, batch norms fused.

    Its scores are raw: what learns further is calibrated anew. The initializers of the file keep the names of the
    parameters; those in half precision end in `/half`.

    Raises:
        ConfigError: there is no such file, or it holds another network.
    """
    graph: DetectorGraph = fuse_batch_norm(DetectorGraph(DetectorNet()).eval())
    held = _initializers(path)
    wanted = {name: value for name, value in graph.state_dict().items() if not name.startswith("calibration.")}
    wrong = [name for name, value in wanted.items() if name not in held or held[name].shape != tuple(value.shape)]
    if wrong:
        raise ConfigError(
            f"{path}: expected a file that python -m training.detector of this version wrote, got one without "
            f"{wrong[0]!r} of shape {list(wanted[wrong[0]].shape)} ({len(wrong)} of {len(wanted)} weights are missing "
            "or of another shape); name another with --model"
        )
    told = {name: torch.from_numpy(np.array(held[name], np.float32)) for name in wanted}
    graph.load_state_dict(told, strict=False)
    return graph


def _initializers(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    import onnx

    if not path.is_file():
        raise ConfigError(f"{path}: expected the ONNX file of a detector, got no file; name another with --model")
    try:
        model = onnx.load(str(path), load_external_data=False)
        weights = model.graph.initializer
        return {weight.name.removesuffix("/half"): onnx.numpy_helper.to_array(weight) for weight in weights}
    except Exception as error:  # the parser's exceptions are of a package that comes with onnx
        raise ConfigError(f"{path}: expected an ONNX file, got {error}; name another with --model") from error
