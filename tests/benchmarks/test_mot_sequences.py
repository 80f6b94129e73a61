"""Sequences of the MOTChallenge as they lie in folders."""

import gzip
from argparse import ArgumentTypeError
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mot_sequences import find_sequences, parse_fps
from pipeline.errors import ConfigError

FOUND = "2,-1,10,20,30,40,0.5\n1,-1,0,0,10,10,0.2\n2,-1,50,20,30,40,1.5\n"
TRUTH = "1,7,10,20,30,40,1,1,0.9\n"
INFO = "[Sequence]\nframeRate=30\nimWidth=640\nimHeight=480\nseqLength=5\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return root


@pytest.mark.parametrize(
    ("det", "gt"),
    [
        ("det.txt", "gt.txt"),
        ("det-FRCNN.txt.gz", "gt.txt.gz"),
        ("det/det.txt", "gt/gt.txt"),
        ("det/det_sdp.txt.gz", "gt-train.txt"),
    ],
)
def test_a_sequence_is_found_wherever_its_files_lie(tmp_path: Path, det: str, gt: str) -> None:
    write(tmp_path, {f"A/{det}": FOUND, f"A/{gt}": TRUTH, "A/seqinfo.ini": INFO, "notes/readme.txt": "", "b.txt": ""})

    (sequence,) = find_sequences(tmp_path, [], {})

    assert (sequence.name, sequence.fps, sequence.size_wh, sequence.frames) == ("A", 30, (640, 480), 5)
    assert sequence.found.frame.tolist() == [1, 2, 2]
    assert sequence.found.score.tolist() == [0.2, 1, 0.5]
    assert sequence.found.box_px[1].tolist() == [50, 20, 30, 40]
    assert (sequence.truth.id.tolist(), sequence.truth.box_px.tolist()) == ([7], [[10, 20, 30, 40]])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("1,1,0,0,9,9,1,1,1\n1,2,0,0,9,9,0,1,1\n1,3,0,0,9,9,1,7,1\n", [1]),
        ("1,1,0,0,9,9,1,4.4852,5.5016,0\n1,2,0,0,9,9,0,1,1,1\n", [1]),
        ("1,1,0,0,9,9,1,-1,-1,-1\n", [1]),
        ("2,1,0,0,9,9,1\n1,2,0,0,9,9,1\n", [2, 1]),
    ],
    ids=["flag and class", "a place in the world is no class", "no place", "by frame"],
)
def test_rows_of_the_truth_that_count(tmp_path: Path, text: str, ids: list[int]) -> None:
    write(tmp_path, {"A/det.txt": FOUND, "A/gt.txt": text})

    (sequence,) = find_sequences(tmp_path, [], {"A": 10})

    assert sequence.truth.id.tolist() == ids


def test_what_nobody_says_is_taken_from_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"A/det.txt": "3,-1,10.5,20,30,40.2,1\n", "A/gt.txt": TRUTH})

    (sequence,) = find_sequences(tmp_path, [], {})

    assert (sequence.fps, sequence.size_wh, sequence.frames) == (25, (41, 61), 3)
    assert capsys.readouterr().err == "A: no frame rate in seqinfo.ini, no --fps A=NUMBER: taken as 25\n"


def test_sequences_are_chosen_by_name(tmp_path: Path) -> None:
    for name in "CAB":
        write(tmp_path, {f"{name}/det.txt": FOUND, f"{name}/gt.txt": TRUTH})

    chosen = find_sequences(tmp_path, ["C", "A"], {"A": 10, "C": 12.5})

    assert [(sequence.name, sequence.fps) for sequence in chosen] == [("A", 10), ("C", 12.5)]


def test_a_frame_rate_said_twice_may_not_differ(tmp_path: Path) -> None:
    write(tmp_path, {"A/det.txt": FOUND, "A/gt.txt": TRUTH, "A/seqinfo.ini": INFO})

    assert find_sequences(tmp_path, [], {"A": 30})[0].fps == 30
    with pytest.raises(ConfigError) as wrong:
        find_sequences(tmp_path, [], {"A": 25})
    assert str(wrong.value) == f"--fps A=25: expected what {tmp_path}/A/seqinfo.ini says, 30, got 25; leave it out"


