"""What docs/tracking.md says of nodes that see how the camera moves and what people look like: its graph runs."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from nodes import resolve
from nodes.estimate_appearance import Config as AppearanceConfig
from nodes.estimate_camera_motion import Config as CameraConfig
from nodes.types import CameraMotion, Detections, Tracks
from pipeline.config import load_config
from pipeline.device import open_device
from pipeline.frames import Stream
from pipeline.graph import Graph, load_graph
from pipeline.replayable import ancestry, part, replayable
from pipeline.runtime import Runtime
from tests.helpers import list_sink
from tests.pipeline.rig import spec
from tests.repository import ROOT

PAGE = (ROOT / "docs/tracking.md").read_text("utf-8")
SECTION = PAGE.partition("## Camera motion and appearance")[2].partition("\n## ")[0]
(BLOCK,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)


def mean_colour() -> bytes:
    """Return a re-identification model: how far the mean colour of a crop (1, 256, 128, 3) is from grey."""
    grey = helper.make_tensor("grey", TensorProto.FLOAT, [3], [90.0, 100.0, 110.0])
    nodes = [
        helper.make_node("ReduceMean", ["crop"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["mean", "grey"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean_colour",
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, (1, 256, 128, 3))],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, (1, 3))],
        [grey],
    )
    return onnx.helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()  # type: ignore[no-any-return]


def write_card(folder: Path) -> Path:
    """Write the model and a card like the one that ships; return the card."""
    content = mean_colour()
    (folder / "mean_colour.onnx").write_bytes(content)
    card = {
        "file": "mean_colour.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "family": "appearance",
        "input_size_wh": [128, 256],
        "contract": {"inputs": {"crop": {"shape": [1, "H", "W", 3]}}, "outputs": {"vector": {"shape": [1, 3]}}},
    }
    (folder / "mean_colour.yaml").write_text(yaml.safe_dump(card), "utf-8")
    return folder / "mean_colour.yaml"


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    """Return the retail graph as the page changes it."""
    text = (ROOT / "graphs/retail.yaml").read_text("utf-8")
    changed, count = re.subn(r"(?m)^tracks:.*\n", BLOCK, text)
    assert count == 1
    (tmp_path / "described.yaml").write_text(changed, "utf-8")
    sets = [f"described.model={write_card(tmp_path)}", f"bus.endpoint=ipc://{tmp_path}/bus"]
    config = load_config(ROOT / "configs/retail.yaml", sets, {"shop": "shop.mp4"})
    return load_graph(tmp_path / "described.yaml", config, resolve, root=ROOT)


def test_the_graph_of_the_page_runs_and_tells_the_tracker_both(graph: Graph, tmp_path: Path) -> None:
    kinds = {"camera": CameraMotion, "described": Detections, "tracks": Tracks}
    sinks = {edge: list_sink(kind) for edge, kind in kinds.items()}
    looks = [spec(f"look_{edge}", sink, values=edge) for edge, sink in sinks.items()]
    upper = part(graph, ancestry(graph, ["tracks"]))
    config = load_config(ROOT / "configs/retail.yaml", (), {"shop": str(ROOT / "scenes/demo/shop.mp4")})

    Runtime(
        Graph(graph.path, (*upper.nodes, *looks)),
        [Stream(name, block) for name, block in config.streams.items()],
        config.engine,
        device=open_device("cpu"),
        out_dir=tmp_path,
        root=ROOT,
        max_frames=8,
    ).run()

    camera, described, tracks = ([value for value in sink.got if len(value)] for sink in sinks.values())
    assert np.array_equal(np.concatenate([one.affine for one in camera]), np.broadcast_to(np.eye(2, 3), (8, 2, 3)))
    vectors = np.concatenate([one.appearance for one in described])
    told = vectors.any(axis=1)
    assert vectors.shape[1] == 3
    assert told.sum() >= 8
    np.testing.assert_allclose(np.linalg.norm(vectors[told], axis=1), 1, atol=1e-5)
    assert sum(len(one) for one in tracks) >= 8


def test_a_recording_of_the_whole_graph_holds_no_vectors(graph: Graph) -> None:
    assert replayable(graph).edges == ("tracks", "gaze")
    without_gaze = part(graph, ancestry(graph, ["tracks"]))
    sink = spec("keep", list_sink(Tracks), values="tracks")
    assert replayable(Graph("", (*without_gaze.nodes, sink))).edges == ("camera", "described")


def test_defaults_are_those_the_page_tells_of() -> None:
    assert (CameraConfig().width_px, CameraConfig().min_share, CameraConfig().still) == (320, 0.5, 0.001)
    assert "a grey picture of 320 pixels' width" in SECTION
    (marked,) = re.findall(r"\| \*\*(\S+)\*\* \|", SECTION)
    assert float(marked) == AppearanceConfig().max_overlap
