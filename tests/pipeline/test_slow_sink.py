"""A sink that is far behind sees the values of a model as they were made, though the model has run many times since."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import Value, column, equal
from tests.helpers import list_source
from tests.pipeline.rig import PATIENCE_S, clip, graph, node_class, runtime, spec, stream

FRAMES = 24


@dataclass(frozen=True, eq=False)
class Sums(Value):
    """What the model answers for each frame."""

    frame_row: np.ndarray = column(np.int64)
    total: np.ndarray = column(np.float32, 3)


def install(root: Path) -> None:
    """Lay a model `y = x + [1, 2, 3]` and its card below root."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [3], [1, 2, 3])
    made = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "sums",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 3))],
        [weight],
    )
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), root / "sums.onnx")
    (root / "configs/models").mkdir(parents=True)
    shapes = {"inputs": {"x": {"shape": ["N", 3]}}, "outputs": {"y": {"shape": ["N", 3]}}}
    card = {"file": "sums.onnx", "family": "adder", "contract": shapes}
    (root / "configs/models/sums.yaml").write_text(yaml.safe_dump(card))


class EstimateSums(Node[NodeConfig]):
    """Run the model, and hand on its output as it is, without a copy."""

    def open(self) -> None:
        self.session = self.context.open_session("sums")

    def process(self, frames: FrameBatch) -> Sums:
        seconds = (frames.pts_ns[:, None] / 1e9 * [1, 10, 100]).astype(np.float32)
        return Sums(np.arange(len(frames)), self.session.run({"x": seconds})["y"])


@pytest.mark.parametrize("live", [False, True])
def test_no_value_changes_after_it_was_returned(tmp_path: Path, live: bool):
    install(tmp_path)
    copies: list[Sums] = []
    differences: list[int] = []
    ran = threading.Condition()
    number = 0
    ended = False

    def keep(self: Any, frames: FrameBatch, sums: Sums) -> Sums:
        with ran:
            copies.append(Sums(sums.frame_row.copy(), sums.total.copy()))
            ran.notify_all()
        return sums

    def keep_ended(self: Any, stream_id: str) -> None:
        nonlocal ended
        with ran:
            ended = True
            ran.notify_all()

    def compare(self: Any, sums: Sums) -> None:
        nonlocal number
        with ran:
            assert ran.wait_for(lambda: ended or len(copies) >= number + 4, PATIENCE_S)
            if not equal(sums, copies[number]):
                differences.append(number)
        number += 1

    nodes = [
        spec("sums", EstimateSums, "new", frames="frames"),
        spec("keep", node_class(keep, stream_ended=keep_ended), frames="frames", sums="sums"),
        spec("log", node_class(compare), "new", sums="keep"),
    ]
    items = {"shop": clip(FRAMES)}
    whole = graph(*nodes, source=list_source(items, live))
    report = runtime(whole, [stream(live=live, when_full="wait")], tmp_path, batch_size=2).run(every_s=0.02)

    assert (report.status, report.error) == ("done", None)
    assert number == len(copies) >= FRAMES // 2 + 2
    assert differences == []
    assert copies[-2].total[-1].tolist() == pytest.approx([1 + 0.92, 2 + 9.2, 3 + 92])
