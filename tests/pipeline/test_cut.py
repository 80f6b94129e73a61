"""A graph is cut below what is replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError, GraphError
from pipeline.feed import (
    below_the_cut,
    needs_source,
    open_recording,
)
from pipeline.graph import Graph
from tests.pipeline.rig import branches


def names(cut: Graph) -> list[str]:
    return [each.name for each in cut.nodes]


@pytest.mark.parametrize(
    ("edges", "left"),
    [
        ([], ["frames", "stamps", "more", "notes", "look", "log"]),
        (["stamps"], ["frames", "more", "notes", "look", "log"]),
        (["more"], ["frames", "stamps", "notes", "look", "log"]),
        (["notes"], ["frames", "stamps", "look", "log"]),
        (["stamps", "notes"], ["frames", "look", "log"]),
    ],
)
def test_what_only_replayed_nodes_need_is_left_out(edges: list[str], left: list[str]):
    assert names(below_the_cut(branches(), dict.fromkeys(edges, Path()))) == left


def test_pictures_are_needed_when_a_node_that_is_left_reads_them():
    whole = branches(reads_pictures=["stamps"])

    assert needs_source(whole, {})
    assert needs_source(below_the_cut(whole, {"notes": Path()}), {"notes": Path()})
    assert not needs_source(below_the_cut(whole, {"stamps": Path()}), {"stamps": Path()})


@pytest.mark.parametrize(
    ("edge", "complaint"),
    [
        ("log", "--replay log: expected an edge with values, got a sink"),
        ("frames", "--replay frames: expected an edge with values, got a source"),
    ],
)
def test_an_edge_without_values_is_not_replayed(tmp_path: Path, edge: str, complaint: str):
    with pytest.raises(ConfigError) as caught:
        open_recording(branches(), edge, tmp_path)

    assert str(caught.value) == f"{complaint}; name the node that makes what is to be replayed"


def test_an_edge_that_is_none_is_not_replayed(tmp_path: Path):
    with pytest.raises(GraphError, match=r"^graph.yaml: no node 'stmps'; did you mean 'stamps'\?"):
        open_recording(branches(), "stmps", tmp_path)
