"""The folder of a stream's results, and when a second run may skip it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.results import Results, fingerprint
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph, NodeSpec
from pipeline.node import NodeConfig
from pipeline.streams import StreamConfig
from tests.helpers import list_source


class Config(NodeConfig):
    beta: float = 0.5
    """A value."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("pipeline/a.py", "nodes/ops/b.py", "models/m.onnx", "configs/models/m.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", "utf-8")
    (tmp_path / "clip.mp4").write_text("film", "utf-8")
    return tmp_path


def graph(beta: float = 0.5) -> Graph:
    spec = NodeSpec("frames", "list_source", list_source({}), Config(beta=beta), {}, "auto", "g.yaml:1")
    return Graph("g.yaml", (spec,))


def stream(root: Path, **config: object) -> Stream:
    return Stream("clip", StreamConfig(url=str(root / "clip.mp4"), **config))  # type: ignore[arg-type]


def test_a_run_is_finished_when_its_summary_says_so(tmp_path: Path, root: Path) -> None:
    results = Results(tmp_path / "out/clip", "abc")
    assert not results.finished()

    results.begin()
    results.finish(stream(root), graph(), {"status": "done", "frames": 3})

    assert results.finished()
    assert not replace(results, fingerprint="other").finished()
    assert json.loads(results.summary.read_text("utf-8")) == {
        "status": "done",
        "graph": "g.yaml",
        "stream": "clip",
        "url": str(root / "clip.mp4"),
        "live": False,
        "fingerprint": "abc",
        "frames": 3,
    }
    assert results.files() == [results.summary]


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_broke_off_is_not_finished(tmp_path: Path, root: Path, status: str) -> None:
    results = Results(tmp_path / "out/clip", "abc")
    results.begin()

    results.finish(stream(root), graph(), {"status": status})

    assert not results.finished()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\xff"])
def test_a_broken_summary_is_no_finished_run(tmp_path: Path, text: str) -> None:
    results = Results(tmp_path, "abc")
    results.summary.write_text(text, "latin-1")

    assert not results.finished()


def test_beginning_forgets_the_run_before(tmp_path: Path, root: Path) -> None:
    results = Results(tmp_path / "out/clip", "abc")
    results.begin()
    results.finish(stream(root), graph(), {"status": "done"})

    results.begin()

    assert not results.finished()
    assert results.files() == []


def test_an_output_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as caught:
        Results(tmp_path / "file/clip", "abc").begin()

    assert str(caught.value) == (
        f"output folder '{tmp_path}/file/clip': expected a folder, got the file '{tmp_path}/file' in its path; "
        "remove the file or give another folder with --out"
    )


def test_a_summary_holds_no_password(tmp_path: Path) -> None:
    results = Results(tmp_path / "door", "abc")
    results.begin()

    results.finish(Stream("door", StreamConfig(url="rtsp://me:secret@cam/1"), True), graph(), {"status": "done"})

    summary = json.loads(results.summary.read_text("utf-8"))
    assert (summary["url"], summary["live"]) == ("rtsp://me:***@cam/1", True)


def test_the_fingerprint_stays_while_nothing_changes(root: Path) -> None:
    assert fingerprint(graph(), stream(root), [5], root) == fingerprint(graph(), stream(root), [5], root)


@pytest.mark.parametrize(
    "changed",
    [
        lambda root: fingerprint(graph(beta=0.6), stream(root), [5], root),
        lambda root: fingerprint(graph(), stream(root, max_fps=3), [5], root),
        lambda root: fingerprint(graph(), stream(root), [6], root),
        lambda root: fingerprint(graph(), replace(stream(root), id="other"), [5], root),
    ],
)
def test_the_fingerprint_changes_with_every_value(root: Path, changed: Callable[[Path], str]) -> None:
    assert changed(root) != fingerprint(graph(), stream(root), [5], root)


@pytest.mark.parametrize(
    "file", ["clip.mp4", "pipeline/a.py", "nodes/ops/b.py", "models/m.onnx", "configs/models/m.yaml"]
)
def test_the_fingerprint_changes_with_every_file(root: Path, file: str) -> None:
    before = fingerprint(graph(), stream(root), [5], root)

    os.utime(root / file, ns=(1, 1))

    assert fingerprint(graph(), stream(root), [5], root) != before
