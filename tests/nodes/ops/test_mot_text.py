import gzip
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.ops.mot_text import MAX_FRAME, MAX_PX, iterate_rows, read_rows, row_text, to_columns

ROW = b"1,-1,10,20,30,40,0.5,-1,-1,-1\n"
PIECES = (b"1", b"2", b"1", b"-1", b"0", b" 3.0 ", b"", b"nan", b"-inf", b"1e7", b"1e-400", b"9" * 30, b"\xff", b"0x1")


def written(folder: Path, content: bytes, name: str = "det.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_what_follows_the_score_is_read_by_how_many_values_a_row_has(tmp_path: Path) -> None:
    text = b"3,7,-1.5,2,30,40,1,12,0.25\n2,-1,10,20,30,40,0.5,4.48,5.5,0\r\n\n1,5,1,2,3,4\n1, 6, 1, 2, 3, 4, 0, 8"

    rows = read_rows(written(tmp_path, text))

    assert rows.frame.tolist() == [3, 2, 1, 1] and rows.frame.dtype == np.int64
    assert rows.id.tolist() == [7, -1, 5, 6]
    assert rows.box_px[0].tolist() == [-1.5, 2, 30, 40]
    assert rows.score.tolist() == [1, 0.5, 1, 0]
    assert rows.class_id.tolist() == [12, -1, -1, 8]
    assert rows.visibility.tolist() == [0.25, 1, 1, 1]
    assert rows.by_frame().id.tolist() == [5, 6, -1, 7]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, b""))

    assert len(rows) == 0 and rows.box_px.shape == (0, 4) and rows.by_frame().frame.dtype == np.int64


def test_a_packed_file_is_read_like_a_plain_one(tmp_path: Path) -> None:
    assert read_rows(written(tmp_path, gzip.compress(ROW * 3), "det.txt.gz")).frame.tolist() == [1, 1, 1]


def test_written_rows_are_read_back(tmp_path: Path) -> None:
    text = row_text(12, 3, np.array([1.25, -2, 3.5, 4.0625]), 0.75)

    assert text == "12,3,1.250,-2.000,3.500,4.062,0.750000,-1,-1,-1\n"
    rows = read_rows(written(tmp_path, text.encode()))
    assert (rows.frame[0], rows.id[0], rows.score[0], rows.class_id[0]) == (12, 3, 0.75, -1)


LAYOUT = "expected frame,id,left,top,width,height,score and up to 3 values more, got"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (b"0,-1,10,20,30,40,0.5", "frame: expected a whole number of 1 to 10000000, got '0'"),
        (b"99999999999,-1,10,20,30,40,0.5", "frame: expected a whole number of 1 to 10000000, got '99999999999'"),
        (b"1.5,-1,10,20,30,40,0.5", "frame: expected a whole number of 1 to 10000000, got '1.5'"),
        (b"1,-2,10,20,30,40,0.5", "id: expected a whole number of -1 to 9007199254740992, got '-2'"),
        (b"1,-1,nan,20,30,40,0.5", "left: expected a number of -1000000 to 1000000, got 'nan'"),
        (b"1,-1,10,1e9,30,40,0.5", "top: expected a number of -1000000 to 1000000, got '1e9'"),
        (b"1,-1,10,20,-30,40,0.5", "width: expected a number of 0 to 1000000, got '-30'"),
        (b"1,-1,10,20,30,,0.5", "height: expected a number of 0 to 1000000, got ''"),
        (b"1,-1,10,20,30,40,inf", "score: expected a number, got 'inf'"),
        (b"1,-1,10,20,30,40,1_0", "score: expected a number, got '1_0'"),
        (b"1,-1,10,20,30,40,1,1.5,1", "class: expected a whole number of -1 to 9007199254740992, got '1.5'"),
        (b"1,-1,10,20,30,40,1,1,7", "visibility: expected a number of -1 to 1, got '7'"),
    ],
)
def test_a_value_out_of_bounds_is_named_by_file_and_line(tmp_path: Path, row: bytes, complaint: str) -> None:
    path = written(tmp_path, ROW + row)

    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}:2: {complaint}; correct or remove the row')}$"):
        read_rows(path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"frame id left", f"{LAYOUT} 'frame id left'; give a file of MOT text"),
        (b"1,2,3,4,5,6,7,8,9,10,11", f"{LAYOUT} '1,2,3,4,5,6,7,8,9,10,11'; give a file of MOT text"),
        (b"\xff\x00", f"{LAYOUT} '\\\\xff\\x00'; give a file of MOT text"),
        (b"1" * 5000, "expected a line of at most 1000 bytes, got more; give a file of MOT text"),
    ],
)
def test_a_line_that_is_no_row_is_shown_in_short(tmp_path: Path, line: bytes, complaint: str) -> None:
    path = written(tmp_path, line)

    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}:1: {complaint}')}$"):
        read_rows(path)


def test_what_is_called_packed_must_be_packed_and_whole(tmp_path: Path) -> None:
    plain = written(tmp_path, ROW, "a.gz")
    cut_off = written(tmp_path, gzip.compress(ROW * 500)[:-9], "b.gz")
    told = "expected a whole gzip file, got: {}; fetch or pack it again"

    with pytest.raises(ValueError, match=re.escape(f"{plain}: " + told.format("Not a gzipped file (b'1,')"))):
        read_rows(plain)
    end = "Compressed file ended before the end-of-stream marker was reached"
    with pytest.raises(ValueError, match=re.escape(f"{cut_off}: " + told.format(end))):
        read_rows(cut_off)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=5, max_size=11).map(b",".join), max_size=3))
def test_whatever_a_file_holds_is_within_bounds_or_refused(lines: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = written(Path(folder), b"\n".join(lines))
        try:
            rows = read_rows(path)
        except ValueError as error:
            assert re.match(rf"{path}:[123]: .*expected .*, got .*; ", str(error))
        else:
            assert (rows.frame >= 1).all() and (rows.frame <= MAX_FRAME).all() and (rows.id >= -1).all()
            assert (np.abs(rows.box_px) <= MAX_PX).all() and (rows.box_px[:, 2:] >= 0).all()
            assert np.isfinite(rows.score).all() and np.isfinite(rows.visibility).all()


def test_no_more_rows_are_held_than_allowed(tmp_path: Path) -> None:
    path = written(tmp_path, ROW * 4)

    complaint = f"{path}: expected 3 rows or fewer, got more; split it, or sort it by frame"
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        read_rows(path, max_rows=3)
    assert len(read_rows(path, max_rows=4)) == 4


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    rows = iterate_rows(written(tmp_path, ROW + b"bad"))

    assert to_columns([next(rows)]).box_px.tolist() == [[10, 20, 30, 40]]
    rows.close()  # type: ignore[attr-defined]
