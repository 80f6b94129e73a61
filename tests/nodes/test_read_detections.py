"""Boxes of any detector as people, frame by frame."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes import read_detections
from nodes.read_detections import Config, ReadDetections
from pipeline.errors import SourceError
from pipeline.frames import Stream
from pipeline.node import Dropped, Frame
from pipeline.streams import StreamConfig
from tests.helpers import FakeContext

ROWS = "1,-1,10,20,30,40,0.5\n3,-1,0,0,100,50,0.9,-1,-1,-1\n3,-1,50,5,20,10,1.5\n"


def det(folder: Path, text: str = ROWS, seqinfo: str | None = None) -> Path:
    path = folder / "det.txt"
    path.write_text(text)
    if seqinfo is not None:
        (folder / "seqinfo.ini").write_text(f"[Sequence]\n{seqinfo}")
    return path


def source(url: Path | str, *, max_fps: float | None = None, **config: Any) -> ReadDetections:
    stream = Stream("lobby", StreamConfig(url=str(url), max_fps=max_fps))
    return ReadDetections(Config(**config), FakeContext(), stream)


def read(url: Path | str, **options: Any) -> list[Any]:
    return list(source(url, **options).frames())


def refused(url: Path | str, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(url, **options)
    return str(caught.value)


def test_every_frame_comes_at_its_time_with_its_boxes_the_best_first(tmp_path: Path) -> None:
    items = read(det(tmp_path), fps=25, size_wh=(100, 50))

    assert [(item.picture, item.pts_ns, item.size_wh, item.index) for item in items] == [
        (None, 0, (100, 50), 0),
        (None, 40_000_000, (100, 50), 1),
        (None, 80_000_000, (100, 50), 2),
    ]
    assert [len(item.value) for item in items] == [1, 0, 2]
    people = items[2].value
    np.testing.assert_allclose(people.body_box, [[0.5, 0.1, 0.7, 0.3], [0, 0, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(people.body_score, [1, 0.9], rtol=1e-6)
    assert people.frame_row.tolist() == [0, 0]
    assert np.isnan(people.head_box).all() and people.head_score.tolist() == [0, 0]
    assert people.appearance.shape == (2, 0) and not people.direction_scores.any()


def test_boxes_may_be_heads(tmp_path: Path) -> None:
    people = read(det(tmp_path), fps=25, part="head", size_wh=(100, 100))[0].value

    np.testing.assert_allclose(people.head_box, [[0.1, 0.2, 0.4, 0.6]], rtol=1e-6)
    assert people.head_score.tolist() == [0.5]
    assert np.isnan(people.body_box).all() and people.body_score.tolist() == [0]


def test_what_is_not_said_is_read_off_the_sequence_and_then_off_the_boxes(tmp_path: Path) -> None:
    told = "frameRate=10\nseqLength=5\nimWidth=64\nimHeight=36"
    items = read(det(tmp_path, seqinfo=told))
    forced = read(det(tmp_path), fps=5, size_wh=(200, 100))
    (tmp_path / "seqinfo.ini").unlink()
    alone = read(tmp_path / "det.txt", fps=25)

    assert [(item.pts_ns, item.size_wh) for item in items] == [(k * 100_000_000, (64, 36)) for k in range(5)]
    assert [(item.pts_ns, item.size_wh) for item in forced[:2]] == [(0, (200, 100)), (200_000_000, (200, 100))]
    assert [item.size_wh for item in alone] == [(100, 60)] * 3


def test_the_length_is_known_once_it_is_read(tmp_path: Path) -> None:
    one = source(det(tmp_path), fps=25)

    assert one.duration_ns is None
    list(one.frames())
    assert one.duration_ns == 120_000_000


def test_weak_boxes_and_those_without_area_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = det(tmp_path, "1,-1,0,0,9,9,-3\n1,-1,0,0,9,9,7\n1,-1,0,0,0,9,9\n")

    with caplog.at_level(logging.WARNING):
        taken, chosen = read(path, fps=25)[0].value, read(path, fps=25, min_score=0)[0].value

    assert (taken.body_score.tolist(), chosen.body_score.tolist()) == ([1, 0], [1])
    assert caplog.messages[0] == f"stream=lobby {path}: boxes without width or height: 1; they are left out"


def test_a_file_in_no_order_gives_the_same_frames(tmp_path: Path) -> None:
    ordered = read(det(tmp_path), fps=25)
    shuffled = read(det(tmp_path, "".join(reversed(ROWS.splitlines(keepends=True)))), fps=25)

    assert [item.value.body_box.tobytes() for item in shuffled] == [item.value.body_box.tobytes() for item in ordered]


def test_a_rate_limit_keeps_the_numbers_of_the_frames_that_are_left(tmp_path: Path) -> None:
    items = read(det(tmp_path), fps=25, max_fps=12.5)

    assert [item.index if isinstance(item, Frame) else item for item in items] == [0, Dropped("rate_limit"), 2]


def test_an_interrupt_is_noticed_while_rows_are_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_detections, "ROWS_AT_ONCE", 2)

    assert read(det(tmp_path), fps=25)[0] is None


def test_the_description_of_the_sequence_counts_as_input(tmp_path: Path) -> None:
    path = det(tmp_path, seqinfo="frameRate=10")

    assert ReadDetections.files_beside(str(path)) == [tmp_path / "seqinfo.ini"]
    assert ReadDetections.files_beside("/nowhere/at/all/det.txt") == []


def test_a_rate_must_be_known(tmp_path: Path) -> None:
    path = det(tmp_path)
    asked = "expected frames a second, got neither a value nor a frameRate in"

    assert refused(path) == f"stream 'lobby': {path}: {asked} a seqinfo.ini; add for example --set node.fps=25"
    det(tmp_path, seqinfo="imWidth=5")
    found = tmp_path / "seqinfo.ini"
    assert refused(path) == f"stream 'lobby': {path}: {asked} {found}; add for example --set node.fps=25"


def test_a_wrong_row_is_told_before_any_frame_comes(tmp_path: Path) -> None:
    path = det(tmp_path, ROWS + "4,-1,nan,0,9,9,1\n")
    items = source(path, fps=25).frames()

    with pytest.raises(SourceError) as caught:
        next(items)

    assert str(caught.value) == (
        f"stream 'lobby': {path}:4: left: expected a number of -1000000 to 1000000, got 'nan'; "
        "correct or remove the row"
    )


def test_a_file_without_rows_needs_a_length(tmp_path: Path) -> None:
    path = det(tmp_path, "\n")

    assert refused(path, fps=25) == (
        f"stream 'lobby': {path}: expected rows, got none; detect people first, or add a seqinfo.ini"
    )
    det(tmp_path, "", seqinfo="seqLength=2")
    assert [len(item.value) for item in read(path, fps=25)] == [0, 0]


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    told = "expected a file of MOT text, got none; give one such as det/det.txt"

    assert refused(tmp_path) == f"stream 'lobby': {tmp_path}: {told}"
    assert refused("rtsp://me:secret@cam/1") == f"stream 'lobby': rtsp://me:***@cam/1: {told}"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = det(tmp_path)

    def denied(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(read_detections, "iterate_rows", denied)
    assert refused(path, fps=25) == f"stream 'lobby': {path}: cannot be read (Permission denied); check the file"
