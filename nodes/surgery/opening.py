"""Read an ONNX file that nobody vouches for, as far as it can be rewritten."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import onnx
from onnx import ModelProto

from pipeline.errors import ModelError

MAX_BYTES = 2**31 - 1
"""Protobuf, hence ONNX, holds no more in one file."""
MAX_NODES = 100_000
OPSETS = range(9, 24)
"""Versions of the standard operators whose meaning is known here."""
_CONSTANTS = {"value", "value_float", "value_floats", "value_int", "value_ints"}


def read_model(path: Path) -> tuple[ModelProto, str]:
    """Read a model that can be rewritten: one file, flat, of standard operators.

    Args:
        path: the file.

    Returns:
        The model, and the sha256 of the file.

    Raises:
        ModelError: there is no such file, or it is too large, no ONNX, damaged, or not of that kind.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(f"model {path}: expected a file, got {error.strerror}; get it with `models pull`") from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        raise ModelError(f"model {path}: expected a file of at most {MAX_BYTES} bytes, got {status.st_size} or no file")
    content = path.read_bytes()
    model = ModelProto()
    try:
        model.ParseFromString(content)
    except Exception as error:  # protobuf's exceptions have no public base of their own
        raise _unfit(path, "an ONNX file", "bytes that are none; get the file again") from error
    _check_kind(path, model)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # the checker raises its own kinds, and others on damaged files
        raise _unfit(path, "a valid ONNX model", _line(error)) from error
    return model, hashlib.sha256(content).hexdigest()


def _check_kind(path: Path, model: ModelProto) -> None:
    graph = model.graph
    if not graph.node or not graph.output or not graph.input:
        raise _unfit(path, "a model with inputs, nodes and outputs", "bytes without them")
    if len(graph.node) > MAX_NODES:
        raise _unfit(path, f"at most {MAX_NODES} nodes", f"{len(graph.node)}")
    if any(item.data_location == onnx.TensorProto.EXTERNAL or item.external_data for item in _tensors(model)):
        raise _unfit(path, "all weights inside the file", "some that lie in other files")
    if graph.sparse_initializer:
        raise _unfit(path, "dense weights", "sparse ones")
    versions = {item.domain: item.version for item in model.opset_import}
    standard = versions.get("", versions.get("ai.onnx", 0))
    if standard not in OPSETS:
        raise _unfit(path, f"standard operators of version {OPSETS.start} to {OPSETS.stop - 1}", f"{standard}")
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in graph.node if node.domain not in ("", "ai.onnx")})
    if foreign or model.functions:
        got = foreign or [function.name for function in model.functions]
        raise _unfit(path, "standard operators alone", f"{got!r}; take the file as it was before it was optimised")
    constants = (node for node in graph.node if node.op_type == "Constant")
    if odd := {item.name for node in constants for item in node.attribute} - _CONSTANTS:
        raise _unfit(path, "constants that are dense numbers", f"{sorted(odd)!r}")
    holding = {node.op_type for node in graph.node for item in node.attribute if item.HasField("g")}
    if nested := sorted(holding - {"If"}):
        raise _unfit(path, "no loops", f"{nested!r}; simplify the file first (onnxsim, onnxslim)")


def _tensors(model: ModelProto) -> list[onnx.TensorProto]:
    held = [item.t for node in model.graph.node for item in node.attribute if item.HasField("t")]
    return [*model.graph.initializer, *held]


def _unfit(path: Path, expected: str, got: str) -> ModelError:
    return ModelError(f"model {path}: expected {expected}, got {got}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
