"""Heads of many pictures in one call: equal to calls with one picture each, or refused."""

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from nodes.surgery.batch_pictures import batch_pictures
from nodes.surgery.graph import Graph
from nodes.surgery.probing import open_engine, run
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import JOINS, Builder, gaze_file

PICTURES, BOXES, ROW = "image_bgr", "bboxes_x1y1x2y2", "image_row"


def batched(model: ModelProto) -> ModelProto:
    graph = Graph(model)
    batch_pictures(graph, PICTURES, BOXES)
    made = graph.model()
    onnx.checker.check_model(made, full_check=True)
    return made


def gap_to_single_calls(model: ModelProto, picture_row: tuple[int, ...] = (2, 0, 1, 0, 2, 2)) -> float:
    """Return the largest difference between one call with three pictures and three calls, in any order of heads."""
    rng = np.random.default_rng(1)
    size, _ = Graph(model).declared(PICTURES)
    pictures = rng.uniform(0, 255, (3, *size[1:])).astype(np.float32)
    corner = rng.uniform(0, 0.6, (len(picture_row), 2))
    boxes = np.concatenate([corner, corner + 0.35], 1).astype(np.float32)
    row = np.array(picture_row)
    old, new = open_engine(model), open_engine(batched(model))
    together = run(new, None, {PICTURES: pictures, BOXES: boxes, ROW: row})
    worst = 0.0
    for k in range(3):
        alone = run(old, None, {PICTURES: pictures[k : k + 1], BOXES: boxes[row == k][None]})
        worst = max(worst, *(float(np.abs(a - b[row == k]).max()) for a, b in zip(alone, together, strict=True)))
    assert all(np.ptp(output) > 0.01 for output in together)  # else nothing is compared
    return worst


@pytest.mark.parametrize("join", JOINS)
def test_one_call_equals_single_calls(join: str) -> None:
    assert gap_to_single_calls(gaze_file(join)) <= 1e-6


def test_heads_depend_on_their_own_picture_alone() -> None:
    engine = open_engine(batched(gaze_file()))
    boxes = np.tile(np.array([[0.1, 0.1, 0.6, 0.6]], np.float32), (2, 1))
    dark, bright = np.zeros((1, 3, 16, 16), np.float32), np.full((1, 3, 16, 16), 255, np.float32)

    both = run(engine, ["heatmap"], {PICTURES: np.concatenate([dark, bright]), BOXES: boxes, ROW: np.array([0, 1])})[0]
    same = run(engine, ["heatmap"], {PICTURES: np.concatenate([dark, dark]), BOXES: boxes, ROW: np.array([0, 1])})[0]

    assert np.abs(both[0] - same[0]).max() <= 1e-6
    assert np.abs(both[1] - same[1]).max() > 0.01


def test_features_are_made_once_for_each_picture() -> None:
    graph = Graph(gaze_file())
    batch_pictures(graph, PICTURES, BOXES)

    chosen = [node for node in graph.nodes if node.op_type == "Gather" and node.input[1] == ROW]

    assert len(chosen) == 1
    assert [
        node.op_type for node in graph.nodes if node.op_type == "Expand" and node.input[0] == chosen[0].output[0]
    ] == []
    assert graph.declared(PICTURES)[0] == ("B", 3, 16, 16)
    assert graph.declared(BOXES)[0] == ("heads", 4)
    assert graph.declared(ROW) == (("heads",), onnx.TensorProto.INT64)


def test_the_model_that_came_in_stays_as_it_is() -> None:
    model = gaze_file()
    before = model.SerializeToString(deterministic=True)

    batched(model)

    assert model.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("padding", ["border", "zeros"])
def test_pictures_below_one_another_are_cut_each_from_its_own(padding: str) -> None:
    """As the shipped model does: crops of all heads out of one tall picture, by one GridSample, some beyond it."""
    assert gap_to_single_calls(cropping_file(padding)) <= 1e-5


