"""How far a run is, on a terminal and in a log."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from cli.progress import Progress, clock_text
from nodes.types import Tracks, Visits
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Node, NodeConfig
from pipeline.report import Snapshot
from tests.helpers import list_source


class Track(Node[NodeConfig]):
    def process(self, frames: FrameBatch) -> Tracks:
        return Tracks.empty()


class Measure(Node[NodeConfig]):
    def process(self, tracks: Tracks) -> Visits:
        return Visits.empty()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


CLASSES: dict[str, type[Node[NodeConfig]]] = {"frames": list_source({}), "tracks": Track, "looks": Measure}
GRAPH = Graph("g.yaml", tuple(NodeSpec(name, name, cls, NodeConfig(), {}, "auto", "") for name, cls in CLASSES.items()))


def snapshot(elapsed_s: float = 10.0, pts_s: float = 3.0, duration_s: float | None = 12.0) -> Snapshot:
    return Snapshot(
        frames=75,
        elapsed_s=elapsed_s,
        fps=7.5,
        pts_ns={"shop": round(pts_s * 1e9)},
        duration_ns={"shop": round(duration_s * 1e9) if duration_s else None},
        last_rows={"frames": 1, "tracks": 4, "looks": 0},
        total_rows={"frames": 75, "tracks": 300, "looks": 9},
    )


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (snapshot(), "shop   25%  7.5 fps  eta 0:30  people 4  events 9"),
        (snapshot(pts_s=0), "shop    0%  7.5 fps  people 4  events 9"),
        (snapshot(pts_s=13), "shop  100%  7.5 fps  eta 0:00  people 4  events 9"),
        (snapshot(duration_s=None), "shop  75 frames  7.5 fps  people 4  events 9"),
    ],
)
def test_a_log_gets_plain_lines(seen: Snapshot, line: str) -> None:
    out = io.StringIO()
    progress = Progress(GRAPH, "shop", out=out)

    progress.observe(seen)
    progress.finish()

    assert out.getvalue() == f"{line}\n"


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (snapshot(), "shop   75%  7.5 fps  eta 0:03  people 4  events 9"),
        (snapshot(duration_s=None), "shop   75%  7.5 fps  eta 0:03  people 4  events 9"),
        (snapshot(duration_s=3.1), "shop   97%  7.5 fps  eta 0:00  people 4  events 9"),
    ],
)
def test_a_run_of_some_frames_is_done_after_them_or_at_the_end(seen: Snapshot, line: str) -> None:
    out = io.StringIO()

    Progress(GRAPH, "shop", 100, out).observe(seen)

    assert out.getvalue() == f"{line}\n"


def test_passes_are_numbered_and_what_a_pass_does_not_make_is_left_out() -> None:
    out = io.StringIO()
    progress = Progress(GRAPH, "shop", out=out)
    first = replace(snapshot(), passes=(1, 2), last_rows={"tracks": 4}, total_rows={"tracks": 300})
    second = replace(snapshot(5.0), passes=(2, 2), last_rows={"looks": 0}, total_rows={"looks": 9})

    for seen in (first, replace(first, elapsed_s=14.0), second):
        progress.observe(seen)

    assert out.getvalue().splitlines() == [
        "shop  pass 1 of 2   25%  7.5 fps  eta 0:30  people 4",
        "shop  pass 2 of 2   25%  7.5 fps  eta 0:15  events 9",
    ]


def test_a_log_gets_a_line_every_few_seconds() -> None:
    out = io.StringIO()
    progress = Progress(GRAPH, "shop", out=out)

    for elapsed_s in (0.25, 4.9, 5.0, 5.25, 9.9, 10.1):
        progress.observe(snapshot(elapsed_s=elapsed_s))

    assert out.getvalue().count("\n") == 2


def test_a_terminal_gets_a_bar_that_is_wiped_at_the_end() -> None:
    out = Terminal()
    progress = Progress(GRAPH, "shop", out=out)

    progress.observe(snapshot(elapsed_s=0.25))
    progress.finish()

    bar = "[######..................]"
    assert out.getvalue() == f"\rshop  {bar}   25%  7.5 fps  eta 0:01  people 4  events 9\x1b[K\r\x1b[K"


def test_a_graph_without_people_or_events_tells_of_neither() -> None:
    out = io.StringIO()
    progress = Progress(Graph("g.yaml", GRAPH.nodes[:1]), "shop", out=out)

    progress.observe(snapshot())

    assert out.getvalue() == "shop   25%  7.5 fps  eta 0:30\n"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (754, "12:34"), (3725, "1:02:05")])
def test_durations_are_told_as_clocks_do(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
