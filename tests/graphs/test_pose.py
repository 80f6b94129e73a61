"""A pose model in the graphs that ship: by a value alone, recorded, and replayed without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from cli import program
from nodes import resolve
from nodes.types import HeadPoses
from pipeline.config import load_config
from pipeline.graph import graph_from
from pipeline.recording import Recording
from pipeline.replayable import replayable
from pipeline.values import concat
from pipeline.yaml_source import read_yaml
from tests.repository import ROOT

FRAMES = 8
GRAPH = str(ROOT / "graphs/annotate.yaml")


def write_model(folder: Path, name: str, batch: Any) -> str:
    """Write a model whose angles are the mean colour of the head, and its card; return the card's path."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["crop"], ["angles"], axes=[2, 3], keepdims=0)],
        name,
        [helper.make_tensor_value_info("crop", TensorProto.FLOAT, (batch, 3, 16, 16))],
        [helper.make_tensor_value_info("angles", TensorProto.FLOAT, (batch, 3))],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, folder / f"{name}.onnx")
    angles: dict[str, Any] = {"valid_yaw_deg": 90}
    angles |= {part: {"output": "angles", "column": k} for k, part in enumerate(("yaw", "pitch", "roll"))}
    card = {
        "file": f"{name}.onnx",
        "family": "head_pose",
        "input_size_wh": [16, 16],
        "crop": {"scale": 1.1, "square": True, "mean": [90, 90, 90], "std": [5, 5, 5]},
        "head_pose": angles,
        "contract": {
            "inputs": {"crop": {"shape": ["N", 3, "H", "W"]}},
            "outputs": {"angles": {"shape": ["N", 3]}},
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card), "utf-8")
    return str(path)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the program below a folder of its own, which must succeed."""
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> None:
        assert program.main(argv) == 0

    return run


def poses(folder: Path) -> HeadPoses:
    return concat([tick.value for tick in Recording("poses", HeadPoses, folder)])


def test_a_model_is_taken_by_a_value_and_replayed_without_it(run: Any, tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    both = [write_model(tmp_path / "cards", "one", batch=1), write_model(tmp_path / "cards", "any", batch="N")]
    sets = ["tracks.offline=false", "poses.max_disagreement_deg=180", "engine.device=cpu"]
    common = [GRAPH, "--source", f"shop={ROOT}/scenes/demo/shop.mp4", "--max-frames", str(FRAMES), "--set", *sets]

    run(*common, "--out", "out/plain", "--record", "poses=rec-plain")
    run(*common, f"poses.model=[{both[0]}, {both[1]}]", "--out", "out/model", "--record", "rec")
    for path in both:
        Path(path).with_suffix(".onnx").unlink()
    run("replay", "rec", "--assert", "--out", "out/replayed")

    told, plain = (poses(next(Path(folder).rglob("poses.ticks")).parent) for folder in ("rec", "rec-plain"))
    assert (told.track_id == plain.track_id).all()
    assert np.isnan(plain.yaw_pitch_roll_deg[:, 1:]).all()
    whole = np.isfinite(told.yaw_pitch_roll_deg).all(axis=1)
    facing = np.abs(plain.yaw_pitch_roll_deg[:, 0]) <= 90
    assert whole.any()
    assert (whole == facing).all()


@pytest.mark.parametrize("name", ["retail", "annotate"])
def test_the_graphs_that_ship_take_a_model_by_a_value_alone(name: str) -> None:
    graphs = [
        graph_from(
            read_yaml(ROOT / f"graphs/{name}.yaml"),
            name,
            load_config(ROOT / f"configs/{name}.yaml", sets),
            resolve,
            root=None,
        )
        for sets in ((), ("poses.model=fsanet-1x1",))
    ]

    assert [graph.node("poses").reads_pictures for graph in graphs] == [False, True]
    assert ["poses" in replayable(graph).edges for graph in graphs] == [False, True]
