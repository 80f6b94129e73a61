"""What trainings are compared by: a file that finds the same in every frame, scored by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.real_frames import SIZE_WH, LabelledFrame, as_row, score
from benchmarks.real_labels import Persons
from nodes.ops.wholebody import BODY, HEAD, NAMES

HERE, THERE, NOWHERE = [0.1, 0.1, 0.2, 0.3], [0.5, 0.1, 0.6, 0.3], [0.8, 0.7, 0.9, 0.9]
FRONT, BACK = NAMES.index("front"), NAMES.index("back")


def finder(folder: Path, *rows: tuple[int, list[float], float]) -> Path:
    """Write a file that finds rows (label, box, score) in every picture."""
    found = np.array([[label, *box, sure] for label, box, sure in rows], np.float32)[None]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["rows"], ["label_xyxy_score"])],
        "finder",
        [helper.make_tensor_value_info("input_bgr", TensorProto.FLOAT, ("N", 3, "H", "W"))],
        [helper.make_tensor_value_info("label_xyxy_score", TensorProto.FLOAT, found.shape)],
        [helper.make_tensor("rows", TensorProto.FLOAT, found.shape, found.ravel().tolist())],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, folder / "finder.onnx")
    return folder / "finder.onnx"


def frame(
    heads: list[list[float]] | None = None, yaw_deg: list[float] | None = None, persons: Persons | None = None
) -> LabelledFrame:
    picture = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    boxes = None if heads is None else np.array(heads, np.float64).reshape(-1, 4)
    return LabelledFrame("clip.mp4", picture, boxes, np.array(yaw_deg or [], np.float64), persons)


def test_heads_are_ranked_over_all_frames_and_false_ones_counted_from_half_sure_on(tmp_path: Path) -> None:
    path = finder(tmp_path, (HEAD, HERE, 0.9), (HEAD, THERE, 0.7), (HEAD, NOWHERE, 0.4))

    figures = score(path, [frame([HERE, THERE], [0.0, 0.0]), frame([HERE], [0.0])])

    # By score: right, right, right, false (there, in the second frame), then two false ones that cost no recall.
    assert figures["head_ap"] == pytest.approx(1.0)
    assert figures["head_false"] == 5.0
    assert score(path, [frame([THERE], [0.0])])["head_ap"] == pytest.approx(0.5)


def test_a_head_is_turned_as_the_rows_of_its_box_say(tmp_path: Path) -> None:
    path = finder(tmp_path, (HEAD, HERE, 0.9), (FRONT, HERE, 0.8), (HEAD, THERE, 0.9), (BACK, THERE, 0.8))

    figures = score(path, [frame([HERE, THERE], [30.0, 180.0]), frame([HERE, THERE], [-50.0, 0.0])])

    assert (figures["yaw_facing"], figures["yaw_behind"]) == (pytest.approx(1 / 3, abs=1e-3), 1.0)


def test_persons_who_count_neither_way_make_nothing_false(tmp_path: Path) -> None:
    path = finder(tmp_path, (BODY, THERE, 0.9), (BODY, HERE, 0.8))
    valid = Persons(np.array([HERE, THERE]), np.array([True, False]))
    alone = Persons(np.array([HERE]), np.array([True]))

    hidden, plain = score(path, [frame(persons=valid)]), score(path, [frame(persons=alone)])

    assert (hidden["person_ap"], hidden["person_recall"]) == (1.0, 1.0)
    assert (plain["person_ap"], plain["person_recall"]) == (0.5, 0.0)


def test_nothing_found_scores_nothing(tmp_path: Path) -> None:
    figures = score(finder(tmp_path, (HEAD, HERE, 0.01)), [frame([HERE], [0.0]), frame([], [])])

    assert figures["head_ap"] == figures["head_false"] == figures["yaw_facing"] == 0


def test_figures_are_a_line_of_a_table() -> None:
    assert as_row("all", {"a": 0.5, "b": 2.0}) == "| all | 0.5 | 2 |"
