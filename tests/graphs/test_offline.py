"""The graphs that ship in two passes: who is who is decided when a file is known to its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import av
import pytest

from cli import program
from nodes.detect_people import DetectPeople
from nodes.draw_overlay import DrawOverlay
from nodes.ops.mot_text import read_rows
from nodes.track_people import TrackPeople
from nodes.types import Tracks
from pipeline.frames import FrameBatch
from pipeline.recording import Recording
from tests.pipeline.retail import render
from tests.repository import ROOT

FRAMES = 25
LOOKS = ("looks.min_look_s=0.15", "looks.max_gap_s=0.2", "looks.enter_score=0.2", "looks.keep_score=0.1")


def test_people_are_detected_once_and_drawn_and_told_of_by_who_they_turned_out_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    render(tmp_path)
    detected: list[int] = []
    drawn: list[tuple[int, ...]] = []
    detect, draw, revise = DetectPeople.process, DrawOverlay.process, TrackPeople.revised

    def count(self: Any, frames: FrameBatch) -> Any:
        detected.extend(frames.frame_index.tolist())
        return detect(self, frames)

    def note(self: Any, frames: FrameBatch, tracks: Tracks, **values: Any) -> FrameBatch:
        drawn.extend(tuple(tracks.track_id[tracks.frame_row == row].tolist()) for row in range(len(frames)))
        assert len(values["people"]) or not len(frames)
        return draw(self, frames, tracks, **values)

    def rename(self: Any, ticks: Iterable[tuple[FrameBatch, Tracks]]) -> Iterator[Tracks]:
        for tracks in revise(self, ticks):
            yield replace(tracks, track_id=tracks.track_id + 40)

    monkeypatch.setattr(DetectPeople, "process", wraps(detect)(count))
    monkeypatch.setattr(DrawOverlay, "process", wraps(draw)(note))
    monkeypatch.setattr(TrackPeople, "revised", rename)

    code = program.main(
        [str(ROOT / "graphs/annotate.yaml"), "--source", "shop=shop.mp4", "--record", "tracks=rec", "--set", *LOOKS]
    )

    assert (code, detected) == (0, list(range(FRAMES)))
    assert "two passes: first " in capsys.readouterr().out
    told = [json.loads(line) for line in Path("out/annotate/shop/events.jsonl").read_text("utf-8").splitlines()]
    assert told
    assert all(int(event["subject"].split("/")[1]) > 40 for event in told)
    revised = [tick.value for tick in Recording("tracks", Tracks, Path("rec/shop")) if len(tick.frames)]
    assert drawn == [tuple(value.track_id.tolist()) for value in revised]
    assert {id for ids in drawn for id in ids} > {41}
    with av.open("out/annotate/shop/annotated.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
    assert sorted(path.name for path in Path("out/annotate/shop").iterdir()) == [
        "annotated.mp4", "events.jsonl", "measures.jsonl", "summary.json"
    ]  # fmt: skip
    summary = json.loads(Path("out/annotate/shop/summary.json").read_text("utf-8"))
    assert (summary["frames"], summary["dropped"]) == (FRAMES, {})
    assert all(edge["in"] == edge["out"] == FRAMES for edge in summary["edges"].values())
    assert set(summary["nodes"]) == set(summary["edges"])


TOLD = ("--set", "detections.fps=25", "detections.size_wh=[640,480]")
UNSEEN = range(30, 90)


@pytest.fixture
def det(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of somebody who stands in a crossing, and is hidden for 2.4 s by who passes."""
    monkeypatch.chdir(tmp_path)
    seen = [frame for frame in range(1, 121) if frame not in UNSEEN]
    Path("det.txt").write_text("".join(f"{frame},-1,300,100,60,180,0.9,-1,-1,-1\n" for frame in seen))
    return Path("det.txt")


@pytest.mark.parametrize("batch_size", [1, 8])
def test_who_was_hidden_keeps_the_number_and_the_gap_is_filled(
    det: Path, batch_size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = str(ROOT / "graphs/track.yaml")
    options = (graph, "--source", f"a={det}", *TOLD, f"engine.batch_size={batch_size}")

    assert program.main([*options, "--out", "online"]) == 0
    assert program.main([*options, "tracks.offline=true", "--out", "offline", "--record", "rec"]) == 0

    online, offline = (read_rows(Path(f"{name}/a/tracks.txt")) for name in ("online", "offline"))
    assert len(online.frame) < 120
    assert offline.frame.tolist() == list(range(1, 121))
    assert set(offline.id.tolist()) == {1}
    assert abs(offline.box_px - [300, 100, 60, 180]).max() < 2
    summary = json.loads(Path("offline/a/summary.json").read_text("utf-8"))
    assert (summary["frames"], list(summary["passes_s"])) == (120, ["first", "revising", "second"])
    assert all(edge["in"] == edge["out"] == 120 for edge in summary["edges"].values())

    capsys.readouterr()
    assert program.main(["replay", "rec", "--assert", "--out", "again"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("the same bytes")
