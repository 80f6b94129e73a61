"""Files are run in two passes where a node asks for it: what is written, said, recorded and interrupted."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import Field

import cli.plan
import cli.replay_plan
from cli import program
from cli.progress import Progress
from nodes.types import Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.recording import Recording
from pipeline.report import Snapshot
from tests.cli import made_up
from tests.cli.replays import run

GRAPH = made_up.GRAPH.replace("tracks: people", "tracks: tracks").replace(
    "drawn:", "tracks: {type: follow,             in: {frames: frames, people: people}}\ndrawn:"
)
BLIND = GRAPH.replace("see_gaze", "guess_gaze")
LATER_NS = 2_000_000_000


class SeenPeople(made_up.SeePeople):
    """Count the frames in which people were looked for."""

    frames = 0

    def process(self, frames: FrameBatch) -> Tracks:
        type(self).frames += len(frames)
        return super().process(frames)


class FollowConfig(NodeConfig):
    offline: bool = Field(default=False, json_schema_extra={"second_pass": True})
    """Find out who is who at the end."""


class Follow(Node[FollowConfig]):
    """Take everybody for somebody new after two seconds, until the end is known."""

    def process(self, frames: FrameBatch, people: Tracks) -> Tracks:
        later = frames.pts_ns[people.frame_row] >= LATER_NS
        return replace(people, track_id=people.track_id + np.where(later, 10, 0))

    def revised(self, ticks: Iterable[tuple[FrameBatch, Tracks]]) -> Iterator[Tracks]:
        for _, tracks in ticks:
            yield replace(tracks, track_id=tracks.track_id % 10)


class GuessGaze(made_up.SeeGaze):
    """Everybody looks left, then right, as nobody has to look to know."""

    reads_pictures = False


NODES: dict[str, Any] = {"see_people": SeenPeople, "follow": Follow, "guess_gaze": GuessGaze}


def resolve(type_name: str) -> type[Node[Any]]:
    return NODES.get(type_name) or made_up.resolve(type_name)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with the graph, whose people are known for who they are at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli.plan, "resolve", resolve)
    monkeypatch.setattr(cli.replay_plan, "resolve", resolve)
    monkeypatch.setattr(SeenPeople, "frames", 0)
    made_up.write_graph(tmp_path, GRAPH, shop={"url": "made://4"})
    return tmp_path


ON = ("--set", "tracks.offline=true", "bus.log=null", "bus.endpoint=ipc://bus", "bus.linger_s=0")


def who(out: str = "out/two") -> set[str]:
    """Return whose looks were told."""
    lines = Path(out, "shop/events.jsonl").read_text("utf-8").splitlines()
    return {json.loads(line)["subject"].split("/")[1] for line in lines}


def tracks_in(folder: str) -> set[int]:
    return {int(id) for tick in Recording("tracks", Tracks, Path(folder)) for id in tick.value.track_id}


def test_events_are_of_what_was_known_at_the_end_and_nothing_else_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "graphs/two.yaml", *ON)

    assert (code, err, who()) == (0, [], {"1", "2"})
    assert SeenPeople.frames == 40
    assert sorted(path.name for path in Path("out/two/shop").iterdir()) == [
        "a-told.txt", "events.jsonl", "measures.jsonl", "summary.json"
    ]  # fmt: skip
    summary = json.loads(Path("out/two/shop/summary.json").read_text("utf-8"))
    assert (summary["status"], summary["frames"], summary["dropped"]) == ("done", 40, {})
    assert [node["frames"] for node in summary["nodes"].values()] == [40] * 13
    assert list(summary["passes_s"]) == ["first", "revising", "second"]

    run(capsys, "graphs/two.yaml", *ON, "tracks.offline=false", "--out", "out/online")
    assert who("out/online") == {"1", "2", "11", "12"}


def test_the_same_file_gives_the_same_bytes_and_is_skipped_once_finished(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "graphs/two.yaml", *ON)
    events = Path("out/two/shop/events.jsonl").read_bytes()
    run(capsys, "graphs/two.yaml", *ON, "--out", "out/again")

    assert Path("out/again/shop/events.jsonl").read_bytes() == events
    assert run(capsys, "graphs/two.yaml", *ON)[2][0].startswith("shop: finished before")
    assert run(capsys, "graphs/two.yaml", *ON, "tracks.offline=false")[2] == []


def test_what_will_be_done_is_said_before(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "graphs/two.yaml", *ON, "--check")

    assert (code, err) == (0, [])
    begin = out.index("files in two passes (tracks.offline), live streams in one")
    assert out[begin + 1 : begin + 3] == [
        "  first   frames, people, tracks; at the end tracks revised",
        "  second  everything else, with tracks as written down",
    ]


def test_which_pass_it_is_is_said_while_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.progress.LINE_EVERY_S", 0.0)

    err = run(capsys, "graphs/two.yaml", *ON)[2]

    assert [line.split("  ")[:2] for line in err][:1] == [["shop", "pass 1 of 2"]]
    assert err[-1].startswith("shop  pass 2 of 2  40 frames")
    assert not any("events" in line for line in err if "pass 1" in line)


def test_a_recorded_run_holds_what_was_revised_and_gives_the_same_events(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "graphs/two.yaml", *ON, "--record", "rec")

    assert tracks_in("rec/shop") == {1, 2}
    code, out, err = run(capsys, "replay", "rec", "--assert")
    assert (code, err) == (0, [])
    assert all(line.endswith("the same bytes") for line in out)
    assert "two passes" not in " ".join(out)


def test_a_replay_that_runs_the_node_itself_has_its_second_pass_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("graphs/two.yaml").write_text(BLIND, "utf-8")
    run(capsys, "graphs/two.yaml", *ON, "--record", "rec")
    assert who() == {"1", "2"}

    code, _, err = run(capsys, "replay", "rec", "--assert")

    assert (code, err) == (0, [])
    assert sorted(path.name for path in Path("rec/shop").glob("*.ticks")) == ["people.ticks"]
    assert who("out/replay/rec") == {"1", "2"}


def test_an_edge_that_is_replayed_is_taken_as_it_was_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "graphs/two.yaml", *ON, "tracks.offline=false", "--record", "tracks=rec")

    code = run(capsys, "graphs/two.yaml", *ON, "--replay", "tracks=rec")[0]

    assert (code, who()) == (0, {"1", "2", "11", "12"})
    assert json.loads(Path("out/two/shop/summary.json").read_text("utf-8"))["passes_s"] == {}


def test_live_streams_are_run_in_one_pass(capsys: pytest.CaptureFixture[str]) -> None:
    made_up.write_graph(_folder("mixed"), GRAPH, shop={"url": "made://1"}, door={"url": "live://1"})

    code, _, err = run(capsys, "mixed/graphs/two.yaml", *ON, "--out", "out/two")

    assert (code, err) == (
        0, ["live: run in one pass: tracks.offline is for files, because live streams have no end"]
    )  # fmt: skip
    passes = {
        name: list(json.loads(Path(f"out/two/{name}/summary.json").read_text("utf-8"))["passes_s"])
        for name in ("shop", "door")
    }
    assert passes == {"shop": ["first", "revising", "second"], "door": []}


def _folder(name: str) -> Path:
    Path(name).mkdir()
    return Path(name)


def test_frames_of_files_cannot_be_dropped_on_errors(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "graphs/two.yaml", *ON, "engine.on_error=drop", "--check")

    assert (code, out) == (2, [])
    assert err == [
        "engine.on_error: expected auto or stop, because files are run in two passes that must see the same frames, "
        "got 'drop'; leave it, or add --set tracks.offline=false"
    ]


def test_interrupted_in_the_first_pass_nothing_is_written_or_called_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "graphs/two.yaml", *ON)  # its results stay
    before = Path("out/two/shop/events.jsonl").read_bytes()
    made_up.write_graph(_folder("long"), GRAPH, shop={"url": "made://4000"})
    pressed: list[int] = []

    def press(self: Progress, snapshot: Snapshot) -> None:
        if snapshot.frames and not pressed:
            pressed.append(snapshot.passes[0])
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Progress, "observe", press)

    code = program.main(["long/graphs/two.yaml", *ON, "--out", "out/two", "--record", "rec"])

    told = capsys.readouterr()
    assert (code, pressed) == (130, [1])
    assert told.out.splitlines()[-1] == "out/two/shop/summary.json"
    assert "events.jsonl" not in told.out
    assert told.err.splitlines()[-1] == (
        "shop: ended before its second pass, in which results are written: there are none"
    )
    assert Path("out/two/shop/events.jsonl").read_bytes() == before
    assert not Path("out/two/shop/.passes").exists()
    summary = json.loads(Path("out/two/shop/summary.json").read_text("utf-8"))
    assert (summary["status"], summary["frames"], list(summary["passes_s"])) == ("interrupted", 0, ["first"])

    code, out, _ = run(capsys, "replay", "rec", "--assert")
    assert (code, out[-1]) == (
        1, "shop: nothing to compare with: the recorded run failed (interrupted), so its events may not be complete"
    )  # fmt: skip
