"""A file of whole lines: what is in it after anything went wrong, and what becomes of it when it is put aside."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import line_log
from pipeline.errors import PipelineError
from pipeline.line_log import LineLog

NOON, LATER = "20240501T120000Z", "20240501T130000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def log(path: Path) -> Iterator[LineLog]:
    made = LineLog(path, "end")
    yield made
    made.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the file descriptors that are brought to the disk."""
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    return calls


def test_lines_are_in_the_file_at_once_and_added_to_what_is_there(path: Path) -> None:
    path.write_bytes(b"a\n")
    log = LineLog(path, "end")

    log.append(b"b\nc\n")

    assert path.read_bytes() == b"a\nb\nc\n"
    assert log.size() == 6
    log.close()


def test_a_file_that_somebody_emptied_is_gone_on_with_from_its_beginning(path: Path, log: LineLog) -> None:
    log.append(b"a\nb\n")
    os.truncate(path, 0)

    log.append(b"c\n")

    assert (path.read_bytes(), log.size()) == (b"c\n", 2)


@pytest.mark.parametrize("block", [1, 3, 1 << 16])
@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"half", b""), (b"one\n", b"one\n"), (b"one\ntwo\nhal", b"one\ntwo\n"), (b"one\n\0\0\0\0", b"one\n")],
)
def test_half_a_line_at_the_end_is_cut_off_and_said(
    path: Path,
    before: bytes,
    after: bytes,
    block: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(line_log, "BLOCK", block)
    path.write_bytes(before)
    log = LineLog(path, "end")

    log.mend()
    log.close()

    cut = len(before) - len(after)
    assert path.read_bytes() == after
    assert caplog.messages == (
        [f"{path}: the last line was cut off; its {cut} bytes are removed"] if before != after else []
    )


@pytest.mark.parametrize("block", [1, 4, 1 << 16])
def test_lines_are_read_backwards_through_the_parts(
    path: Path, log: LineLog, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_log, "BLOCK", block)
    log.append(b"one\ntwo\n")
    log.turn(NOON)
    log.append(b"three\n")
    log.turn(LATER)
    log.append(b"four\nfive\n")

    assert list(log.backwards()) == [b"five", b"four", b"three", b"two", b"one"]
    assert log.first_line() == [b"four\n"]


def test_half_a_line_is_read_backwards_too_and_an_empty_file_has_no_line(path: Path, log: LineLog) -> None:
    assert list(log.backwards()) == log.first_line() == []

    path.write_bytes(b"one\nhal")

    assert list(log.backwards()) == [b"hal", b"one"]


def test_parts_sort_by_name_and_are_numbered_on_after_a_restart(path: Path, log: LineLog) -> None:
    for label in (LATER, NOON):  # a clock set back
        log.append(label.encode() + b"\n")
        log.turn(label)
    log.close()

    again = LineLog(path, "end")
    again.append(b"last\n")
    again.turn(NOON)
    again.parts()[0].unlink()  # by somebody who needs room
    again.turn(NOON)
    again.close()

    names = [f"events-00000{n}-{NOON}.jsonl" for n in (2, 3, 4)]
    assert [part.name for part in again.parts()] == names
    assert sorted(os.listdir(path.parent)) == [*names, "events.jsonl"]
    assert path.read_bytes() == b""


def test_clearing_removes_the_parts_and_nothing_else(path: Path, log: LineLog) -> None:
    log.append(b"one\n")
    log.turn(NOON)
    log.append(b"two\n")
    others = ["events-000001-mine.jsonl", "events-1-20240501T120000Z.jsonl", "looks-000001-20240501T120000Z.jsonl"]
    for name in others:
        (path.parent / name).write_bytes(b"mine")

    log.clear()
    log.append(b"three\n")

    assert sorted(os.listdir(path.parent)) == sorted([*others, "events.jsonl"])
    assert path.read_bytes() == b"three\n"


def test_a_write_that_breaks_off_leaves_whole_lines(path: Path, log: LineLog) -> None:
    log.append(b"one\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (7, limits[1]))
    try:
        with pytest.raises(PipelineError) as error:
            log.append(b"two\nthree\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    cause = os.strerror(errno.EFBIG)
    assert (
        str(error.value) == f"{path}: expected to write, got {cause}; check the path or give another folder with --out"
    )
    assert path.read_bytes() == b"one\n"
    log.append(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_lines_that_may_not_be_on_the_disk_are_not_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LineLog(path, "tick")
    log.append(b"one\n")

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(PipelineError, match=r": expected to write, got Input/output error; "):
            log.append(b"two\n")

    log.append(b"two\n")  # tried again, as ticks are
    log.close()
    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(("fsync", "calls"), [("tick", [2, 4, 5]), ("end", [0, 2, 3]), ("never", [0, 0, 0])])
def test_lines_are_brought_to_the_disk_when_asked(path: Path, fsync: str, calls: list[int], synced: list[int]) -> None:
    log = LineLog(path, fsync)
    counts = []

    log.append(b"one\n")
    log.append(b"two\n")
    counts.append(len(synced))
    log.turn(NOON)  # the file, and the folder with its new name
    counts.append(len(synced))
    log.close()
    counts.append(len(synced))

    assert counts == calls


def test_no_file_is_written_by_two(path: Path, log: LineLog) -> None:
    log.append(b"one\n")

    with pytest.raises(PipelineError) as error:
        LineLog(path, "end")

    assert str(error.value) == (
        f"{path}: expected a file for this run alone, got one that another run is writing; stop that run or give "
        "another folder with --out"
    )
    assert path.read_bytes() == b"one\n"


def test_a_file_that_could_not_be_begun_after_a_turn_is_begun_later(
    path: Path, log: LineLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(b"one\n")

    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", full)
        with pytest.raises(PipelineError, match=r": expected to write, got a full disk; "):
            log.turn(NOON)
    log.append(b"two\n")

    assert [part.read_bytes() for part in log.parts()] == [b"one\n"]
    assert path.read_bytes() == b"two\n"


def test_what_is_no_file_is_written_and_never_put_aside(path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = LineLog(path, "tick")

    log.clear()
    log.mend()
    log.append(b"one\n")
    log.turn(NOON)
    log.append(b"two\n")

    assert os.read(reader, 100) == b"one\ntwo\n"
    assert (list(log.backwards()), log.first_line(), log.parts(), log.size()) == ([], [], [], 0)
    log.close()
    os.close(reader)
