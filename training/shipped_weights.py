"""Read the networks back out of the ONNX files that ship, so that training can go on from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from pipeline.errors import ConfigError
from training.detector_graph import DetectorGraph
from training.detector_net import DetectorNet
from training.gaze_net import GazeGraph, GazeNet
from training.layers import fuse_batch_norm


def read_detector(path: Path, option: str = "--model") -> DetectorGraph:
    """Return the graph of a file that `python -m training.detector` wrote, in eval mode, batch norms fused.

    Its scores are raw: what learns further is calibrated anew.

    Args:
        path: the file.
        option: of the command line that names it, for messages.

    Raises:
        ConfigError: there is no such file, or it holds another network.
    """
    graph = DetectorGraph(DetectorNet())
    _read(graph, path, "detector", option, skipped="calibration.")
    return graph


def read_gaze(path: Path, option: str) -> GazeGraph:
    """Return the graph of a file that `python -m training.gaze` wrote, in eval mode, batch norms fused.

    Args:
        path: the file.
        option: of the command line that names it, for messages.

    Raises:
        ConfigError: there is no such file, or it holds another network.
    """
    graph = GazeGraph(GazeNet())
    _read(graph, path, "gaze", option)
    return graph


def _read(graph: nn.Module, path: Path, program: str, option: str, skipped: str | None = None) -> None:
    """Give a graph the weights of a file.

    The initializers of the file keep the names of the parameters; those in half precision end in `/half`.
    """
    fuse_batch_norm(graph.eval())
    held = _initializers(path, program, option)
    wanted = {n: v for n, v in graph.state_dict().items() if skipped is None or not n.startswith(skipped)}
    wrong = [name for name, value in wanted.items() if name not in held or held[name].shape != tuple(value.shape)]
    if wrong:
        raise ConfigError(
            f"{path}: expected a file that python -m training.{program} of this version wrote, got one without "
            f"{wrong[0]!r} of shape {list(wanted[wrong[0]].shape)} ({len(wrong)} of {len(wanted)} weights are missing "
            f"or of another shape); name another with {option}"
        )
    told = {name: torch.from_numpy(np.array(held[name], np.float32)) for name in wanted}
    graph.load_state_dict(told, strict=False)


def _initializers(path: Path, program: str, option: str) -> dict[str, np.ndarray[Any, Any]]:
    import onnx

    if not path.is_file():
        raise ConfigError(
            f"{path}: expected a file that python -m training.{program} wrote, got no file; name another with {option}"
        )
    try:
        model = onnx.load(str(path), load_external_data=False)
        weights = model.graph.initializer
        return {weight.name.removesuffix("/half"): onnx.numpy_helper.to_array(weight) for weight in weights}
    except Exception as error:  # the parser's exceptions are of a package that comes with onnx
        raise ConfigError(f"{path}: expected an ONNX file, got {error}; name another with {option}") from error
