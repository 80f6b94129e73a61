"""A source may put out values of its own, and frames without pictures."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.frames import FrameBatch
from pipeline.node import Frame
from tests.pipeline.own_values import PICTURE, SIZE, Seen, known, run, source, stamps
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    Notes,
    Stamps,
    adds_up,
    copy,
    node_class,
    spec,
)


def test_an_edge_is_read_as_values_and_as_frames(tmp_path: Path) -> None:
    seen = Seen()

    report = run(source({"shop": [known(0, 5, 6), known(1), known(2, 7)]}), tmp_path,
                 spec("sink", seen.cls, frames="frames", stamps="frames"))  # fmt: skip

    assert seen.ticks == [
        ([], [], []),
        (["shop"], [0], [(0, 5), (0, 6)]),
        (["shop"], [1], []),
        (["shop"], [2], [(0, 7)]),
        ([], [], []),
    ]
    assert (report.status, report.frames) == ("done", 3)
    assert [(node.name, node.rows) for node in report.nodes] == [("frames", 3), ("sink", 0)]
    assert adds_up(report.edges)


def test_values_of_several_streams_and_frames_are_one_value_of_their_tick(tmp_path: Path) -> None:
    seen, items = Seen(), {"a": [known(0, 1), known(1, 2, 3)], "b": [known(0), known(1, 4)]}

    run(source(items), tmp_path, spec("sink", seen.cls, frames="frames", stamps="frames"), ids=items, batch_size=3)

    assert seen.filled() == [
        (["a", "b", "a"], [0, 0, 1], [(0, 1), (2, 2), (2, 3)]),
        (["b"], [1], [(0, 4)]),
    ]


def test_values_that_belong_to_no_frame_are_joined_too(tmp_path: Path) -> None:
    got: list[tuple[str, ...]] = []

    def keep(self: Any, notes: Notes) -> None:
        got.append(notes.text)

    notes = [Frame(None, index * STEP_NS, SIZE, Notes(("shop",), (f"n{index}",))) for index in range(2)]
    run(source({"shop": notes}, Notes), tmp_path, spec("sink", node_class(keep), notes="frames"), batch_size=2)

    assert got == [(), ("n0", "n1"), ()]


def test_a_source_may_have_pictures_and_values(tmp_path: Path) -> None:
    got: list[tuple[int, list[int]]] = []

    def look(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        got.append((len(frames.pictures), stamps.stamp_ns.tolist()))

    items = {"shop": [Frame(PICTURE, 0, value=stamps(5))]}
    sink = spec("sink", node_class(look, reads_pictures=True), frames="frames", stamps="frames")
    run(source(items, pictures=True), tmp_path, sink)

    assert got == [(0, []), (1, [5]), (0, [])]


def test_a_source_may_number_its_frames(tmp_path: Path) -> None:
    seen = Seen()
    items = {"shop": [known(0, index=3), known(1), known(2, index=9)]}

    run(source(items), tmp_path, spec("sink", seen.cls, frames="frames", stamps="frames"))

    assert [tick[1] for tick in seen.filled()] == [[3], [4], [9]]


@pytest.mark.parametrize(
    ("item", "pictures", "complaint"),
    [
        (Frame(PICTURE, 0, value=stamps()), False, "TypeError: Frame.picture: expected no picture, got Picture"),
        (Frame(None, 0, SIZE, stamps()), True, "TypeError: Frame.picture: expected a picture, got NoneType"),
        (
            Frame(None, 0, value=stamps()),
            False,
            "Frame.size_wh: expected width and height of a frame without a picture, got none",
        ),
        (Frame(None, 0, SIZE), False, "TypeError: expected Stamps as output, got NoneType"),
        (
            Frame(None, 0, SIZE, stamps(7, frame_row=1)),
            False,
            "Stamps.frame_row: expected rows of the 1 frames of the tick, got 1 to 1",
        ),
    ],
)
def test_a_frame_that_is_not_what_its_source_promises_is_told(
    tmp_path: Path, item: Frame, pictures: bool, complaint: str
) -> None:
    sink = spec("sink", Seen().cls, frames="frames", stamps="frames")

    report = run(source({"shop": [item]}, pictures=pictures), tmp_path, sink)

    assert (report.error, report.bad_input) == (f"stream 'shop': {complaint}", True)


def test_values_that_no_port_names_are_told(tmp_path: Path) -> None:
    made = source({"shop": [Frame(PICTURE, 0, value=stamps(1))]}, FrameBatch, pictures=True)

    report = run(made, tmp_path)

    assert report.error == (
        "stream 'shop': TypeError: Frame.value: expected none, got Stamps; name it in process()"
    )  # fmt: skip


def test_numbers_of_frames_must_rise(tmp_path: Path) -> None:
    sink = spec("sink", Seen().cls, frames="frames", stamps="frames")

    report = run(source({"shop": [known(0, index=3), known(1, index=3)]}), tmp_path, sink)

    assert report.error == "stream 'shop': Frame.index: expected 4 or more after those before, got 3"
    assert adds_up(report.edges)


def test_where_a_node_drops_a_stream_its_values_go_too(tmp_path: Path) -> None:
    seen, items = Seen(), {"a": [known(1, 1)], "b": [known(1, 2)]}

    def fails_on_a(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if "a" in frames.stream_id:
            raise ValueError("broken")
        return stamps

    report = run(
        source(items), tmp_path,
        spec("half", node_class(fails_on_a), frames="frames", stamps="frames"),
        spec("sink", seen.cls, frames="frames", stamps="frames"),
        ids=items, batch_size=2, on_error="drop",
    )  # fmt: skip

    assert seen.filled() == [(["b"], [0], [(0, 2)])]
    assert report.dropped == {"error:half": 1}
    assert adds_up(report.edges)


def test_what_waits_on_disk_for_a_slow_live_sink_is_whole(tmp_path: Path) -> None:
    seen, read_all = Seen(), threading.Event()
    inner = seen.cls.process

    def slow(self: Any, frames: FrameBatch, stamps: Stamps) -> None:
        assert read_all.wait(PATIENCE_S)
        inner(self, frames=frames, stamps=stamps)

    def note_end(self: Any, stream_id: str) -> None:
        read_all.set()

    items = {"shop": [known(index, index) for index in range(9)]}
    report = run(
        source(items), tmp_path,
        spec("middle", node_class(copy, stream_ended=note_end), frames="frames", stamps="frames"),
        spec("sink", node_class(slow), frames="frames", stamps="frames"),
        live=True, sink_queue=1,
    )  # fmt: skip

    assert report.sinks["sink"]["spilled"] > 0
    assert [tick[2] for tick in seen.filled()] == [[(0, index)] for index in range(9)]