def cropping_file(padding: str, size: int = 8) -> ModelProto:
    b = Builder()
    rows = b.add("Squeeze", BOXES, b.ints(0))
    heads = b.add("Slice", b.add("Shape", rows), b.ints(0), b.ints(1))
    tall = b.add("Reshape", b.add("Transpose", PICTURES, perm=[1, 0, 2, 3]), b.ints(1, 3, 16, 16))
    rows = b.add("Sub", b.add("Mul", rows, b.constant(1.6)), b.constant(0.3))
    x1, y1, x2, y2 = b.add("Split", rows, b.ints(1, 1, 1, 1), count=4, axis=1)
    step = b.constant((np.arange(size) + 0.5) / size)
    across = b.add("Add", x1, b.add("Mul", b.add("Sub", x2, x1), step))
    down = b.add("Add", y1, b.add("Mul", b.add("Sub", y2, y1), step))
    shape = b.add("Concat", heads, b.ints(size, size), axis=0)
    across = b.add("Expand", b.add("Unsqueeze", across, b.ints(1)), shape)
    down = b.add("Expand", b.add("Unsqueeze", down, b.ints(2)), shape)
    grid = b.add("Concat", b.add("Unsqueeze", across, b.ints(3)), b.add("Unsqueeze", down, b.ints(3)), axis=3)
    grid = b.add("Sub", b.add("Mul", grid, b.constant(2.0)), b.constant(1.0))
    below = b.add("Concat", b.ints(1), b.add("Mul", heads, b.ints(size)), b.ints(size, 2), axis=0)
    cut = b.add("GridSample", tall, b.add("Reshape", grid, below), padding_mode=padding)
    cut = b.add("Reshape", cut, b.add("Concat", b.ints(3), heads, b.ints(size, size), axis=0))
    maps = b.add("ReduceMean", b.add("Transpose", cut, perm=[1, 0, 2, 3]), axes=[1], keepdims=0)
    b.name(b.add("Mul", maps, b.constant(1 / 255)), "heatmap")
    return b.model({PICTURES: (1, 3, 16, 16), BOXES: (1, "heads", 4)}, {"heatmap": ("heads", size, size)})


def meeting_file(op: str, **attributes: object) -> ModelProto:
    """Return a file in which features of the picture meet heads in a way that is not known."""
    b = Builder()
    rows = b.add("Squeeze", BOXES, b.ints(0))
    mean = b.add("ReduceMean", PICTURES, axes=[1, 2], keepdims=0)  # (1, 16)
    wide = b.add("Concat", rows, rows, rows, rows, axis=1)  # (heads, 16)
    met = b.add(op, wide, mean, **attributes)
    b.name(b.add("Unsqueeze", b.add("Reshape", met, b.ints(-1, 4, 4)), b.ints(0)), "heatmap")
    return b.model({PICTURES: (1, 3, 16, 16), BOXES: (1, "heads", 4)}, {"heatmap": ("heads", "h", "w")})


def test_an_unknown_meeting_of_features_and_heads_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        batched(meeting_file("Concat", axis=0))

    assert str(caught.value) == (
        "node 'Concat_3': expected features to meet heads in an Expand, Tile, Gather, GridSample or an operation on "
        "single values, got Concat of [2, 16], [1, 16]; pictures cannot be told apart behind it, so this file cannot "
        "take several"
    )


def test_a_sum_over_pictures_is_refused() -> None:
    b = Builder()
    mean = b.add("ReduceMean", PICTURES, axes=[0, 1], keepdims=0)
    rows = b.add("Unsqueeze", b.add("Squeeze", BOXES, b.ints(0)), b.ints(2))
    b.name(
        b.add("Add", b.add("ReduceSum", rows, b.ints(1), keepdims=1), b.add("Unsqueeze", mean, b.ints(0))), "heatmap"
    )
    model = b.model({PICTURES: (1, 3, 16, 16), BOXES: (1, "heads", 4)}, {"heatmap": ("heads", "h", "w")})

    with pytest.raises(ModelError) as caught:
        batched(model)

    assert str(caught.value) == (
        "node 'ReduceMean_0': expected no sum over pictures, got ReduceMean of [1, 3, 16, 16]; pictures cannot be told "
        "apart behind it, so this file cannot take several"
    )


def test_a_file_for_one_head_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        batched(gaze_file(boxes=1))

    assert str(caught.value) == (
        "input 'bboxes_x1y1x2y2': expected any number of heads, got a file made for 1; take the file whose name ends "
        "in 1xNx4"
    )


def test_a_file_that_is_batched_already_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        batched(batched(gaze_file()))

    assert str(caught.value) == (
        "inputs: expected 'image_bgr' and 'bboxes_x1y1x2y2', got ['image_bgr', 'bboxes_x1y1x2y2', 'image_row']"
    )
