"""Event logs are copied whole, of one run alone, and compared line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.logs import copy_of, first_difference, keep, kept_lines, lines_of, told
from cli.manifest import Log
from pipeline.errors import PipelineError


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
    lines = [event("a", 0, 9), b"t,x", b"1,2", b"[]", b"{}", b'{"sequence": "%s.0"}' % (b"1" * 9999)]

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
    assert kept_lines(log, tmp_path) == (lines, True)


def test_a_copy_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs/shop").mkdir(parents=True)
    (tmp_path / "logs/shop/events.jsonl").symlink_to("/dev/full")

    with pytest.raises(PipelineError) as caught:
        keep("shop/events.jsonl", [b"x"], tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/logs/shop/events.jsonl: expected to write, got a full disk; free space or give another folder "
        "with --out; what was written stays readable"
    )


def test_a_changed_copy_is_known(tmp_path: Path) -> None:
    log = keep("shop/events.jsonl", [b"x"], tmp_path)
    assert kept_lines(log, tmp_path) == ([b"x"], True)

    write(copy_of(log, tmp_path), b"y")

    assert kept_lines(log, tmp_path) == ([b"y"], False)


def test_an_empty_copy_has_no_lines(tmp_path: Path) -> None:
    assert kept_lines(keep("shop/events.jsonl", [], tmp_path), tmp_path) == ([], True)


@pytest.mark.parametrize("file", ["events.jsonl", "shop/", "shop/..", "../x", "shop/a/b", "shop 1/x", "/etc/passwd"])
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
        ([b"a", b"c", b"c"], "line 2 is the first that differs\n  recorded: b\n  replayed: c"),
        ([b"a"], "line 2 is the first that differs\n  recorded: b\n  replayed: nothing, the log has ended"),
        (
            [b"a", b"b", b"c"],
            "line 3 is the first that differs\n  recorded: nothing, the log has ended\n  replayed: c",
        ),
    ],
)
def test_the_first_line_that_differs_is_shown(after: list[bytes], shown: str) -> None:
    assert first_difference([b"a", b"b"], after) == shown


def differences(before: bytes, after: bytes) -> list[str]:
    told = first_difference([before], [after])
    assert told
    first, *rest = told.split("\n")
    assert first == "line 1 is the first that differs"
    return rest


def test_of_two_different_events_the_ids_are_shown() -> None:
    assert differences(event("a"), event("b")) == ["  recorded: a", "  replayed: b"]


def test_of_the_same_event_values_that_differ_are_shown_and_what_only_numbers_it_last() -> None:
    before = event("a", 1, dwell_s=0.5, reason="é", figures=[{"value": 1}, {"value": {"deep": 2}}])
    after = event("a", 2, dwell_s=0.75, figures=[{"value": 1}, {"value": {"deep": 3}}, 4])

    assert differences(before, after.replace(b"aaa", b"bbb")) == [
        "  data.dwell_s: recorded 0.5, replayed 0.75",
        '  data.reason: recorded "é", replayed nothing',
        '  data.figures.1: recorded {"value": {"deep": 2}}, replayed {"value": {"deep": 3}}',
        "  data.figures.2: recorded nothing, replayed 4",
        '  sequence: recorded "0000000000.0000000001", replayed "0000000000.0000000002"',
        '  data.config: recorded "aaa", replayed "bbb"',
    ]


def test_many_and_long_values_are_not_all_shown() -> None:
    long = "x" * 1000
    before = event("a", **{f"v{number}": long for number in range(8)})
    after = event("a", **{f"v{number}": f"{long}y" for number in range(8)})

    assert differences(before, after) == [
        *(f'  data.v{number}: recorded "{"x" * 158}…, replayed "{"x" * 158}…' for number in range(6)),
        "  and 2 more values",
    ]
    assert differences(b"x" * 1000, b"y") == [f"  recorded: {'x' * 159}…", "  replayed: y"]


def test_the_same_values_in_other_bytes_are_told() -> None:
    assert differences(event("a"), event("a") + b" ") == ["  the same values are written otherwise"]


def test_events_are_known_by_their_ids_and_numbers_and_hashes_tell_nothing() -> None:
    before = [event("same", 0), event("changed", 1, dwell_s=1.0), event("gone", 2), b"no event"]
    after = [event("new", 0), event("same", 1), event("changed", 2, dwell_s=2.0), b"no event"]
    after = [line.replace(b'"aaa"', b'"bbb"') for line in after]

    assert told(before, after) == "4 events, before 4: 2 tell the same, 1 changed, 1 new, 1 gone"
