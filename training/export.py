"""Write a network as ONNX, check it against torch, time it on one core."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

OPSET = 17
_ROWS_A_TIE, _LEAST_ROWS = 30, 11


def export_onnx(
    graph: nn.Module,
    example: Sequence[Tensor],
    path: Path,
    input_names: Sequence[str],
    outputs: dict[str, tuple[int | str, ...]],
    dynamic_axes: dict[str, dict[int, str]],
    note: str,
    opset: int = OPSET,
) -> None:
    """Export an eval-mode graph whose batch norms are fused.

    Args:
        graph: the network.
        example: its inputs, in order.
        path: the file to write.
        input_names: their names.
        outputs: shape of each output by name; a name stands for an axis of any extent.
        dynamic_axes: axes of any extent of the inputs, and their names.
        note: what the file is, kept inside it.
        opset: version of ONNX's operators.
    """
    named = {
        name: {k: axis for k, axis in enumerate(shape) if isinstance(axis, str)} for name, shape in outputs.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The tracer warns of every Python number it keeps; those are the fixed model sizes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            tuple(example),
            str(path),
            input_names=list(input_names),
            output_names=list(outputs),
            dynamic_axes=dynamic_axes | named,
            opset_version=opset,
            dynamo=False,
        )
    model = onnx.load(str(path))
    model.producer_name, model.producer_version, model.doc_string = "training", "", note
    for value in model.graph.output:  # the tracer loses the extents behind a resize
        for axis, extent in zip(value.type.tensor_type.shape.dim, outputs[value.name], strict=True):
            if isinstance(extent, int):
                axis.dim_value = extent
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def one_thread_session(path: Path) -> ort.InferenceSession:
    """Open a file on the CPU with one thread."""
    options = ort.SessionOptions()
    options.log_severity_level = 3  # it warns of each input that has a default
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check_against_torch(
    path: Path,
    graph: nn.Module,
    inputs: dict[str, Tensor],
    tolerance: float = 1e-4,
    rows_from_score: float | None = None,
) -> float:
    """Return the largest difference between ONNX Runtime and torch over all outputs.

    Args:
        path: the ONNX file.
        graph: the network it was written from.
        inputs: by name, in the order of the graph's arguments.
        tolerance: largest difference allowed.
        rows_from_score: for sorted rows with the score last: compare only rows with this score or more, whatever their
            places, because rows that nearly tie may change them; and let one in thirty be missing, of eleven or more
            rows one in any case, because where two cells nearly tie for a peak, either may be it.

    Raises:
        ValueError: a shape differs or the difference is above the tolerance.
    """
    got = one_thread_session(path).run(None, {name: value.numpy() for name, value in inputs.items()})
    with torch.no_grad():
        wanted = graph(*inputs.values())
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    worst = 0.0
    for k, (mine, theirs) in enumerate(zip(got, wanted, strict=True)):
        if mine.shape != tuple(theirs.shape):
            raise ValueError(f"{path.name}: output {k}: expected shape {tuple(theirs.shape)}, got {mine.shape}")
        worst = max(worst, _difference(mine, theirs.numpy(), rows_from_score))
    if worst > tolerance:
        raise ValueError(f"{path.name}: expected outputs within {tolerance} of torch, got a difference of {worst:.2e}")
    return worst


def _difference(mine: np.ndarray, theirs: np.ndarray, rows_from_score: float | None) -> float:
    if rows_from_score is None:
        return float(np.abs(mine - theirs).max(initial=0.0))
    nearest = []
    for my_rows, their_rows in zip(mine, theirs, strict=True):
        chosen = my_rows[my_rows[:, 5] >= rows_from_score]
        gaps = np.abs(chosen[:, None] - their_rows[None]).max(2)  # of each chosen row to every row of torch
        nearest.append(gaps.min(1, initial=np.inf))
    ranked = np.sort(np.concatenate(nearest))
    may_be_missing = (len(ranked) + _ROWS_A_TIE - _LEAST_ROWS) // _ROWS_A_TIE
    return float(ranked[: len(ranked) - may_be_missing].max(initial=0.0))


def milliseconds(path: Path, inputs: dict[str, np.ndarray], runs: int = 30) -> float:
    """Return the median processor time of one run on one thread."""
    session = one_thread_session(path)
    spent = []
    for _ in range(runs + 3):
        begin = time.process_time()
        session.run(None, inputs)
        spent.append(time.process_time() - begin)
    return 1e3 * float(np.median(spent[3:]))


def store_as_half(path: Path, least_values: int = 256) -> None:
    """Store the weights of a file in half precision, which halves it; it still calculates in single precision.

    Args:
        path: the ONNX file, replaced.
        least_values: smaller tensors stay as they are.
    """
    model = onnx.load(str(path))
    kept, casts = [], []
    for weight in model.graph.initializer:
        if weight.data_type != onnx.TensorProto.FLOAT or np.prod(weight.dims) < least_values:
            kept.append(weight)
            continue
        half = onnx.numpy_helper.to_array(weight).astype(np.float16)
        kept.append(onnx.numpy_helper.from_array(half, f"{weight.name}/half"))
        casts.append(onnx.helper.make_node("Cast", [f"{weight.name}/half"], [weight.name], to=onnx.TensorProto.FLOAT))
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def default_input(path: Path, name: str) -> None:
    """Give an input of a file the default [0], so that who does not know of it need not feed it.

    Args:
        path: the ONNX file, replaced.
        name: of an i64 input of one axis.
    """
    model = onnx.load(str(path))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1, np.int64), name))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