@pytest.mark.parametrize(
    ("files", "names", "message"),
    [
        ({}, [], "{root}: expected folders with det*.txt[.gz] and gt*.txt[.gz], got none; name theirs: --root DIR"),
        (
            {"A/det.txt": FOUND, "A/gt.txt": TRUTH, "B/det.txt": FOUND, "B/gt.txt": TRUTH},
            ["A", "C"],
            "--seq: expected names out of A, B of {root}, got 'C'",
        ),
        (
            {"A/det.txt": FOUND},
            [],
            "{root}/A: expected one gt*.txt or gt*.txt.gz, in it or in gt/, got none; "
            "leave one there, or name other sequences: --seq NAME",
        ),
        (
            {"A/det.txt": FOUND, "A/det/det.txt": FOUND, "A/gt.txt": TRUTH},
            [],
            "{root}/A: expected one det*.txt or det*.txt.gz, in it or in det/, got det.txt, det/det.txt; "
            "leave one there, or name other sequences: --seq NAME",
        ),
        (
            {"A/det.txt": FOUND, "A/gt.txt": "1,1,0,0,9,9,0,1,1\n"},
            [],
            "{root}/A/gt.txt: expected rows of flag 1 and class 1, got none; give a ground truth",
        ),
        (
            {"A/det.txt": "", "A/gt.txt": TRUTH},
            [],
            "{root}/A/det.txt: expected detections, got none; give a detector's",
        ),
        (
            {"A/det.txt": FOUND, "A/gt.txt": TRUTH, "A/seqinfo.ini": "[Sequence]\nframeRate=0\n"},
            [],
            "{root}/A/seqinfo.ini: frameRate: expected a number above 0, at most 10000, got '0'; "
            "correct or remove the line",
        ),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, files: dict[str, str], names: list[str], message: str) -> None:
    write(tmp_path, files)

    with pytest.raises(ConfigError) as wrong:
        find_sequences(tmp_path, names, {})

    assert str(wrong.value) == message.format(root=tmp_path)


def test_a_wrong_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, {"A/det.txt": FOUND + "x\n", "A/gt.txt": TRUTH})

    with pytest.raises(ConfigError) as wrong:
        find_sequences(tmp_path, [], {})

    assert str(wrong.value).startswith(f"{tmp_path}/A/det.txt:4: expected frame,id,left,top,width,height,score")


def test_detections_without_area_are_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, {"A/det.txt": FOUND + "3,-1,5,5,0,9,1\n", "A/gt.txt": TRUTH, "A/seqinfo.ini": INFO})

    (sequence,) = find_sequences(tmp_path, [], {})

    assert sequence.found.frame.tolist() == [1, 2, 2]
    assert capsys.readouterr().err == "A: detections without width or height are left out: 1\n"


def test_detections_of_one_frame_that_are_alike_keep_their_order(tmp_path: Path) -> None:
    write(tmp_path, {"A/det.txt": "".join(f"1,-1,{x},0,9,9,1\n" for x in range(40)), "A/gt.txt": TRUTH})

    (sequence,) = find_sequences(tmp_path, [], {"A": 10})

    assert np.array_equal(sequence.found.box_px[:, 0], np.arange(40))


@pytest.mark.parametrize("text", ["A", "=25", "A=", "A=x", "A=0", "A=-1", "A=inf", "A=nan"])
def test_a_frame_rate_is_a_name_and_a_number(text: str) -> None:
    assert parse_fps("A=B=12.5") == ("A=B", 12.5)
    with pytest.raises(ArgumentTypeError) as wrong:
        parse_fps(text)
    assert str(wrong.value) == f"expected NAME=25, a number above 0, at most 10000, got {text!r}"
