"""Event logs are copied whole, of one run alone, and compared line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.logs import first_difference, keep, kept_lines, lines_of, told
from cli.manifest import Log
from pipeline.errors import ConfigError, PipelineError


def event(id: str, count: int = 0, generation: int = 0, **data: Any) -> bytes:
    sequence = f"{generation:010d}.{count:010d}"
    return json.dumps({"id": id, "sequence": sequence, "data": {"config": "aaa", **data}}).encode()


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


# lines of one run


def test_a_log_and_its_parts_are_one_after_another(tmp_path: Path) -> None:
    lines = [event(f"e{count}", count) for count in range(3)]
    write(tmp_path / "events-000001-20240501T120000Z.jsonl", lines[0])
    write(tmp_path / "events-000002-20240501T130000Z.jsonl", lines[1])

    assert lines_of(write(tmp_path / "events.jsonl", lines[2])) == lines


def test_what_earlier_runs_wrote_and_their_visits_that_were_ended_now_are_left_out(tmp_path: Path) -> None:
    earlier = [event("a", 0, 5), event("b", 1, 5, reason="interrupted")]
    own = [event("c", 0, 9), event("d", 0, 10)]
    log = write(tmp_path / "events.jsonl", *earlier, *own)

    assert lines_of(log, since=9) == own
    assert lines_of(log) == earlier + own
    assert lines_of(log, since=11) == []


def test_lines_that_are_no_events_are_of_the_run(tmp_path: Path) -> None:
    lines = [event("a", 0, 9), b"t,x", b"1,2", b"[]", b"{}"]

    assert lines_of(write(tmp_path / "x.csv", *lines), since=9) == lines


def test_a_log_that_was_not_written_has_no_lines(tmp_path: Path) -> None:
    assert lines_of(tmp_path / "events.jsonl") == []
    assert list(tmp_path.iterdir()) == []


# copies


def test_a_copy_is_what_was_written(tmp_path: Path) -> None:
    lines = [event("a"), "\u2028 is no line break".encode(), b"nor \r is", b"\xff"]

    log = keep("shop/events.jsonl", lines, tmp_path)

    assert (log.file, log.lines) == ("shop/events.jsonl", 4)
    assert (tmp_path / "logs/shop/events.jsonl").read_bytes() == b"".join(line + b"\n" for line in lines)
    assert kept_lines(log, tmp_path) == lines


def test_a_copy_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs/shop").mkdir(parents=True)
    (tmp_path / "logs/shop/events.jsonl").symlink_to("/dev/full")

    with pytest.raises(PipelineError) as caught:
        keep("shop/events.jsonl", [b"x"], tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/logs/shop/events.jsonl: expected to write, got a full disk; free space or give another folder "
        "with --out; what was written stays readable"
    )


def test_a_changed_copy_is_refused(tmp_path: Path) -> None:
    log = keep("shop/events.jsonl", [b"x"], tmp_path)
    copy = write(tmp_path / "logs/shop/events.jsonl", b"y")

    with pytest.raises(ConfigError) as caught:
        kept_lines(log, tmp_path)

    assert str(caught.value) == (
        f"{copy}: expected the log as it was recorded, got a changed one; record the run again"
    )


@pytest.mark.parametrize("file", ["events.jsonl", "shop/", "shop/..", "../x", "shop/a/b", "Shop/x", "/etc/passwd"])
def test_logs_lie_in_the_folders_of_their_streams(file: str) -> None:
    with pytest.raises(ValueError, match=r"expected <stream>/<file>, got "):
        Log(file=file, lines=1, sha256="")


# comparing


def test_equal_logs_have_no_difference() -> None:
    assert first_difference([b"a", b"b"], [b"a", b"b"]) is None
    assert told([], []) == "0 events, the same bytes"
    assert told([b"a"], [b"a"]) == "1 event, the same bytes"


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        ([b"a", b"c", b"c"], "line 2 differs\n  recorded: b\n  replayed: c"),
        ([b"a"], "line 2 differs\n  recorded: b\n  replayed: nothing, the log has ended"),
        ([b"a", b"b", b"c"], "line 3 differs\n  recorded: nothing, the log has ended\n  replayed: c"),
    ],
)
def test_the_first_line_that_differs_is_shown(after: list[bytes], shown: str) -> None:
    assert first_difference([b"a", b"b"], after) == shown


def test_events_are_known_by_their_ids_and_numbers_and_hashes_tell_nothing() -> None:
    before = [event("same", 0), event("changed", 1, dwell_s=1.0), event("gone", 2), b"no event"]
    after = [event("new", 0), event("same", 1), event("changed", 2, dwell_s=2.0), b"no event"]
    after = [line.replace(b'"aaa"', b'"bbb"') for line in after]

    assert told(before, after) == "4 events, before 4: 2 tell the same, 1 changed, 1 new, 1 gone"
