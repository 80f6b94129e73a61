"""Models of one operation, with their cards, for tests of sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from onnx import TensorProto, helper

OUTPUT = {"y": {"shape": ["N", 3]}}


def model(
    op: str = "Add",
    shape: tuple[Any, ...] = ("N", 3),
    output: str = "y",
    out_shape: tuple[Any, ...] = ("N", 3),
    dtype: int = TensorProto.FLOAT,
    external: str = "",
) -> bytes:
    """Return a model `y = op(x, w)` with w = [1, 2, 3], or `y = op(x)` for operations of one input."""
    weight = helper.make_tensor("w", dtype, [3], [1, 2, 3])
    if external:
        weight = TensorProto(name="w", dims=[3], data_type=dtype, data_location=TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value=external)
    binary = op in ("Add", "Sub", "Div")
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "w"] if binary else ["x"], [output])],
        "tiny",
        [helper.make_tensor_value_info("x", dtype, shape)],
        [helper.make_tensor_value_info(output, dtype, out_shape)],
        [weight] if binary else [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def install(root: Path, content: bytes | None, outputs: Any = OUTPUT, inputs: Any = None, **card: Any) -> Path:
    """Lay a model and its card `tiny` below root; return where the model stands."""
    (root / "configs/models").mkdir(parents=True, exist_ok=True)
    contract = {"inputs": inputs or {"x": {"shape": ["N", 3]}}, "outputs": outputs}
    text = yaml.safe_dump({"file": "tiny.onnx", "family": "adder", "contract": contract, **card})
    (root / "configs/models/tiny.yaml").write_text(text)
    if content is not None:
        (root / "tiny.onnx").write_bytes(content)
    return root / "tiny.onnx"
