"""The program from outside: what it writes, what it says, how it exits."""

from __future__ import annotations

import json
import os
import signal
from functools import partialmethod
from pathlib import Path

import av
import pytest

from cli import program
from cli.progress import Progress
from pipeline.report import Snapshot
from pipeline.runtime import Runtime
from pipeline.streams import StreamConfig
from pipeline.yaml_source import read_yaml
from tests.clips import write_clip
from tests.repository import ROOT

COPY = """\
frames: {type: decode_video}
video: {type: write_video, in: {frames: frames}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty current folder with a graph that copies video."""
    monkeypatch.chdir(tmp_path)
    Path("graphs").mkdir()
    Path("graphs/copy.yaml").write_text(COPY, "utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of output and lines of complaint."""
    code = program.main(argv)
    told = capsys.readouterr()
    return code, told.out.splitlines(), told.err.splitlines()


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_clip_is_run_and_then_skipped(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("clip.mp4"), 20)

    code, out, err = run(capsys, "graphs/copy.yaml", "--source", "clip.mp4")

    assert (code, err) == (0, [])
    assert out[-2:] == ["out/copy/clip/annotated.mp4", "out/copy/clip/summary.json"]
    assert out[-3].startswith("done: 20 frames in ")
    assert frames_in(Path("out/copy/clip/annotated.mp4")) == 20
    summary = json.loads(Path("out/copy/clip/summary.json").read_text("utf-8"))
    assert (summary["status"], summary["frames"], summary["url"]) == ("done", 20, "clip.mp4")
    assert summary["dropped"] == {}

    assert run(capsys, "graphs/copy.yaml", "--source", "clip.mp4") == (
        0,
        [],
        ["clip: finished before, results in out/copy/clip; to run it again, remove out/copy/clip/summary.json"],
    )


def test_another_value_is_another_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("clip.mp4"), 20)
    run(capsys, "graphs/copy.yaml", "--source", "clip.mp4", "--out", "results")

    code, out, _ = run(capsys, "graphs/copy.yaml", "--source", "clip.mp4", "--out", "results", "--max-frames", "5")

    assert (code, frames_in(Path("results/clip/annotated.mp4"))) == (0, 5)
    assert out[-1] == "results/clip/summary.json"


def test_one_bad_file_does_not_keep_the_others_from_running(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("a.mp4"), 3)
    Path("b.mp4").write_text("no video", "utf-8")
    write_clip(Path("c.mp4"), 4)

    code, _, err = run(capsys, "graphs/copy.yaml", "--source", "a.mp4", "b.mp4", "c.mp4")

    assert code == 1
    assert len(err) == 1
    assert err[0].startswith("stream 'b': b.mp4: expected a video file, got one that FFmpeg cannot open (")
    assert [
        json.loads(Path(f"out/copy/{name}/summary.json").read_text("utf-8"))["status"] for name in ("a", "b", "c")
    ] == ["done", "failed", "done"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "stream 'bad': bad.mp4: expected a video file, got an empty file; copy or record it again"),
        (
            b"no video",
            "stream 'bad': bad.mp4: expected a video file, got one that FFmpeg cannot open (Invalid data found when "
            "processing input); if it should be a video, it is cut off or damaged: copy or record it again",
        ),
    ],
)
def test_what_is_no_video_is_wrong_input(
    here: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    Path("bad.mp4").write_bytes(content)

    assert run(capsys, "graphs/copy.yaml", "--source", "bad.mp4") == (2, [], [complaint])


def test_a_missing_file_is_told_before_anything_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("a.mp4"), 3)

    code, out, err = run(capsys, "graphs/copy.yaml", "--source", "a.mp4", "no.mp4")

    assert (code, out) == (2, [])
    assert err == [
        "--source no.mp4: streams.no.url: expected a file, glob, folder, camera index or URL, got 'no.mp4', which is "
        f"not there; check the path (looked in {here} and {ROOT})"
    ]
    assert not Path("out").exists()


def test_two_equal_ids_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "graphs/copy.yaml", "--source", "x/a.mp4", "y/a.mp4")

    assert (code, err) == (
        2,
        ["--source y/a.mp4: expected a stream id of its own, got 'a', which x/a.mp4 has; write --source other=y/a.mp4"],
    )


