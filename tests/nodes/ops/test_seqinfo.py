import re
from pathlib import Path

import pytest

from nodes.ops.seqinfo import SeqInfo, find_seqinfo, read_seqinfo


def seqinfo(folder: Path, *lines: str, head: str = "[Sequence]") -> Path:
    path = folder / "seqinfo.ini"
    path.write_text("\n".join([head, *lines]))
    return path


def test_what_it_says_is_read(tmp_path: Path) -> None:
    path = seqinfo(tmp_path, "name=A", "frameRate = 29.97", "seqLength=12", "imWidth=640", "imHeight=480", "imExt=.jpg")

    assert read_seqinfo(path) == SeqInfo(29.97, (640, 480), 12)


def test_what_it_does_not_say_is_none(tmp_path: Path) -> None:
    assert read_seqinfo(seqinfo(tmp_path, "imWidth=640")) == SeqInfo()


def test_it_is_looked_for_beside_and_one_folder_above(tmp_path: Path) -> None:
    boxes = tmp_path / "det" / "det.txt"
    boxes.parent.mkdir()

    assert find_seqinfo(boxes) is None
    above = seqinfo(tmp_path)
    assert find_seqinfo(boxes) == above
    assert find_seqinfo(seqinfo(boxes.parent).with_name("det.txt")) == boxes.with_name("seqinfo.ini")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("frameRate=0", "frameRate: expected a number above 0, at most 10000, got '0'"),
        ("frameRate=nan", "frameRate: expected a number above 0, at most 10000, got 'nan'"),
        ("imWidth=12.5", "imWidth: expected a whole number above 0, at most 100000, got '12.5'"),
        ("seqLength=1_0", "seqLength: expected a whole number above 0, at most 10000000, got '1_0'"),
        ("seqLength=99999999999", "seqLength: expected a whole number above 0, at most 10000000, got '99999999999'"),
    ],
)
def test_what_cannot_be_is_named_by_file_and_key(tmp_path: Path, line: str, complaint: str) -> None:
    path = seqinfo(tmp_path, line)

    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {complaint}; correct or remove the line')}$"):
        read_seqinfo(path)


@pytest.mark.parametrize(
    ("head", "got"),
    [
        ("[Other]", "'Sequence'"),
        ("no section", "File contains no section headers."),
        ("#" * 200_000, "more than 100000"),
    ],
)
def test_what_is_no_seqinfo_is_refused(tmp_path: Path, head: str, got: str) -> None:
    path = seqinfo(tmp_path, head=head)

    with pytest.raises(ValueError, match=re.escape(f"{path}: expected a section [Sequence], got: {got}")):
        read_seqinfo(path)
