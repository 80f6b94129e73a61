"""docs/head_pose.md: the card in it is one, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from nodes.estimate_head_pose import Config
from nodes.ops.rotations import matrices
from pipeline.cards import load_card
from tests.repository import ROOT

PAGE = (ROOT / "docs/head_pose.md").read_text("utf-8")


def test_the_card_is_read_as_it_stands(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "card.yaml").write_text(text, "utf-8")

    card, path = load_card(str(tmp_path / "card.yaml"), ROOT)

    assert card.family == "head_pose"
    assert card.head_pose
    assert [angle.sign for angle in card.head_pose.angles] == [1, -1, 1]
    assert path.name == "head-pose-estimation-adas-0001.onnx"


def test_what_the_command_names_is_there() -> None:
    (cards,) = re.findall(r"run_graph.py (?:\S+) --set 'poses.model=\[(.*?)\]'", PAGE)

    for name in cards.split(", "):
        assert load_card(name, ROOT)[0].family == "head_pose"
    for field in ("max_yaw_deg", "max_disagreement_deg"):
        assert f"`{field}" in PAGE
        assert field in Config.model_fields
    assert "R = Ry(-yaw) · Rx(-pitch) · Rz(roll)" in PAGE
    assert matrices.__module__.rpartition(".")[2] in PAGE
