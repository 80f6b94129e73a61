"""The graph `faces`: on made-up models, and on real ones with real footage."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from cli import program
from nodes.types import GazeMaps, HeadPoses, Tracks
from pipeline.recording import Recording
from pipeline.values import concat
from tests.graphs.test_pose import write_model
from tests.repository import ROOT

GRAPH = str(ROOT / "graphs/faces.yaml")
FACES = [[0.2, 0.2, 0.3, 0.4], [0.6, 0.3, 0.7, 0.5]]
FRAMES = 6


def write_detector(folder: Path) -> str:
    """Write a detector that finds the same two faces in every picture, and its card; return the card's path."""
    values = {"boxes": FACES, "scores": [[0.1, 0.9], [0.2, 0.8]]}
    # Nothing is multiplied by the picture, so that all of it counts and no face moves.
    nodes = [
        helper.make_node("ReduceMean", ["data"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["none"]),
        helper.make_node("Reshape", ["none", "shape"], ["nothing"]),
    ]
    nodes += [helper.make_node("Add", [f"the {name}", "nothing"], [name]) for name in values]
    graph = helper.make_graph(
        nodes,
        "faces",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, (1, 3, 32, 64))],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, *np.shape(v))) for n, v in values.items()],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
            helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, 1]),
            *(
                helper.make_tensor(f"the {name}", TensorProto.FLOAT, (1, *np.shape(value)), np.ravel(value).tolist())
                for name, value in values.items()
            ),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, folder / "faces.onnx")
    card = {
        "file": "faces.onnx",
        "family": "boxes",
        "input_size_wh": [64, 32],
        "classes": {1: "face"},
        "contract": {
            "inputs": {"data": {"shape": [1, 3, "H", "W"]}},
            "outputs": {name: {"shape": [1, *np.shape(value)]} for name, value in values.items()},
        },
    }
    path = folder / "faces.yaml"
    path.write_text(yaml.safe_dump(card), "utf-8")
    return str(path)


def recorded(folder: Path, edge: str, kind: Any) -> Any:
    (path,) = folder.rglob(f"{edge}.ticks")
    return concat([tick.value for tick in Recording(edge, kind, path.parent)])


def test_faces_become_heads_poses_and_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    detector, poses = write_detector(tmp_path), write_model(tmp_path, "pose", batch=1)

    argv = [GRAPH, "--source", f"shop={ROOT}/scenes/demo/shop.mp4", "--max-frames", str(FRAMES), "--out", "out"]
    sets = [f"people.model={detector}", f"poses.model={poses}", "engine.device=cpu"]
    kept = [word for edge in ("tracks", "facing", "gaze") for word in ("--record", f"{edge}=rec")]
    assert program.main([*argv, *kept, "--set", *sets]) == 0

    tracks = recorded(tmp_path / "rec", "tracks", Tracks)
    facing = recorded(tmp_path / "rec", "facing", HeadPoses)
    maps = recorded(tmp_path / "rec", "gaze", GazeMaps)
    assert set(tracks.track_id.tolist()) == {1, 2}
    assert (tracks.direction_scores == 0).all()
    assert 0 < len(facing) == len(maps)
    assert np.isfinite(facing.yaw_pitch_roll_deg).all()  # believed, though no detector told a direction
    assert maps.heatmap.shape[1:] == (32, 32)
    assert ((maps.in_frame_prob > 0) & (maps.in_frame_prob <= 1)).all()
    assert Path("out/shop/annotated.mp4").stat().st_size > 0
    assert Path("out/shop/events.jsonl").exists()


def test_real_faces_are_found_and_turned_as_they_are(
    real_data: Path, real_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people who tilt their heads to the left of the image, and look at the camera or past it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "GAZE_REAL_MODELS", str(real_models))
    clip = real_data / "intel_sample_videos/head-pose-face-detection-female-and-male.preview.mp4"

    argv = [GRAPH, "--source", f"two={clip}", "--max-frames", "30", "--out", "out", "--record", "facing=rec"]
    assert program.main([*argv, "--set", "engine.device=cpu"]) == 0

    summary = json.loads(Path("out/two/summary.json").read_text("utf-8"))
    assert summary["nodes"]["people"]["rows"] == 60
    assert summary["nodes"]["poses"]["rows"] >= 58  # a track begins a little later than its face
    facing = recorded(tmp_path / "rec", "facing", HeadPoses)
    tilted = [facing.yaw_pitch_roll_deg[facing.track_id == person][-5:, 2].mean() for person in (1, 2)]
    assert sorted(np.sign(tilted)) == [-1, -1]
    assert max(tilted) < -10
