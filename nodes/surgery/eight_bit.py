"""Quantise a model to 8 bits: QDQ, static, weights by channel, activations by what frames of clips make them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnx.version_converter
from onnx import ModelProto

from nodes.surgery.graph import Array, Graph
from pipeline.errors import ModelError

QUANTISED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators whose products are summed in 8 bits; the others keep single precision."""
BY_CHANNEL = 13
"""The first version of the standard operators in which weights are quantised by channel."""


def to_eight_bit(model: ModelProto, frames: Sequence[dict[str, Array]], single: Collection[str]) -> ModelProto:
    """Return a quantised model.

    Products of two activations, as in attention, are not quantised: both sides would be coarse.

    Args:
        model: in single precision; stays as it is.
        frames: inputs from which the ranges of activations are taken, one run each.
        single: names of nodes that are not quantised.

    Raises:
        ModelError: the quantiser fails, or a package is missing.
    """
    quantization = _quantiser()
    graph = Graph(model)
    if graph.opset < BY_CHANNEL:
        graph = Graph(onnx.version_converter.convert_version(graph.model(), BY_CHANNEL))
    known = graph.constants
    left_out = [node.name for node in graph.nodes if node.op_type in QUANTISED and not set(node.input[1:2]) & known]

    heard = logging.getLogger().level
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(graph.model(), str(before))
        logging.getLogger().setLevel(logging.ERROR)  # it advises, on the root logger, what is done here already
        try:
            quantization.quantize_static(
                str(before), str(after), _Frames(frames),
                quant_format=quantization.QuantFormat.QDQ, per_channel=True,
                activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
                op_types_to_quantize=list(QUANTISED), nodes_to_exclude=[*left_out, *single],
                calibrate_method=quantization.CalibrationMethod.MinMax,
                extra_options={"WeightSymmetric": True, "ActivationSymmetric": False},
            )  # fmt: skip
        except Exception as error:  # the quantiser's exceptions have no common base of their own
            line = " ".join(str(error).split())[:300]
            raise ModelError(f"8 bits: expected a model that can be quantised, got: {line}") from error
        finally:
            logging.getLogger().setLevel(heard)
        return onnx.load(str(after))


class _Frames:
    """Frames, one at a time, as the quantiser asks for them."""

    def __init__(self, frames: Sequence[dict[str, Array]]) -> None:
        self._left: Iterator[dict[str, Array]] = iter(frames)

    def get_next(self) -> dict[str, Array] | None:
        """Return the inputs of the next run."""
        return next(self._left, None)


def _quantiser() -> Any:
    try:
        import onnxruntime.quantization
    except ImportError as error:
        raise ModelError(
            f"8 bits: expected the packages of the extra `prepare`, got none of {error.name!r}; "
            "type: pip install onnx ml_dtypes"
        ) from error
    return onnxruntime.quantization
