"""A graph is cut where pictures are no longer needed to decide events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nodes import resolve
from pipeline.config import load_config
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, load_graph
from pipeline.replayable import Replayable, first, part, replayable
from tests.pipeline.rig import Notes, Stamps, copy, graph, node_class, spec, stamp
from tests.repository import ROOT

LOOKS = {"reads_pictures": True}


def _draw(self: Any, frames: FrameBatch, stamps: Stamps) -> FrameBatch:
    return frames


def _make(self: Any, stamps: Stamps) -> Notes:
    return Notes.empty()


def _note(self: Any, frames: FrameBatch, stamps: Stamps) -> Notes:
    return Notes.empty()


def sink(**ports: Any) -> Any:
    """Return the `process()` of a sink with such ports."""

    def process(self: Any, **values: Any) -> None: ...

    process.__annotations__ = {**ports, "return": type(None)}
    return process


def shop(*more: Any) -> Graph:
    """Return frames → seen (pictures) → notes → log, beside drawn → video."""
    return graph(
        spec("seen", node_class(stamp, **LOOKS), frames="frames"),
        spec("pose", node_class(copy), frames="frames", stamps="seen"),
        spec("drawn", node_class(_draw, **LOOKS), frames="frames", stamps="pose"),
        spec("video", node_class(sink(frames=FrameBatch)), frames="drawn"),
        spec("notes", node_class(_make), stamps="seen"),
        *more,
        spec("log", node_class(sink(frames=FrameBatch, notes=Notes)), frames="frames", notes="notes"),
    )


def test_events_are_decided_below_the_last_node_that_looks_at_pictures():
    assert replayable(shop()) == Replayable(("frames", "seen"), ("seen",), ("notes", "log"))


def test_what_two_such_nodes_hand_down_is_recorded_and_what_they_hand_each_other_is_not():
    made = graph(
        spec("people", node_class(stamp, **LOOKS), frames="frames"),
        spec("tracks", node_class(copy), frames="frames", stamps="people"),
        spec("gaze", node_class(copy, **LOOKS), frames="frames", stamps="tracks"),
        spec("hits", node_class(sink(gaze=Stamps, tracks=Stamps)), gaze="gaze", tracks="tracks"),
    )

    assert replayable(made) == Replayable(("frames", "people", "tracks", "gaze"), ("tracks", "gaze"), ("hits",))


@pytest.mark.parametrize(
    "process", [sink(notes=Notes, frames=FrameBatch), sink(notes=Notes)], ids=["drawn pictures", "own pictures"]
)
def test_sinks_that_need_pictures_are_left_out(process: Callable[..., None]):
    drawn = "frames" in process.__annotations__
    inputs = {"notes": "notes", **({"frames": "drawn"} if drawn else {})}
    picture_sink = spec("gallery", node_class(process, reads_pictures=not drawn), **inputs)

    assert replayable(shop(picture_sink)).below == ("notes", "log")


def test_a_node_without_its_model_is_below_though_it_is_given_frames():
    """As with estimating head poses from directions: what it would look at with a model is not looked at."""
    cuts = []
    for without in (True, False):
        notes = node_class(_note, **LOOKS, without_model=classmethod(lambda cls, config, without=without: without))
        made = graph(
            spec("seen", node_class(stamp, **LOOKS), frames="frames"),
            spec("notes", notes, frames="frames", stamps="seen"),
            spec("log", node_class(sink(notes=Notes)), notes="notes"),
        )
        cuts.append(replayable(made))

    assert cuts == [
        Replayable(("frames", "seen"), ("seen",), ("notes", "log")),
        Replayable(("frames", "seen", "notes"), ("notes",), ("log",)),
    ]


def test_a_graph_without_event_sinks_has_nothing_below():
    drawing = part(shop(), ["frames", "seen", "pose", "drawn", "video"])

    assert replayable(drawing) == Replayable(("frames",), (), ())


def test_the_part_below_runs_by_itself_once_its_edges_are_there():
    cut = replayable(shop())

    assert [spec.name for spec in part(shop(), cut.below).nodes] == ["notes", "log"]


def test_what_is_recorded_comes_first_and_the_rest_keeps_its_order():
    assert [spec.name for spec in first(shop(), ["notes"]).nodes] == [
        "frames", "seen", "notes", "pose", "drawn", "video", "log"
    ]  # fmt: skip

    whole = shop()
    assert first(whole, []) == whole


@pytest.mark.parametrize("name", ["retail", "annotate"])
def test_of_the_graphs_that_ship_tracks_and_gaze_are_recorded(name: str):
    config = load_config(ROOT / f"configs/{name}.yaml")
    cut = replayable(load_graph(Path(ROOT / f"graphs/{name}.yaml"), config, resolve))

    assert cut.above == ("frames", "people", "living", "tracks", "gaze")
    assert cut.edges == ("tracks", "gaze")
    assert "log" in cut.below
    assert not {"overlay", "video"} & set(cut.below)
