import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from nodes.ops import mot_frames
from nodes.ops.mot_frames import Survey, frames_with_rows
from nodes.ops.mot_text import iterate_rows


def written(folder: Path, *rows: tuple[float, ...]) -> Path:
    """Write rows of frame, id, left, top, width, height."""
    path = folder / "det.txt"
    path.write_text("".join(",".join(map(str, (*row, 0.5))) + "\n" for row in rows))
    return path


def surveyed(path: Path) -> Survey:
    survey = Survey()
    for row in iterate_rows(path):
        survey.add(row)
    return survey


def ids(path: Path, survey: Survey) -> list[tuple[int, Sequence[int]]]:
    return [(frame, rows.id.tolist()) for frame, rows in frames_with_rows(path, survey)]


def test_a_survey_says_how_far_rows_and_boxes_reach(tmp_path: Path) -> None:
    survey = surveyed(written(tmp_path, (2, 1, -5, 3, 10, 7.5), (2, 2, 1, 2, 0, 40), (7, 3, 100, 4, 20.2, 5)))

    assert survey == Survey(3, last_frame=7, in_order=True, without_area=1, right_px=120.2, bottom_px=42)
    assert survey.size_wh() == (121, 42)


def test_the_smallest_picture_has_a_pixel() -> None:
    assert Survey().size_wh() == (1, 1)


@pytest.mark.parametrize("in_order", [True, False])
def test_frames_come_in_order_with_their_rows_in_the_order_of_the_file(tmp_path: Path, in_order: bool) -> None:
    rows = [(1, 5, 0, 0, 1, 1), (3, 2, 0, 0, 1, 1), (3, 1, 0, 0, 1, 1)]
    path = written(tmp_path, *(rows if in_order else rows[1:] + rows[:1]))
    survey = surveyed(path)

    assert survey.in_order is in_order
    assert ids(path, survey) == [(1, [5]), (3, [2, 1])]


def test_a_file_in_order_is_read_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, (1, 1, 0, 0, 1, 1), (2, 1, 0, 0, 1, 1))
    survey = surveyed(path)
    monkeypatch.setattr(mot_frames, "read_rows", lambda path: pytest.fail("held whole"))

    assert len(ids(path, survey)) == 2


@pytest.mark.parametrize("in_order", [True, False])
def test_no_frame_has_more_boxes_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_order: bool) -> None:
    path = written(tmp_path, *[(1, id, 0, 0, 1, 1) for id in range(4)])
    monkeypatch.setattr(mot_frames, "MAX_IN_FRAME", 3)

    complaint = f"{path}: frame 1: expected 3 boxes or fewer, got more; remove the rest"
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        ids(path, Survey(in_order=in_order))


def test_a_file_that_was_written_meanwhile_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, (2, 1, 0, 0, 1, 1), (1, 1, 0, 0, 1, 1))

    complaint = f"{path}: expected the rows it had before, got others; write it first, then read it"
    with pytest.raises(ValueError, match=f"^{re.escape(complaint)}$"):
        ids(path, Survey(in_order=True))


def test_a_file_without_rows_has_no_frames(tmp_path: Path) -> None:
    assert ids(written(tmp_path), Survey()) == ids(written(tmp_path), Survey(in_order=False)) == []
