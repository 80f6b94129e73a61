"""Where a graph is cut that is run in two passes, and what is handed from one to the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from pydantic import Field

from nodes import resolve
from pipeline.config import load_config
from pipeline.errors import GraphError
from pipeline.graph import Graph, load_graph
from pipeline.node import NodeConfig
from pipeline.second_pass import SecondPass, second_pass
from tests.pipeline.rig import branches
from tests.repository import ROOT


class Switched(NodeConfig):
    at_end: bool = Field(default=True, json_schema_extra={"second_pass": True})
    """Ask for a second pass."""


def asking(names: Collection[str], graph: Graph | None = None, at_end: bool = True) -> Graph:
    """Return frames → stamps → more → notes → log, and look, which reads stamps; some ask for a second pass."""
    whole = graph or branches()
    nodes = (replace(spec, config=Switched(at_end=at_end)) if spec.name in names else spec for spec in whole.nodes)
    return Graph(whole.path, tuple(nodes))


@pytest.mark.parametrize(
    ("node", "recorded", "above", "edges"),
    [
        ("stamps", (), ("frames", "stamps"), ("stamps",)),
        ("more", (), ("frames", "stamps", "more"), ("stamps", "more")),
        ("notes", (), ("frames", "stamps", "more", "notes"), ("stamps", "notes")),
        ("notes", ("more", "frames"), ("frames", "stamps", "more", "notes"), ("stamps", "more", "notes")),
    ],
)
def test_written_down_is_what_is_revised_read_below_or_recorded(
    node: str, recorded: Any, above: tuple[str, ...], edges: tuple[str, ...]
) -> None:
    assert second_pass(asking([node]), recorded=recorded) == SecondPass({node: "at_end"}, above, edges)


def test_nobody_asks_where_the_switch_is_off_or_a_recording_stands_in() -> None:
    assert second_pass(branches()) is None
    assert second_pass(asking(["more"], at_end=False)) is None
    assert second_pass(asking(["more"]), replayed=["more"]) is None
    assert second_pass(asking(["more"]), replayed=["notes"]) is None


def test_a_replayed_edge_above_is_handed_on_by_its_recording() -> None:
    assert second_pass(asking(["notes"]), replayed=["stamps"]) == SecondPass(
        {"notes": "at_end"}, ("frames", "stamps", "more", "notes"), ("notes",)
    )


def test_nodes_that_do_not_depend_on_each_other_are_revised_together() -> None:
    whole = branches()
    side = replace(whole.node("more"), name="side")
    graph = asking(["more", "side"], Graph(whole.path, (*whole.nodes, side)))

    assert second_pass(graph) == SecondPass(
        {"more": "at_end", "side": "at_end"}, ("frames", "stamps", "more", "side"), ("stamps", "more", "side")
    )


def test_of_nodes_that_depend_on_each_other_one_can_ask() -> None:
    with pytest.raises(GraphError) as caught:
        second_pass(asking(["stamps", "notes"]))

    assert str(caught.value) == (
        "graph.yaml: notes: expected a node that depends on no other one that is revised at the end of a file, got "
        "'notes', which depends on 'stamps'; add --set notes.at_end=false"
    )


@pytest.mark.parametrize(
    ("graph", "above", "edges"),
    [
        ("annotate", ("frames", "people", "living", "tracks"), ("living", "tracks")),
        ("retail", ("frames", "people", "living", "tracks"), ("living", "tracks")),
        ("track", ("detections", "tracks"), ("tracks",)),
    ],
)
def test_graphs_that_ship_are_cut_at_the_tracks(graph: str, above: tuple[str, ...], edges: tuple[str, ...]) -> None:
    config = load_config(ROOT / f"configs/{graph}.yaml", ["tracks.offline=true"])
    whole = load_graph(ROOT / f"graphs/{graph}.yaml", config, resolve)

    assert second_pass(whole) == SecondPass({"tracks": "offline"}, above, edges)


def test_values_of_a_sources_own_are_handed_on_where_they_are_read() -> None:
    config = load_config(ROOT / "configs/track.yaml", ["tracks.offline=true"])
    whole = load_graph(ROOT / "graphs/track.yaml", config, resolve)
    reads_both = replace(whole.node("tracks"), name="again", config=type(whole.node("tracks").config)())
    cut = second_pass(Graph(whole.path, (*whole.nodes, reads_both)))

    assert cut is not None
    assert cut.edges == ("detections", "tracks")
    recorded = second_pass(whole, recorded=["detections"])
    assert recorded is not None
    assert recorded.edges == ("detections", "tracks")


def test_annotate_asks_for_it_and_the_others_do_not() -> None:
    asks = {}
    for name in ("annotate", "retail", "track"):
        config = load_config(ROOT / f"configs/{name}.yaml")
        asks[name] = second_pass(load_graph(ROOT / f"graphs/{name}.yaml", config, resolve)) is not None

    assert asks == {"annotate": True, "retail": False, "track": False}
