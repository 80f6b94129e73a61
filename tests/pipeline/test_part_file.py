"""A file stands in its place as a whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pipeline import part_file
from pipeline.errors import PipelineError
from pipeline.part_file import PartFile


def test_a_file_takes_its_place_when_it_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    file = PartFile(path)

    file.write(b"one\n")
    file.write(b"two\n")

    assert path.read_text() == "before"
    assert (tmp_path / "a.txt.part").read_text() == "one\ntwo\n"
    file.finish()
    assert path.read_text() == "one\ntwo\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_begun_on_a_full_disk_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PartFile(tmp_path / "a.txt")
    file.write(b"one\n")
    whole = part_file.write_whole

    def half(to: object, content: bytes) -> None:
        whole(to, content[:2])  # type: ignore[arg-type]
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(part_file, "write_whole", half)
    with pytest.raises(PipelineError) as caught:
        file.write(b"lost\n")
    monkeypatch.setattr(part_file, "write_whole", whole)
    file.write(b"x")
    file.finish()

    assert str(caught.value).startswith(f"{tmp_path / 'a.txt'}: expected to write, got a full disk; free space")
    assert (tmp_path / "a.txt").read_text() == "one\nx"


def test_half_of_what_failed_is_cut_off(tmp_path: Path) -> None:
    file = PartFile(tmp_path / "a.txt")
    file.write(b"one\n")
    with (tmp_path / "a.txt.part").open("ab") as other:
        other.write(b"hal")

    file.finish()

    assert (tmp_path / "a.txt").read_text() == "one\n"


def test_finishing_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = PartFile(tmp_path / "a.txt")
    file.write(b"one\n")

    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(part_file.os, "fsync", fails)
        with pytest.raises(PipelineError, match="expected to write, got broken; check the path or give another"):
            file.finish()
    assert not (tmp_path / "a.txt").exists()
    file.finish()

    assert (tmp_path / "a.txt").read_text() == "one\n"


def test_a_file_that_is_let_go_leaves_its_part(tmp_path: Path) -> None:
    file = PartFile(tmp_path / "a.txt")
    file.write(b"one\n")

    file.close()

    assert [path.name for path in tmp_path.iterdir()] == ["a.txt.part"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt.part").mkdir()

    with pytest.raises(PipelineError, match=r"a\.txt: expected to write, got Is a directory; check the path"):
        PartFile(tmp_path / "a.txt")
