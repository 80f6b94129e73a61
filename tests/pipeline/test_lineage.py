"""Where values come from: digests that change with what decides on a value, and with nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from pipeline.errors import ConfigError
from pipeline.graph import Graph
from pipeline.lineage import Lineage, cards, lineage_of
from pipeline.node import Context, NodeConfig
from tests.helpers import FakeDevice, list_source
from tests.pipeline.rig import Stamps, branches, clip, graph, node_class, runtime, spec, stamp, stream
from tests.repository import ROOT

CARD = "file: m.onnx\nfamily: any\ncontract: {inputs: {}, outputs: {}}\n"


class Config(NodeConfig):
    model: str = Field(default="", json_schema_extra={"card": True})
    """A card."""
    several: tuple[str, ...] = Field(default=(), json_schema_extra={"card": True})
    """Cards."""
    other: str = "no card"
    """Something else."""


def with_config(graph: Graph, name: str, **config: Any) -> Graph:
    """Return the graph with other values for a node."""
    nodes = tuple(replace(spec, config=Config(**config)) if spec.name == name else spec for spec in graph.nodes)
    return Graph(graph.path, nodes)


def config_of(whole: Graph, edge: str = "stamps", **stream_config: Any) -> str:
    return lineage_of(whole, edge, ROOT).config_of(stream(**stream_config))


def test_lineage_names_the_graph_and_the_models_above(tmp_path: Path) -> None:
    (tmp_path / "configs/models").mkdir(parents=True)
    (tmp_path / "m.onnx").write_bytes(b"weights")
    for name, checksum in (("plain", ""), ("checked", f"sha256: {'a1' * 32}\n"), ("below", "")):
        (tmp_path / f"configs/models/{name}.yaml").write_text(CARD + checksum)
    whole = with_config(branches(), "stamps", model="plain")
    whole = with_config(with_config(whole, "frames", model="checked"), "more", model="below")

    lineage = lineage_of(replace(whole, path="some/where/shop.yaml"), "stamps", tmp_path)

    weights = hashlib.sha256(b"weights").hexdigest()[:12]
    assert (lineage.graph, lineage.models) == (
        "shop",
        {"checked": "sha256:a1a1a1a1a1a1", "plain": f"sha256:{weights}"},
    )


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "configs/models").mkdir(parents=True)
    (tmp_path / "configs/models/plain.yaml").write_text(CARD)

    with pytest.raises(ConfigError) as error:
        lineage_of(with_config(branches(), "stamps", model="plain"), "stamps", tmp_path)

    assert str(error.value) == (
        f"model 'plain': expected the file {tmp_path}/m.onnx, got none; put the file there or correct `file` in the "
        "card 'plain'"
    )


def test_the_digest_follows_the_values_of_the_nodes_above_and_no_others() -> None:
    whole = branches()
    before = config_of(whole)

    assert len(before) == 12 and int(before, 16) >= 0
    assert config_of(branches()) == before
    assert config_of(with_config(whole, "more", other="changed")) == before
    assert config_of(with_config(whole, "stamps", other="changed")) != before
    assert config_of(with_config(whole, "frames", other="changed")) != before
    assert config_of(whole, "more") != before


def test_the_digest_follows_what_is_made_of_a_stream_and_not_where_it_comes_from() -> None:
    whole, area = branches(), {"tea": ((0, 0), (1, 0), (1, 1))}
    before = config_of(whole)

    assert (
        config_of(whole, max_fps=5, when_full="keep_newest", max_age_ms=100, start_time="2024-05-01T00:00:00Z")
        == before
    )
    assert config_of(whole, id="door") == before  # the id is in the source of an event
    assert config_of(whole, aois=area) != before
    assert config_of(whole, aois=area) != config_of(whole, aois={"soap": area["tea"]})
    assert config_of(whole, hfov_deg=60) != before


def test_origins_are_those_of_the_streams_as_they_are_now() -> None:
    lineage = Lineage("shop", {"m": "sha256:0"}, "[]")
    old, new = stream("shop"), stream("shop", hfov_deg=60)

    first = lineage.origins({"shop": old, "door": stream("door")})
    second = lineage.origins({"shop": new})

    assert first["shop"] == ("shop", {"m": "sha256:0"}, lineage.config_of(old))
    assert first["shop"] == first["door"]
    assert second == {"shop": ("shop", {"m": "sha256:0"}, lineage.config_of(new))}
    assert first["shop"].config != second["shop"].config


def test_a_context_tells_the_lineage_of_what_a_node_reads(tmp_path: Path) -> None:
    whole = branches()
    context = Context("log", FakeDevice(), tmp_path / "out", tmp_path, whole)

    assert context.lineage("values") == lineage_of(whole, "notes", tmp_path)
    assert context.lineage("values").graph == "graph"
    with pytest.raises(KeyError):
        context.lineage("looks")


def test_a_file_of_the_run_lies_in_its_folder(tmp_path: Path) -> None:
    context = Context("log", FakeDevice(), tmp_path / "out/retail", tmp_path, branches())

    assert context.run_path("events.db") == tmp_path / "out/retail/events.db"
    assert (tmp_path / "out/retail").is_dir()


def test_only_marked_fields_name_cards() -> None:
    assert cards(Config(model="a", other="b")) == ["a"]
    assert cards(Config(model="a", several=("c", "b"))) == ["a", "c", "b"]
    assert cards(Config()) == []


def test_a_replay_is_told_the_same_as_the_run_it_was_recorded_in(tmp_path: Path) -> None:
    told: list[Lineage] = []

    def keep(self: Any, stamps: Stamps) -> None:
        told.append(self.context.lineage("stamps"))

    for option in ("record", "replay"):
        nodes = [spec("stamps", node_class(stamp), frames="frames"), spec("log", node_class(keep), stamps="stamps")]
        whole = graph(*nodes, source=list_source({"shop": clip(1)}))
        runtime(whole, [stream()], tmp_path, **{option: {"stamps": tmp_path / "rec"}}).run()

    assert len(told) == 6  # begun, a frame, ended; and again
    assert all(each == lineage_of(whole, "stamps", tmp_path) for each in told)
