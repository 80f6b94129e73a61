"""A gaze file of the contract of the one that ships, small enough to be made in a test, and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from onnx import TensorProto, helper, numpy_helper

SIZE_WH = (16, 8)
CARD: dict[str, Any] = {
    "file": "small-gaze.onnx",
    "family": "gazelle",
    "input_size_wh": list(SIZE_WH),
    "box_cell_px": 0,
    "picture": {"shrink": "linear"},
    "head_pose": {"vector": "direction"},
    "contract": {
        "inputs": {
            "image_bgr": {"shape": ["images", 3, "H", "W"], "range": [0.0, 255.0]},
            "bboxes_x1y1x2y2": {"shape": [1, "heads", 4], "range": [0.0, 1.0]},
            "image_row": {"shape": ["heads"], "dtype": "int64", "optional": True},
        },
        "outputs": {
            "heatmap": {"shape": ["heads", 4, 8], "range": [0.0, 1.0]},
            "inout": {"shape": ["heads"], "range": [0.0, 1.0]},
            "direction": {"shape": ["heads", 6], "range": [-1.0, 1.0]},
        },
    },
}


def small_gaze() -> bytes:
    """Return the file. Of each head it tells a map and in/out that depend on its picture and its box.

    Its direction is a vector to image-right as far as its left edge lies from 0.5, down as far as its upper edge does,
    and to the camera by the mean brightness of its picture, 0 to 1; that of the eyes is the opposite.
    """
    width, height = SIZE_WH
    inputs = {
        "image_bgr": (TensorProto.FLOAT, ["images", 3, height, width]),
        "bboxes_x1y1x2y2": (TensorProto.FLOAT, [1, "heads", 4]),
        "image_row": (TensorProto.INT64, ["heads"]),
    }
    outputs = {"heatmap": ["heads", 4, 8], "inout": ["heads"], "direction": ["heads", 6]}
    held = {
        "image_row": np.zeros(1, np.int64),
        "first": np.array([0]),
        "all": np.float32(255),
        "half": np.float32(0.5),
        "none": np.zeros(1, np.int64),
        "one": np.ones(1, np.int64),
        "two": np.full(1, 2, np.int64),
        "map_axes": np.array([1, 2]),
    }
    steps = [
        ("Squeeze", ["bboxes_x1y1x2y2", "first"], "boxes", {}),
        ("Div", ["image_bgr", "all"], "light", {}),
        ("AveragePool", ["light"], "pooled", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("ReduceMean", ["pooled"], "cells", {"axes": [1], "keepdims": 0}),  # (images, 4, 8)
        ("Slice", ["boxes", "none", "one", "one"], "left", {}),
        ("Slice", ["boxes", "one", "two", "one"], "upper", {}),
        # A row may be told once for all heads: as many zeros as there are heads spread it.
        ("Squeeze", ["left", "one"], "lefts", {}),
        ("Sub", ["lefts", "lefts"], "spread", {}),
        ("Cast", ["spread"], "zeros", {"to": TensorProto.INT64}),
        ("Add", ["image_row", "zeros"], "rows", {}),
        ("Gather", ["cells", "rows"], "seen", {"axis": 0}),
        ("Unsqueeze", ["lefts", "map_axes"], "shift", {}),
        ("Mul", ["seen", "shift"], "heatmap", {}),
        ("ReduceMax", ["heatmap"], "inout", {"axes": [1, 2], "keepdims": 0}),
        ("ReduceMean", ["light"], "mean", {"axes": [1, 2, 3], "keepdims": 0}),
        ("Gather", ["mean", "rows"], "bright", {"axis": 0}),
        ("Neg", ["bright"], "toward", {}),
        ("Unsqueeze", ["toward", "one"], "z", {}),
        ("Sub", ["left", "half"], "x", {}),
        ("Sub", ["upper", "half"], "y", {}),
        ("Concat", ["x", "y", "z"], "head", {"axis": 1}),
        ("Neg", ["head"], "eyes", {}),
        ("Concat", ["head", "eyes"], "direction", {"axis": 1}),
    ]
    graph = helper.make_graph(
        [helper.make_node(op, needs, [made], **how) for op, needs, made, how in steps],
        "small-gaze",
        [helper.make_tensor_value_info(name, *told) for name, told in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def write_small_gaze(folder: Path, **changes: Any) -> str:
    """Write the file and its card, with some changes, into a folder; return the path of the card."""
    (folder / "small-gaze.onnx").write_bytes(small_gaze())
    card = folder / "small-gaze.yaml"
    card.write_text(yaml.safe_dump({key: value for key, value in {**CARD, **changes}.items() if value is not None}))
    return str(card)
