"""docs/head_pose.md: the card in it is one, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cli.program import main
from nodes import resolve
from nodes.estimate_gaze_from_direction import Config as Cone
from nodes.estimate_head_pose import Config, EstimateHeadPose
from nodes.ops.rotations import matrices
from nodes.types import Tracks
from pipeline.cards import load_card
from pipeline.config import config_from
from pipeline.device_cpu import CpuDevice
from pipeline.graph import Graph, graph_from
from pipeline.node import Context
from pipeline.yaml_source import parse_yaml
from tests.helpers import frames, picture, run_node, table
from tests.repository import ROOT
from tests.small_gaze import write_small_gaze

PAGE = (ROOT / "docs/head_pose.md").read_text("utf-8")


def test_the_card_is_read_as_it_stands(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(file:.*?)```", PAGE, re.DOTALL)
    (tmp_path / "card.yaml").write_text(text, "utf-8")

    card, path = load_card(str(tmp_path / "card.yaml"), ROOT)

    assert card.family == "head_pose"
    assert card.head_pose
    assert [angle.sign for angle in card.head_pose.angles] == [1, -1, 1]
    assert path.name == "my-pose-model.onnx"


def test_what_the_command_names_is_there() -> None:
    (cards,) = re.findall(r"run_graph.py (?:\S+) --set 'poses.model=\[(.*?)\]'", PAGE)

    for name in cards.split(", "):
        assert load_card(name, ROOT)[0].family == "head_pose"
    for field in ("max_yaw_deg", "max_disagreement_deg", "faces_only"):
        assert f"`{field}" in PAGE
        assert field in Config.model_fields
    assert "R = Ry(-yaw) · Rx(-pitch) · Rz(roll)" in PAGE
    assert matrices.__module__.rpartition(".")[2] in PAGE


def test_cards_and_constants_that_it_tells_are_those_that_ship() -> None:
    table = PAGE.partition("| cards | told as |")[2].partition("\n\n")[0]
    for name in re.findall(r"`([a-z0-9-]+)`", "".join(line.split("|")[1] for line in table.splitlines()[2:])):
        assert load_card(name, ROOT)[0].family == "head_pose"
    cone = Cone()
    for field, told in (("head_spread_deg", "13°"), ("yaw_spread_deg", "25°"), ("eyes_spread_deg", "10°")):
        assert f"`{field}` ({told})" in PAGE
        assert told == f"{getattr(cone, field):g}°"
    assert f"{cone.distance_m:g} m in the median" in PAGE
    assert f"up to {cone.clear_share:g} of the way (`clear_share`)" in PAGE


def test_the_nodes_it_adds_to_a_graph_fit_into_it() -> None:
    (nodes,) = re.findall(r"```yaml\n(eyes:.*?)```", PAGE, re.DOTALL)
    graph = (ROOT / "graphs/faces.yaml").read_text("utf-8")
    kept = "\n".join(line for line in graph.splitlines() if not line.startswith("gaze:"))
    first, rest = kept.split("\npoints:")
    values, problems = config_from(parse_yaml("{}", "none"))

    made = graph_from(parse_yaml(f"{first}\n{nodes}\npoints:{rest}", "faces"), "faces", values, resolve, root=None)

    assert not problems
    assert made.node("gaze").inputs["directions"] == "eyes"


def test_one_line_makes_a_gaze_model_tell_poses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = re.findall(r"```yaml\n(head_pose: .*?)```", PAGE, re.DOTALL)
    (command,) = re.findall(r"run_graph.py (.* poses.model=gaze-shop-480)", PAGE)
    card = Path(write_small_gaze(tmp_path, head_pose=yaml.safe_load(line)["head_pose"]))
    node = EstimateHeadPose(Config(model=str(card)), Context("poses", CpuDevice(), ROOT, ROOT, Graph("", ())))
    tracks = table(Tracks, frame_row=[0], track_id=[1], head_box=[[0.5, 0.5, 0.6, 0.6]], head_score=[1.0])

    (poses,) = run_node(node, [(tracks, frames(1, pictures=[picture(bgr=(255, 255, 255))]))])

    assert poses.yaw_pitch_roll_deg.tolist() == [[0, 0, 0]]
    monkeypatch.chdir(ROOT)
    assert main([*command.split(), "--check"]) == 0, capsys.readouterr().err
