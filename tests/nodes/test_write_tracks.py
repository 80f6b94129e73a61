"""Tracks as rows of MOT text."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes.types import Tracks
from nodes.write_tracks import WriteTracks
from pipeline import part_file
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch
from tests.helpers import FakeContext, frames, make_node, table

BOX = [0.25, 0.5, 0.5, 1]
ROW = "{},{},25.000,25.000,25.000,25.000,0.500000,-1,-1,-1\n"


def node(out: Path, **config: Any) -> Any:
    made = make_node(WriteTracks, FakeContext(out), **config)
    made.open()
    return made


def tracks(*ids: int, rows: list[int] | None = None, **columns: Any) -> Any:
    count = len(ids)
    given = {"body_box": [BOX] * count, "body_score": [0.5] * count, "observed": [True] * count, **columns}
    return table(Tracks, frame_row=rows or [0] * count, track_id=list(ids), **given)


def shot(start: int, count: int = 1, **options: Any) -> FrameBatch:
    return frames(count, size_wh=(100, 50), start_s=start * 0.04, **options)


def test_a_row_is_written_per_track_and_frame(tmp_path: Path) -> None:
    made = node(tmp_path)

    made.process(shot(0, 2), tracks(3, 1, 3, rows=[0, 1, 1]))
    made.process(shot(4), tracks(2, body_box=[[-0.1, 0, 0.2, 0.5]], body_score=[0.75]))
    made.stream_ended("shop")

    assert (tmp_path / "shop/tracks.txt").read_text() == (
        ROW.format(1, 3) + ROW.format(2, 1) + ROW.format(2, 3)
        + "5,2,-10.000,0.000,30.000,25.000,0.750000,-1,-1,-1\n"
    )  # fmt: skip
    made.close()


def test_rows_are_those_of_the_part_that_is_asked_for(tmp_path: Path) -> None:
    heads = tracks(1, 2, head_box=[BOX, [np.nan] * 4], head_score=[0.5, 0], body_box=[[np.nan] * 4, BOX])
    bodies, others = node(tmp_path / "body"), node(tmp_path / "head", part="head")

    for made in (bodies, others):
        made.process(shot(0), heads)
        made.close()

    assert (tmp_path / "body/shop/tracks.txt").read_text() == ROW.format(1, 2)
    assert (tmp_path / "head/shop/tracks.txt").read_text() == ROW.format(1, 1)


@pytest.mark.parametrize("predicted", [True, False])
def test_predicted_rows_are_written_unless_left_out(tmp_path: Path, predicted: bool) -> None:
    made = node(tmp_path, predicted=predicted)

    made.process(shot(0), tracks(1, 2, observed=[False, True]))
    made.close()

    wanted = (ROW.format(1, 1) if predicted else "") + ROW.format(1, 2)
    assert (tmp_path / "shop/tracks.txt").read_text() == wanted


def test_a_file_takes_its_place_when_its_stream_ends(tmp_path: Path) -> None:
    made = node(tmp_path, file="mot.txt")

    made.process(shot(0, stream=("shop", "door"), count=2), tracks(1, 1, rows=[0, 1]))
    made.stream_ended("shop")

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        "door/mot.txt.part",
        "shop/mot.txt",
    ]
    made.close()
    assert (tmp_path / "door/mot.txt").read_text() == ROW.format(2, 1)


def test_numbers_of_a_later_generation_go_on_after_those_before(tmp_path: Path) -> None:
    made = node(tmp_path)

    made.process(shot(0, generation=5), tracks(1, 7))
    made.process(shot(1, generation=6), tracks(1))
    made.process(shot(2, generation=7), tracks(2))
    made.close()

    rows = (tmp_path / "shop/tracks.txt").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows] == [["1", "1"], ["1", "7"], ["2", "8"], ["3", "10"]]


def test_a_tick_that_is_run_again_writes_no_row_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, both = node(tmp_path), shot(0, stream=("shop", "door"), count=2)
    whole, calls = part_file.write_whole, list[bytes]()

    def fails_once(file: Any, content: bytes) -> None:
        calls.append(content)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "full")
        whole(file, content)

    monkeypatch.setattr(part_file, "write_whole", fails_once)
    with pytest.raises(PipelineError, match=r"door/tracks.txt: expected to write, got a full disk"):
        made.process(both, tracks(1, 1, rows=[0, 1]))
    made.process(both, tracks(1, 1, rows=[0, 1]))
    made.close()

    assert (tmp_path / "shop/tracks.txt").read_text() == ROW.format(1, 1)
    assert (tmp_path / "door/tracks.txt").read_text() == ROW.format(2, 1)


def test_frames_without_tracks_have_no_rows_and_no_frames_no_file(tmp_path: Path) -> None:
    made = node(tmp_path)

    made.process(shot(0).take([]), Tracks.empty())
    made.stream_ended("shop")
    made.process(shot(0, stream="door"), Tracks.empty())
    made.close()

    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.txt*")] == ["door/tracks.txt"]
    assert (tmp_path / "door/tracks.txt").read_text() == ""


def test_all_files_are_finished_even_when_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = node(tmp_path)
    made.process(shot(0, stream=("shop", "door"), count=2), tracks(1, 1, rows=[0, 1]))
    (tmp_path / "shop/tracks.txt").mkdir()

    with pytest.raises(PipelineError, match=r"shop/tracks.txt: expected to write, got Is a directory"):
        made.close()

    assert (tmp_path / "door/tracks.txt").read_text() == ROW.format(2, 1)
