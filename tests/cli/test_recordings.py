"""What is no recording, or one that this program cannot read, is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.manifest import read_manifest
from cli.recordings import NewRecording
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.streams import StreamConfig

WHOLE: dict[str, Any] = {
    "gazegraph": "recording",
    "version": 1,
    "graph": "two.yaml",
    "graph_text": "",
    "edges": [],
    "values": {},
    "models": {},
    "streams": {"shop": {"live": False, "config": {}}},
    "runs": {"shop": {"streams": ["shop"], "ended": "", "logs": None}},
}


def refusal(folder: Path, text: str | None = None, **changes: Any) -> str:
    (folder / "recording.json").write_text(json.dumps({**WHOLE, **changes}) if text is None else text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_manifest(folder)
    return str(caught.value)


def test_a_manifest_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_text(json.dumps(WHOLE), "utf-8")

    runs = {"shop": {**WHOLE["runs"]["shop"], "streams": ("shop",)}}
    assert read_manifest(tmp_path).model_dump() == {**WHOLE, "edges": (), "runs": runs}


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_manifest(tmp_path / "no")
    assert str(caught.value) == (
        f"{tmp_path}/no: expected a recording of a whole run, got no such folder; check the path"
    )

    with pytest.raises(ConfigError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: expected a recording of a whole run, got a folder without recording.json; "
        f"make one with: run_graph.py GRAPH --record {tmp_path}"
    )


def test_single_edges_are_no_recording_of_a_whole_run(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/hits.ticks").touch()

    with pytest.raises(ConfigError) as caught:
        read_manifest(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}: expected a recording of a whole run, got single edges (hits); "
        f"replay one with: run_graph.py GRAPH --replay hits={tmp_path}"
    )


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "rec").touch()

    with pytest.raises(ConfigError) as caught:
        read_manifest(tmp_path / "rec")

    assert str(caught.value) == f"{tmp_path}/rec/recording.json: cannot be read (Not a directory); check the path"


@pytest.mark.parametrize("text", ["", "{", "\xff", "[" * 100_000])
def test_what_is_no_json_is_told(tmp_path: Path, text: str) -> None:
    told = refusal(tmp_path, text)

    assert told.startswith(f"{tmp_path}/recording.json: expected a recording, got no JSON (")
    assert told.endswith("); record it again")


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"gazegraph": "replay"}'])
def test_other_json_is_told(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == (
        f"{tmp_path}/recording.json: expected a recording, got something else; give the folder of a recording"
    )


@pytest.mark.parametrize("version", [2, "1.1", None])
def test_another_version_is_told(tmp_path: Path, version: Any) -> None:
    assert refusal(tmp_path, version=version) == (
        f"{tmp_path}/recording.json: expected a recording of version 1, got {version!r}; "
        "replay it with the program that made it, or record it again"
    )


def test_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    where = f"{tmp_path}/recording.json: recording"

    assert refusal(tmp_path, graph=3, edges=["../x"], extra=1, runs={"../y": {"streams": []}}).splitlines() == [
        f"{where}.graph: expected text, got 3",
        f"{where}.edges.0: expected String should match pattern '^[a-z][a-z0-9_]*$', got '../x'",
        f"{where}.runs.../y: expected String should match pattern '^[A-Za-z0-9][A-Za-z0-9_-]*$', got '../y'",
        f"{where}.extra: unknown key; did you mean 'streams'? (keys: {', '.join(WHOLE)})",
    ]


def test_logs_outside_of_the_recording_are_refused(tmp_path: Path) -> None:
    log = {"file": "shop/../../x", "lines": 1, "sha256": ""}

    assert refusal(tmp_path, runs={"shop": {"streams": ["shop"], "logs": [log]}}) == (
        f"{tmp_path}/recording.json: recording.runs.shop.logs.0.file: expected <stream>/<file>, got 'shop/../../x'"
    )


@pytest.mark.parametrize("graph", ["", "../two.yaml", "a/b.yaml", "a\\b.yaml"])
def test_the_graph_is_a_file_without_folder(tmp_path: Path, graph: str) -> None:
    assert refusal(tmp_path, graph=graph) == (
        f"{tmp_path}/recording.json: recording.graph: expected String should match pattern '^[^/\\\\]+$', got {graph!r}"
    )


CAMERA, CLIP = {"live": True, "config": {}}, {"live": False, "config": {}}


@pytest.mark.parametrize(
    ("streams", "runs", "wanted"),
    [
        ({}, {}, {}),
        ({"shop": CLIP}, {}, {"shop": ("shop",)}),
        ({"a": CAMERA, "b": CAMERA}, {"live": ["a"]}, {"live": ("a", "b")}),
        ({"a": CAMERA}, {"a": ["a"]}, {"live": ("a",)}),
        ({"a": CAMERA}, {"live": ["a", "a"]}, {"live": ("a",)}),
        ({}, {"shop": ["shop"]}, {}),
    ],
)
def test_each_stream_is_in_one_run(tmp_path: Path, streams: Any, runs: Any, wanted: Any) -> None:
    told = refusal(tmp_path, streams=streams, runs={name: {"streams": ids} for name, ids in runs.items()})

    got = {name: tuple(ids) for name, ids in runs.items()}
    assert told == (f"{tmp_path}/recording.json: expected runs of all streams, {wanted}, got {got}; record it again")


def test_a_file_that_is_too_large_to_be_a_manifest_is_not_read(tmp_path: Path) -> None:
    assert refusal(tmp_path, " " * 16_000_001) == (
        f"{tmp_path}/recording.json: expected a recording, got more than 16000000 bytes; record it again"
    )


def test_a_recording_is_there_from_the_begin_of_a_run(tmp_path: Path) -> None:
    graph = tmp_path / "two.yaml"
    graph.write_text("frames: {type: decode_video}\n", "utf-8")
    config = load_config(None, sources={"door": "rtsp://me:secret@cam/1"})
    stream = Stream("door", StreamConfig(url="rtsp://me:secret@cam/1", hfov_deg=60), live=True)
    made = NewRecording(tmp_path / "rec", Graph(str(graph), ()), config, ["gaze"], {})
    assert not (tmp_path / "rec").exists()

    made.begin("live", [stream], 5)

    manifest = read_manifest(tmp_path / "rec")
    assert (manifest.graph, manifest.graph_text) == ("two.yaml", "frames: {type: decode_video}\n")
    assert manifest.runs["live"].model_dump() == {"streams": ("door",), "ended": "", "logs": None}
    assert manifest.streams["door"].live
    assert (manifest.streams["door"].config["url"], manifest.streams["door"].config["hfov_deg"]) == (
        "rtsp://me:***@cam/1", 60.0
    )  # fmt: skip


def test_a_graph_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        NewRecording(tmp_path, Graph(str(tmp_path / "no.yaml"), ()), load_config(None), [], {})

    assert str(caught.value) == f"{tmp_path}/no.yaml: cannot be read (No such file or directory); check the path"
