"""The measuring sink sees every frame with its age, at the end of the shipped graph."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks.cameras.time_code import draw_number, read_number
from benchmarks.graph_runs import shipped_graph
from benchmarks.live_sink import NAME, Eye, with_eye
from benchmarks.live_tally import Clock, Sighting
from pipeline.frames import Picture
from tests.helpers import FakeContext, frames


def numbered(number: int) -> Picture:
    luma = np.full((360, 640), 90, np.uint8)
    draw_number(luma, number)
    return Picture((luma, np.full((180, 320), 128, np.uint8), np.full((180, 320), 128, np.uint8)), "i420")


def sighting(stream_id: str, unix_s: float, age_s: float | None = 0.5) -> Sighting:
    return Sighting(stream_id, unix_s, age_s, 0, 0)


def test_frames_are_seen_with_their_age(monkeypatch: pytest.MonkeyPatch) -> None:
    eye = Eye(read_number)
    eye.clocks["door"] = Clock(fps=25.0, frames=500)
    spec = with_eye(shipped_graph(["frames"])[0], eye).node(NAME)
    sink = spec.cls(spec.config, FakeContext())
    monkeypatch.setattr(time, "time", lambda: 1000.25)

    sink.process(frames(3, ["door", "till", "door"], pictures=[numbered(5), numbered(6), Picture(
        (np.full((360, 640), 90, np.uint8),), "bgr")], generation=[7, 8, 7]))  # fmt: skip

    assert eye.between(1000.25) == [
        Sighting("door", 1000.25, pytest.approx(0.05), 7, 0),
        Sighting("door", 1000.25, None, 7, 80_000_000),  # no number in it
        Sighting("till", 1000.25, None, 8, 40_000_000),  # nobody knows its clock
    ]


def test_ends_are_seen_and_breaks_are_not() -> None:
    eye = Eye(read_number)
    spec = with_eye(shipped_graph(["frames"])[0], eye).node(NAME)
    sink = spec.cls(spec.config, FakeContext())

    sink.stream_broken("door")
    assert eye.ends() == []

    sink.stream_ended("door")
    assert eye.ends() == ["door"]


def test_two_graphs_share_no_eye() -> None:
    one, other = Eye(read_number), Eye(read_number)
    graph, _ = shipped_graph(["frames"])
    first, second = (with_eye(graph, eye).node(NAME) for eye in (one, other))

    first.cls(first.config, FakeContext()).stream_ended("door")

    assert (one.ends(), other.ends()) == (["door"], [])
    assert second.cls.eye is other


def test_frames_of_a_time_and_the_first_one_sent_after_a_time() -> None:
    eye = Eye(read_number)
    eye.saw([sighting("door", 1.0), sighting("till", 1.5), sighting("door", 2.0), sighting("door", 3.0, None)])

    assert [one.unix_s for one in eye.between(1.0, 2.0)] == [1.0, 1.5]
    assert eye.first_sent("door", 0.6) == sighting("door", 2.0)  # the one before was sent at 0.5
    assert eye.first_sent("door", 1.6) is None
    assert eye.first_sent("hall", 0.0) is None


def test_what_is_remembered_can_be_bounded() -> None:
    eye = Eye(read_number, kept=2)
    eye.saw([sighting("door", unix_s) for unix_s in (1.0, 2.0, 3.0)])
    assert [one.unix_s for one in eye.between(0.0)] == [2.0, 3.0]

    for stream_id in ("door", "a", "b"):
        eye.saw_end(stream_id)
    assert (eye.ends(), eye.between(0.0)) == (["a", "b"], [])


def test_what_is_taken_is_forgotten() -> None:
    eye = Eye(read_number)
    eye.saw([sighting("door", 1.0), sighting("till", 2.0)])

    assert [one.stream_id for one in eye.taken()] == ["door", "till"]
    assert eye.taken() == []
