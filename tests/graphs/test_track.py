"""The graph `track`: boxes of a detector in, tracks out, from the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from cli import program
from nodes.ops.mot_text import read_rows
from tests.repository import ROOT

GRAPH = str(ROOT / "graphs/track.yaml")
FRAMES = 50
UNSEEN = range(20, 26)
TOLD = ("detections.fps=25", "detections.size_wh=[640,480]")


@pytest.fixture
def det(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of two people who pass each other, the second one unseen for some frames."""
    monkeypatch.chdir(tmp_path)
    rows = []
    for frame in range(1, FRAMES + 1):
        rows.append(f"{frame},-1,{10 + 8 * frame},100,60,180,0.9,-1,-1,-1\n")
        if frame not in UNSEEN:
            rows.append(f"{frame},-1,{560 - 8 * frame},220,60,180,0.8,-1,-1,-1\n")
    path = Path("walk/det/det.txt")
    path.parent.mkdir(parents=True)
    path.write_text("".join(rows))
    return path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of output and lines of complaint."""
    code = program.main(argv if argv[0] == "replay" else [GRAPH, *argv])
    told = capsys.readouterr()
    return code, told.out.splitlines(), told.err.splitlines()


def test_people_keep_their_numbers(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--source", f"TUD={det}", "--set", *TOLD, "--out", "out/track")

    assert (code, err) == (0, [])
    assert out[-2:] == ["out/track/TUD/summary.json", "out/track/TUD/tracks.txt"]
    rows = read_rows(Path("out/track/TUD/tracks.txt"))
    assert set(rows.id.tolist()) == {1, 2}
    for id, left in ((1, 10 + 8 * rows.frame), (2, 560 - 8 * rows.frame)):
        mine = rows.id == id
        assert set(range(1, FRAMES + 1)) - {*UNSEEN} <= {*rows.frame[mine].tolist()} <= set(range(1, FRAMES + 1))
        assert np.abs(rows.box_px[mine, 0] - left[mine]).max() < 15
    summary = json.loads(Path("out/track/TUD/summary.json").read_text("utf-8"))
    assert (summary["frames"], summary["dropped"]) == (FRAMES, {})
    assert summary["nodes"]["detections"]["rows"] == 2 * FRAMES - len(UNSEEN)
    assert all(edge["in"] == edge["out"] == FRAMES for edge in summary["edges"].values())


def test_without_a_source_it_follows_the_people_of_the_clip_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code, _, err = run(capsys, "--out", "out")

    assert (code, err) == (0, [])
    rows = read_rows(Path("out/shop/tracks.txt"))
    assert 4 <= len(set(rows.id.tolist())) <= 6  # four people, who hide each other
    assert rows.frame.max() == 300


def test_several_packed_files_need_no_values_where_sequences_are_described(
    det: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = det.with_name("det.txt.gz")
    packed.write_bytes(gzip.compress(det.read_bytes()))
    seqinfo = det.parent.with_name("seqinfo.ini")
    seqinfo.write_text("[Sequence]\nframeRate=25\nseqLength=60\nimWidth=640\nimHeight=480\n")
    sources = ("--source", f"a={packed}", f"b={det}", "--out", "out")

    code, _, err = run(capsys, *sources, "--max-frames", "30")
    assert (code, err) == (0, [])
    assert Path("out/a/tracks.txt").read_bytes() == Path("out/b/tracks.txt").read_bytes()
    assert read_rows(Path("out/a/tracks.txt")).frame.max() == 30

    run(capsys, *sources)
    assert json.loads(Path("out/a/summary.json").read_text("utf-8"))["frames"] == 60
    assert all("finished before" in line for line in run(capsys, *sources)[2])
    seqinfo.write_text(seqinfo.read_text().replace("=60", "=61"))
    run(capsys, *sources)
    assert json.loads(Path("out/a/summary.json").read_text("utf-8"))["frames"] == 61


def test_batches_change_nothing(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size in (1, 7):
        run(capsys, "--source", f"a={det}", "--set", *TOLD, f"engine.batch_size={size}", "--out", f"out{size}")

    assert Path("out1/a/tracks.txt").read_bytes() == Path("out7/a/tracks.txt").read_bytes()


def test_a_run_is_recorded_and_replayed(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = ("--source", f"a={det}", "--set", *TOLD)
    assert run(capsys, *source, "--out", "out", "--record", "rec", "--record", "tracks=edge")[0] == 0
    det.unlink()

    code, out, err = run(capsys, "replay", "rec", "--assert", "--out", "again")
    assert (code, err) == (0, [])
    assert out[-1].endswith("the same bytes")
    assert run(capsys, *source, "--out", "third", "--replay", "tracks=edge")[0] == 0
    assert Path("third/a/tracks.txt").read_bytes() == Path("out/a/tracks.txt").read_bytes()


def test_a_check_says_what_passes_on_each_edge(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--source", f"TUD={det}", "--check")

    assert (code, out[1:]) == (
        0,
        [
            "stage 1",
            "  detections  read_detections() -> Detections",
            "  tracks      track_people(detections, detections) -> Tracks",
            "  file        write_tracks(detections, tracks) -> sink",
            "streams",
            f"  TUD  file  {det}  AOIs: none",
        ],
    )
    assert not Path("out").exists()


def test_what_is_missing_or_wrong_is_told_and_nothing_is_written(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--source", f"a={det}") == (
        2,
        [],
        [
            f"stream 'a': {det}: expected frames a second, got neither a value nor a frameRate in a seqinfo.ini; "
            "add for example --set detections.fps=25"
        ],
    )

    with det.open("a") as file:
        file.write("51,-1,10,10,0x5,9,1\n")
    code, _, err = run(capsys, "--source", f"a={det}", "--set", *TOLD)
    assert (code, err) == (
        2,
        [
            f"stream 'a': {det}:95: width: expected a number of 0 to 1000000, got '0x5'; correct or remove the row",
        ],
    )
    assert [path.name for path in Path("out/track/a").iterdir()] == ["summary.json"]


def test_what_looks_at_pictures_is_refused_before_anything_runs(det: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("draw.yaml").write_text(
        "detections: {type: read_detections}\n"
        "tracks: {type: track_people, in: {frames: detections, people: detections}}\n"
        "overlay: {type: draw_overlay, in: {frames: detections, tracks: tracks}}\n"
    )

    code = program.main(["draw.yaml", "--source", f"a={det}", "--set", *TOLD])

    assert (code, capsys.readouterr().err) == (
        2,
        "draw.yaml:3: overlay.in.frames: expected frames with pictures, got those of 'detections', which have none; "
        "remove 'overlay', or begin with a source that gives pictures, such as decode_video\n",
    )
