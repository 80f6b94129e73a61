"""Bytes in place of float planes: the same values inside, and resizes that do nothing gone."""

from typing import Any

import numpy as np
import onnx
import pytest

from nodes.surgery.graph import Graph
from nodes.surgery.picture_input import drop_idle_resizes, take_bytes
from nodes.surgery.probing import dull_inputs, open_engine, run, shapes_of
from pipeline.card_fields import Picture
from tests.nodes.surgery.small_files import Builder, detector_file

PIXELS = np.random.default_rng(3).integers(0, 256, (2, 16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        Picture(),
        Picture(colour="rgb"),
        Picture(mean=(127, 100, 50), std=(128, 2, 1)),
        Picture(colour="rgb", mean=(1, 2, 3)),
    ],
    ids=["bgr", "rgb", "mean and spread", "rgb with mean"],
)
def test_bytes_are_made_what_the_input_was(picture: Picture) -> None:
    model = detector_file()
    graph = Graph(model)
    take_bytes(graph, "input_bgr", "N", (16, 16), picture)
    made = graph.model()
    onnx.checker.check_model(made, full_check=True)
    planes = PIXELS.astype(np.float32)
    planes = planes[..., ::-1] if picture.colour == "rgb" else planes
    planes = (planes - np.array(picture.mean, np.float32)) / np.array(picture.std, np.float32)

    wanted = run(open_engine(model), None, {"input_bgr": np.ascontiguousarray(planes.transpose(0, 3, 1, 2))})[0]
    got = run(open_engine(made), None, {"input_bgr": PIXELS})[0]

    np.testing.assert_array_equal(got, wanted)
    assert graph.declared("input_bgr") == (("N", 16, 16, 3), onnx.TensorProto.UINT8)


def test_the_cast_stands_first() -> None:
    graph = Graph(detector_file())

    take_bytes(graph, "input_bgr", "N", (16, 16), Picture(mean=(1, 1, 1)))

    assert sorted({node.op_type for node in graph.nodes if "input_bgr" in node.input}) == ["Cast"]


def resizing(sizes: tuple[int, ...], **how: Any) -> Graph:
    b = Builder()
    made = b.add("Resize", "input_bgr", "", "", b.ints(*sizes), **how)
    b.name(b.add("Relu", made), "out")
    return Graph(b.model({"input_bgr": (1, 3, 16, 16)}, {"out": (1, 3, "h", "w")}))


@pytest.mark.parametrize(
    ("sizes", "how", "gone"),
    [
        ((1, 3, 16, 16), {"mode": "linear"}, 1),
        ((1, 3, 16, 16), {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}, 1),
        ((1, 3, 16, 16), {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"}, 1),
        ((1, 3, 16, 16), {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn"}, 0),
        ((1, 3, 8, 16), {"mode": "linear"}, 0),
    ],
)
def test_a_resize_goes_where_it_puts_each_pixel_where_it_was(
    sizes: tuple[int, ...], how: dict[str, Any], gone: int
) -> None:
    if how.get("coordinate_transformation_mode") == "tf_half_pixel_for_nn":
        b = Builder()  # gone from newer versions of the operator
        b.name(
            b.add("Relu", b.add("Resize", "input_bgr", b.constant([]), b.constant([]), b.ints(*sizes), **how)), "out"
        )
        graph = Graph(b.model({"input_bgr": (1, 3, 16, 16)}, {"out": (1, 3, "h", "w")}, opset=11))
    else:
        graph = resizing(sizes, **how)
    run_shapes = shapes_of(graph, dull_inputs(graph, {"input_bgr": (1, 3, 16, 16)}))

    assert drop_idle_resizes(graph, [run_shapes]) == gone
    assert ("Resize" in [node.op_type for node in graph.nodes]) == (not gone)


def test_a_resize_that_is_idle_for_one_size_alone_stays() -> None:
    graph = Graph(detector_file())
    runs = [shapes_of(graph, dull_inputs(graph, {"input_bgr": (1, 3, *size)})) for size in ((16, 16), (32, 16))]

    assert drop_idle_resizes(graph, runs) == 0
