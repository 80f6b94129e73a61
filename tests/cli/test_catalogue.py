"""What a node class tells about itself: the verbs `nodes` and `explain`, and docs/nodes.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from cli import explain, nodes
from cli.catalogue import FieldText, config_fields, port_lines
from cli.explain import explanation
from nodes import VERBS, node_types, resolve
from nodes.types import GazePoints, Tracks
from pipeline.errors import GraphError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.streams import Polygon
from tests.repository import ROOT


class Config(NodeConfig):
    beta: float = Field(default=0.5, ge=0, lt=1, json_schema_extra={"live": True})
    """How fast it turns, 1/s.
    Raise for less lag."""
    model: str
    """Which model."""
    how: Literal["auto", "cpu"] | None = None
    """How it is done."""
    size_wh: tuple[int, int] = (640, 360)
    """Size, pixels."""
    name: Annotated[str, Field(max_length=3)] = ""
    """What it is called."""
    masks: dict[str, Polygon] = Field(default_factory=dict)
    """Where not to look."""
    on: bool = True
    """Whether."""


class Sample(Node[Config]):
    """Do something.

    State: none.
    """

    def process(self, frames: FrameBatch, points: GazePoints | None = None) -> Tracks:
        return Tracks.empty()


class Sink(Node[NodeConfig]):
    def process(self, frames: FrameBatch) -> None: ...


def test_ports_are_told() -> None:
    assert port_lines(Sample) == [
        ("in frames", "FrameBatch"),
        ("in points", "GazePoints, may be left out"),
        ("out", "Tracks"),
    ]
    assert port_lines(resolve("decode_video")) == [("out", "FrameBatch")]
    assert port_lines(resolve("read_detections")) == [("out", "Detections and FrameBatch")]
    assert port_lines(Sink) == [("in frames", "FrameBatch"), ("out", "nothing: a sink")]


def test_values_are_told_as_yaml_has_them() -> None:
    assert config_fields(Sample) == [
        FieldText("beta", "number, ≥ 0, < 1", "0.5", True, "How fast it turns, 1/s. Raise for less lag."),
        FieldText("model", "text", "", False, "Which model."),
        FieldText("how", "auto or cpu or null", "null", False, "How it is done."),
        FieldText("size_wh", "list of whole number", "[640, 360]", False, "Size, pixels."),
        FieldText("name", "text, length ≤ 3", '""', False, "What it is called."),
        FieldText("masks", "list of list of number by text", "{}", False, "Where not to look."),
        FieldText("on", "true or false", "true", False, "Whether."),
    ]


def test_a_node_is_explained() -> None:
    assert explanation("sample", Sample).splitlines()[:16] == [
        "sample  (nodes/sample.py)",
        "",
        "Do something.",
        "",
        "State: none.",
        "",
        "ports",
        "  in frames         FrameBatch",
        "  in points         GazePoints, may be left out",
        "  out               Tracks",
        "",
        "values",
        "  beta: number, ≥ 0, < 1; default 0.5; may change while the graph runs",
        "      How fast it turns, 1/s. Raise for less lag.",
        "  model: text; must be given",
        "      Which model.",
    ]
    assert explanation("sink", Sink).splitlines()[-1] == "values: none"


def test_the_list_has_a_line_for_each_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert nodes.main([]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == node_types()
    assert all(len(line) <= 120 and line.endswith(".") for line in lines)


def test_node_types_are_ordered_as_data_passes_them() -> None:
    verbs = [name.split("_")[0] for name in node_types()]

    assert verbs == sorted(verbs, key=VERBS.index)


def test_explain_says_what_a_real_node_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain.main(["hit_aoi"]) == 0

    assert capsys.readouterr().out.splitlines()[0] == "hit_aoi  (nodes/hit_aoi.py)"


def test_explain_suggests_a_node() -> None:
    with pytest.raises(GraphError) as caught:
        explain.main(["hit"])

    assert str(caught.value) == (
        f"unknown node type 'hit'; did you mean 'hit_aoi'? (nodes/ has: {', '.join(node_types())})"
    )


@pytest.mark.parametrize("name", node_types())
def test_every_value_of_every_node_is_documented(name: str) -> None:
    cls: type[Node[Any]] = resolve(name)

    assert [field.name for field in config_fields(cls) if not field.text.endswith((".", "`"))] == []
    assert cls.__doc__


def test_docs_nodes_is_what_the_program_makes(capsys: pytest.CaptureFixture[str]) -> None:
    nodes.main(["--markdown"])

    is_current = (ROOT / "docs/nodes.md").read_text("utf-8") == capsys.readouterr().out
    assert is_current, "docs/nodes.md is out of date; run: python run_graph.py nodes --markdown > docs/nodes.md"
