"""Write an architecture as an ONNX file like the released one: random weights, constants folded."""

from __future__ import annotations

import tempfile
import zlib
from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from training.architectures.spec import Architecture
from training.export import export_onnx

_MANY = 8
"""Extent of axes of any extent while random weights are brought into range."""
_NOT_FOLDING = ["TransposeOptimizer", "MatMulAddFusion"]
"""What ONNX Runtime would do beside folding constants, and the tools that released files went through do not."""


def random_inputs(architecture: Architecture, seed: int, **extents: int) -> list[Tensor]:
    """Return inputs of an architecture in order; `extents` names axes of any extent."""
    generator = torch.Generator().manual_seed(seed)
    return [given.random(generator, extents) for given in architecture.inputs.values()]


def random_network(name: str, architecture: Architecture) -> nn.Module:
    """Return the network in evaluation mode; the same name gives the same weights."""
    seed = zlib.crc32(name.encode())
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        network = architecture.build()
        every_axis = {n: _MANY for given in architecture.inputs.values() for n in given.shape if isinstance(n, str)}
        inputs = random_inputs(architecture, seed, **every_axis)
        _settle_norms(network, inputs)
        if architecture.steepen is not None:
            architecture.steepen(network, inputs)
    return network.requires_grad_(False)


def write(name: str, architecture: Architecture, folder: Path) -> Path:
    """Write the file of an architecture and return its path.

    Args:
        name: of the card; the weights are drawn from it.
        architecture: what to write.
        folder: where; the file has the released file's name.
    """
    network = random_network(name, architecture)
    path = folder / architecture.file
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw.onnx"
        export_onnx(
            network,
            random_inputs(architecture, 0),
            raw,
            list(architecture.inputs),
            architecture.outputs,
            {
                key: {k: n for k, n in enumerate(given.shape) if isinstance(n, str)}
                for key, given in architecture.inputs.items()
            },
            architecture.note,
            architecture.opset,
        )
        _fold(raw, path)
    return path


def _settle_norms(network: nn.Module, inputs: list[Tensor]) -> None:
    """Give batch norms the statistics of what goes through them, and factors and offsets of their own."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0.0, 0.2)
        norm.momentum = None  # plain averages
    network.train()
    network(*inputs)
    network.eval()


def _fold(raw: Path, path: Path) -> None:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(raw.with_name("folded.onnx"))
    options.log_severity_level = 3
    ort.InferenceSession(str(raw), options, providers=["CPUExecutionProvider"], disabled_optimizers=_NOT_FOLDING)
    model = onnx.load(options.optimized_model_filepath)
    used = {node.domain for node in model.graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