def test_an_output_below_a_file_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("a.mp4"), 3)
    Path("file").touch()

    code, _, err = run(capsys, "graphs/copy.yaml", "--source", "a.mp4", "--out", "file")

    assert (code, err) == (
        2,
        [
            "output folder 'file/a': expected a folder, got the file 'file' in its path; "
            "remove the file or give another folder with --out"
        ],
    )


def test_a_full_disk_is_told_and_what_was_written_stays(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(Path("a.mp4"), 3)
    Path("out/copy/a").mkdir(parents=True)
    Path("out/copy/a/summary.json.part").symlink_to("/dev/full")

    code, _, err = run(capsys, "graphs/copy.yaml", "--source", "a.mp4")

    assert (code, err) == (
        1,
        [
            "out/copy/a/summary.json: expected to write, got a full disk; free space or give another folder with "
            "--out; what was written stays readable"
        ],
    )
    assert frames_in(Path("out/copy/a/annotated.mp4")) == 3


def test_an_edge_is_recorded_and_replayed_for_each_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("graphs/find.yaml").write_text(
        "frames: {type: decode_video}\n"
        "people: {type: detect_people, in: {frames: frames}}\n"
        "tracks: {type: track_people, in: {frames: frames, people: people}}\n",
        "utf-8",
    )
    write_clip(Path("a.mp4"), 3)
    write_clip(Path("b.mp4"), 4)
    sources = ["--source", "a.mp4", "b.mp4"]

    assert run(capsys, "graphs/find.yaml", *sources, "--record", "people=rec")[0] == 0
    assert sorted(Path("rec").rglob("*.ticks")) == [Path("rec/a/people.ticks"), Path("rec/b/people.ticks")]

    Path("a.mp4").unlink()  # nothing below the cut needs pictures
    code, out, err = run(capsys, "graphs/find.yaml", *sources, "--replay", "people=rec", "--out", "again")
    assert (code, err) == (0, [])
    assert [line.split(" in ")[0] for line in out if line.startswith("done")] == ["done: 3 frames", "done: 4 frames"]


def test_ctrl_c_finishes_the_files(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(Path("long.mp4"), 400, size_wh=(160, 120))
    monkeypatch.setattr(Runtime, "run", partialmethod(Runtime.run, every_s=0.001))
    pressed: list[int] = []

    def press(progress: Progress, snapshot: Snapshot) -> None:
        if snapshot.frames and not pressed:
            pressed.append(snapshot.frames)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Progress, "observe", press)

    code, out, err = run(capsys, "graphs/copy.yaml", "--source", "long.mp4", "long2=long.mp4")

    assert pressed
    assert code == 130
    assert err == ["", "finishing the files; press Ctrl-C again to stop at once"]
    assert out[-1] == "out/copy/long/summary.json"
    summary = json.loads(Path("out/copy/long/summary.json").read_text("utf-8"))
    assert summary["status"] == "interrupted"
    assert 0 < frames_in(Path("out/copy/long/annotated.mp4")) < 400
    assert not Path("out/copy/long2").exists()


@pytest.mark.parametrize("graph", sorted(path.name for path in (ROOT / "graphs").glob("*.yaml")))
def test_every_graph_that_ships_is_right_from_anywhere(
    graph: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code, out, err = run(capsys, str(ROOT / "graphs" / graph), "--check")

    assert (code, err) == (0, [])
    assert out[0].endswith(": nothing wrong")


def test_an_unknown_value_of_the_retail_graph_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)

    code, out, err = run(capsys, "graphs/retail.yaml", "--set", "gaze.no_such=1", "--check")

    assert (code, out) == (2, [])
    assert len(err) == 1
    assert err[0].startswith("--set gaze.no_such=1: gaze.no_such: unknown key; did you mean '")


@pytest.mark.parametrize("config", ["retail", "annotate", "faces"])
def test_the_areas_of_the_demo_are_those_it_was_drawn_with(config: str) -> None:
    truth = json.loads((ROOT / "scenes/demo/shop.truth.json").read_text("utf-8"))
    stream = StreamConfig(**read_yaml(ROOT / f"configs/{config}.yaml").data["streams"]["shop"])

    assert {name: [list(point) for point in area.polygon] for name, area in stream.aois.items()} == {
        aoi["name"]: [[round(x, 3), round(y, 3)] for x, y in aoi["polygon"]] for aoi in truth["aois"]
    }
