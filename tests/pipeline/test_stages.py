"""A graph is cut where something heavy begins, unless it says otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.frames import FrameBatch
from pipeline.graph import Graph
from pipeline.stages import cut
from tests.helpers import list_sink
from tests.pipeline.rig import Stamps, graph, node_class, spec, stamp


def pass_on(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
    return stamps


LIGHT = node_class(pass_on)
HEAVY = node_class(pass_on, begins_stage=True)
SINK = list_sink(Stamps)


def names(graph: Graph) -> list[list[str]]:
    return [[each.name for each in stage] for stage in cut(graph)]


def chain(*parts: tuple[str, Any, str]) -> Graph:
    """Return a graph of (name, class, stage)."""
    inputs = {"frames": "frames", "stamps": "first"}
    return graph(
        spec("first", node_class(stamp), frames="frames"),
        *(spec(name, cls, stage, **inputs) for name, cls, stage in parts),
    )


def test_light_nodes_ride_along_with_what_stands_above():
    assert names(chain(("a", LIGHT, "auto"), ("b", LIGHT, "auto"))) == [["frames", "first", "a", "b"]]


def test_heavy_nodes_begin_a_stage_each():
    parts = (("a", HEAVY, "auto"), ("b", LIGHT, "auto"), ("c", HEAVY, "auto"), ("d", HEAVY, "auto"))

    assert names(chain(*parts)) == [["frames", "first"], ["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("cls", "stage", "expected"),
    [
        (LIGHT, "new", [["frames", "first"], ["a", "b"]]),
        (LIGHT, "same", [["frames", "first", "a", "b"]]),
        (HEAVY, "new", [["frames", "first"], ["a", "b"]]),
        (HEAVY, "same", [["frames", "first", "a", "b"]]),
    ],
)
def test_the_graph_has_the_last_word(cls: Any, stage: str, expected: list[list[str]]):
    assert names(chain(("a", cls, stage), ("b", LIGHT, "auto"))) == expected


def test_a_heavy_node_without_its_model_rides_along():
    idle = node_class(pass_on, begins_stage=True, without_model=classmethod(lambda cls, config: True))

    assert names(chain(("a", idle, "auto"), ("b", LIGHT, "auto"))) == [["frames", "first", "a", "b"]]


def test_a_source_alone_is_a_stage():
    assert names(graph()) == [["frames"]]
