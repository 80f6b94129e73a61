"""Graphs are checked against the ports of their nodes before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field

from pipeline.config import RunConfig, load_config, read_config
from pipeline.errors import ConfigError, GraphError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, load_graph
from pipeline.node import Node, NodeConfig, Source, SourceItem
from pipeline.suggest import did_you_mean
from pipeline.values import Value, column

HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Signs(Value):
    sign: np.ndarray = column(np.int8)


@dataclass(frozen=True, eq=False)
class Sums(Value):
    total: np.ndarray = column(np.int64)


class SignConfig(NodeConfig):
    min_score: float = Field(0.5, ge=0, le=1)
    model: str = "signs"

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": [] if (root / f"{self.model}.onnx").exists() else [f"no model {self.model!r}"]}


class ReadNumbers(Source[NodeConfig]):
    def frames(self) -> Iterator[SourceItem]:
        yield None

    def process(self) -> FrameBatch:
        raise NotImplementedError


class ReadSums(Source[NodeConfig]):
    gives_pictures = False

    def process(self) -> Sums:
        raise NotImplementedError


class DrawSigns(Node[NodeConfig]):
    reads_pictures = True

    def process(self, frames: FrameBatch) -> FrameBatch:
        return frames


class DetectSigns(Node[SignConfig]):
    def process(self, frames: FrameBatch, sums: Sums | None = None) -> Signs:
        return Signs.empty()


class MeasureSums(Node[NodeConfig]):
    def process(self, signs: Signs) -> Sums:
        return Sums.empty()


class GuessSums(Node[SignConfig]):
    """Look at pictures where a model is configured."""

    begins_stage = True
    reads_pictures = True

    @classmethod
    def without_model(cls, config: SignConfig) -> bool:
        return config.model == "none"

    def process(self, signs: Signs, frames: FrameBatch | None = None) -> Sums:
        return Sums.empty()


class WriteSums(Node[NodeConfig]):
    def process(self, sums: Sums) -> None: ...


class Unannotated(Node[NodeConfig]):
    def process(self, frames: FrameBatch): ...  # type: ignore[no-untyped-def]


KINDS: dict[str, type[Node[Any]]] = {
    "read_numbers": ReadNumbers,
    "detect_signs": DetectSigns,
    "measure_sums": MeasureSums,
    "write_sums": WriteSums,
    "read_sums": ReadSums,
    "draw_signs": DrawSigns,
}


def resolve(type_name: str) -> type[Node[Any]]:
    if type_name not in KINDS:
        raise GraphError(f"unknown node type {type_name!r}{did_you_mean(type_name, KINDS, 'nodes/ has')}")
    return KINDS[type_name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "signs.onnx").touch()
    return tmp_path


def load(root: Path, graph: str, config: str = "", sets: tuple[str, ...] = ()) -> Graph:
    (root / "g.yaml").write_text(graph, "utf-8")
    (root / "c.yaml").write_text(config, "utf-8")
    checked, problems = read_config(Path("c.yaml"), sets)
    return load_graph(Path("g.yaml"), checked, resolve, also=problems, root=root)


GOOD = """\
frames: {type: read_numbers}
signs: {type: detect_signs, in: {frames: frames}, stage: new}
sums: {type: measure_sums, in: {signs: signs}}
again: {type: detect_signs, in: {frames: frames, sums: sums}}
log: {type: write_sums, in: {sums: sums}}
"""


@pytest.mark.parametrize("file", sorted(path.name for path in (HERE / "bad_graphs").glob("*.yaml")))
def test_bad_graph_says_what_its_first_lines_say(file: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    path = Path("bad_graphs") / file
    expected = [line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("# ")]

    with pytest.raises(PipelineError) as caught:
        load_graph(path, load_config(None), resolve, root=root)

    assert str(caught.value).splitlines() == expected


def test_graph_holds_its_nodes_in_order_with_their_values(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)

    graph = load(root, GOOD, "again: {min_score: 0.25}")

    assert [spec.name for spec in graph.nodes] == ["frames", "signs", "sums", "again", "log"]
    assert graph.source.name == "frames"
    assert graph.node("signs").stage == "new"
    assert graph.node("sums").stage == "auto"
    assert graph.node("sums").where == "g.yaml:3"
    assert graph.node("again").inputs == {"frames": "frames", "sums": "sums"}
    assert graph.node("again").config == SignConfig(min_score=0.25)
    assert graph.node("signs").config == SignConfig()
    assert [spec.name for spec in graph.consumers("sums")] == ["again", "log"]
    assert graph.node("log").ports.output is None


def test_a_source_with_values_of_its_own_is_read_as_these_and_as_frames(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)

    graph = load(root, "sums: {type: read_sums}\nsigns: {type: detect_signs, in: {frames: sums, sums: sums}}\n")

    assert graph.source.ports.output is Sums
    assert graph.reads_values_of_source(graph.node("signs"))


def test_a_source_must_name_what_it_puts_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setitem(KINDS, "read_anything", type("ReadAnything", (Source,), {}))

    with pytest.raises(GraphError) as caught:
        load(root, "frames: {type: read_anything}\n")

    assert str(caught.value) == (
        "g.yaml:1: frames.type: ReadAnything.process: expected one kind of Value as return type, got any; name it"
    )


def test_asking_for_a_node_that_is_not_there_suggests_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    graph = load(root, GOOD)

    with pytest.raises(GraphError) as caught:
        graph.node("sum")

    assert str(caught.value) == "g.yaml: no node 'sum'; did you mean 'sums'? (nodes: frames, signs, sums, again, log)"


GUESS = """\
frames: {type: read_numbers}
signs: {type: detect_signs, in: {frames: frames}}
sums: {type: guess_sums, in: {signs: signs}}
"""


def test_values_say_whether_a_node_looks_at_pictures(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setitem(KINDS, "guess_sums", GuessSums)
    (root / "none.onnx").touch()
    connected = GUESS.replace("signs: signs}", "signs: signs, frames: frames}")

    without, model = (load(root, connected, f"sums: {{model: {name}}}").node("sums") for name in ("none", "signs"))
    unconnected = load(root, GUESS, "sums: {model: none}").node("sums")

    assert [(spec.begins_stage, spec.reads_pictures) for spec in (without, model, unconnected)] == [
        (False, False),
        (True, True),
        (False, False),
    ]


def test_a_node_that_looks_at_pictures_must_be_given_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setitem(KINDS, "guess_sums", GuessSums)

    with pytest.raises(GraphError) as caught:
        load(root, GUESS, "sums: {model: signs}")

    assert str(caught.value) == (
        "g.yaml:3: sums.in: expected an edge for input 'frames' (FrameBatch), got none; with the values it is given, "
        "it looks at pictures; add {frames: frames}"
    )


def test_values_are_checked_against_the_nodes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    config = "signs:\n  min_score: 2\nagain: {model: sines}\nsumms: {a: 1}\nsums:\nlog: 3\n"

    with pytest.raises(ConfigError) as caught:
        load(root, GOOD, config, sets=("signs.no_such=1", "engine.batch_size=0"))

    assert str(caught.value).splitlines() == [
        "c.yaml:6: log: expected keys and values, got 3",
        "--set engine.batch_size=0: engine.batch_size: expected greater than or equal to 1, got 0",
        "c.yaml:2: signs.min_score: expected less than or equal to 1, got 2",
        "--set signs.no_such=1: signs.no_such: unknown key; did you mean 'min_score'? (keys: min_score, model)",
        "c.yaml:3: again.model: no model 'sines'",
        "c.yaml:4: summs: g.yaml has no such node; did you mean 'sums'? (nodes: frames, signs, sums, again, log)",
    ]


def test_problems_of_graph_and_configuration_are_told_together(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)

    with pytest.raises(GraphError) as caught:
        load(root, "frames: {type: read_numbers}\nsums: {type: measure_sums}\n", "sums: {a: 1}")

    assert str(caught.value).splitlines() == [
        "g.yaml:2: sums.in: expected an edge for input 'signs' (Signs), got none; "
        "declare a node that makes Signs above",
        "c.yaml:1: sums.a: unknown key (keys: none)",
    ]


def test_a_class_without_ports_is_told_where_it_is_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setitem(KINDS, "unannotated", Unannotated)

    with pytest.raises(GraphError) as caught:
        load(root, "frames: {type: read_numbers}\nx: {type: unannotated, in: {frames: frames}}\n")

    assert str(caught.value) == (
        "g.yaml:2: x.type: Unannotated.process: expected a return annotation, got none; write -> None for a sink"
    )


def test_a_missing_graph_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        load_graph(Path("no/such.yaml"), load_config(None), resolve)

    assert str(caught.value) == "no/such.yaml: cannot be read (No such file or directory); check the path"


def test_config_of_a_run_without_a_file_is_all_defaults() -> None:
    config = load_config(None)

    assert isinstance(config, RunConfig)
    assert (config.path, config.streams, config.nodes) == ("no configuration", {}, {})
    assert config.engine.ticks_in_flight == 6
