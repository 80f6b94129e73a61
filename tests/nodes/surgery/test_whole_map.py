"""Maps keep the cells that the last resize of released files throws away."""

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from nodes.surgery.graph import Graph
from nodes.surgery.peak_error import peak_error
from nodes.surgery.probing import Shapes, dull_inputs, open_engine, run, shapes_of
from nodes.surgery.whole_map import Thinning, keep_whole_map
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import Builder, gaze_file

BOXES = np.array([[[0.1, 0.1, 0.6, 0.6], [0.4, 0.2, 0.9, 0.8]]], np.float32)
PICTURE = np.random.default_rng(0).uniform(0, 255, (1, 3, 16, 16)).astype(np.float32)


def shapes(model: ModelProto) -> Shapes:
    graph = Graph(model)
    return shapes_of(
        graph, dull_inputs(graph, {name: (1, 3, 16, 16) if name == "image_bgr" else (1, 2, 4) for name in graph.inputs})
    )


def widened(model: ModelProto) -> tuple[ModelProto, Thinning | None]:
    graph = Graph(model)
    thinning = keep_whole_map(graph, "heatmap", shapes(model))
    graph.set_output("heatmap", ("heads", "rows", "columns"), onnx.TensorProto.FLOAT)
    return graph.model(), thinning


def maps(model: ModelProto) -> np.ndarray:
    return run(open_engine(model), ["heatmap"], {"image_bgr": PICTURE, "bboxes_x1y1x2y2": BOXES})[0]


def test_the_whole_map_holds_the_thinned_one() -> None:
    """8 cells thinned to 6 are cells floor(i 8 / 6): 0, 1, 2, 4, 5, 6; cells 3 and 7 are thrown away."""
    model = gaze_file()

    whole, thinning = widened(model)

    kept = [0, 1, 2, 4, 5, 6]
    assert thinning == Thinning((8, 8), (6, 6))
    assert maps(whole).shape == (2, 8, 8)
    np.testing.assert_array_equal(maps(whole)[:, kept][:, :, kept], maps(model))
    assert "Resize" not in [node.op_type for node in whole.graph.node if "heatmap" in node.output]


def test_a_whole_map_is_left_alone() -> None:
    model = gaze_file(thin=False)

    whole, thinning = widened(model)

    assert thinning is None
    np.testing.assert_array_equal(maps(whole), maps(model))


def tail_file(shape: tuple[int, ...], **how: object) -> ModelProto:
    """Return sigmoid, resize [heads, 1, 8, 8] to 6 x 6, and a Reshape to a shape in which the 6 is baked."""
    b = Builder()
    wide = b.add("Expand", b.add("ReduceMax", "bboxes_x1y1x2y2", axes=[2], keepdims=1), b.ints(1, 2, 64))
    map_ = b.add("Sigmoid", b.add("Reshape", b.add("Mul", wide, b.weights(64)), b.ints(-1, 1, 8, 8)))
    usual = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    map_ = b.add("Resize", map_, "", b.constant([1, 1, 0.75, 0.75]), **(usual | how))
    b.name(b.add("Reshape", map_, b.ints(*shape)), "heatmap")
    return b.model({"bboxes_x1y1x2y2": (1, "heads", 4)}, {"heatmap": ("heads", "rows", "columns")})


def test_a_baked_shape_behind_the_resize_is_widened() -> None:
    whole, _ = widened(tail_file((-1, 6, 6)))

    assert run(open_engine(whole), None, {"bboxes_x1y1x2y2": BOXES})[0].shape == (2, 8, 8)


def test_a_baked_shape_that_hides_the_map_is_refused() -> None:
    model = tail_file((-1, 4, 9))

    with pytest.raises(ModelError) as caught:
        widened(model)

    assert str(caught.value) == "node 'Reshape_6': expected a Reshape that ends in [6, 6], got [-1, 4, 9]"


@pytest.mark.parametrize(
    "how", [{"mode": "linear"}, {"coordinate_transformation_mode": "half_pixel"}, {"nearest_mode": "ceil"}]
)
def test_other_resizes_throw_nothing_away_by_this_rule(how: dict[str, str]) -> None:
    assert widened(tail_file((-1, 6, 6), **how))[1] is None


def test_peaks_of_the_whole_map_are_twice_as_near() -> None:
    """From 8 to 6 cells the error of the highest cell more than halves; exact centres would leave half a cell."""
    model = gaze_file()
    whole, _ = widened(model)

    before, after = (peak_error(file, "heatmap", (8, 8)) for file in (model, whole))

    assert before == pytest.approx(0.109, abs=0.003)
    assert after == pytest.approx(0.048, abs=0.003)


def test_peak_error_wants_a_sigmoid() -> None:
    b = Builder()
    b.name(b.add("Relu", "bboxes_x1y1x2y2"), "heatmap")
    model = b.model({"bboxes_x1y1x2y2": (1, "heads", 4)}, {"heatmap": (1, "heads", 4)})

    with pytest.raises(ModelError) as caught:
        peak_error(model, "heatmap", (8, 8))

    assert str(caught.value) == "output 'heatmap': expected a sigmoid in front of it, got none"
