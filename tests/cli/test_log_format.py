"""Log lines: for people, or one JSON object each; never with passwords."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import log_format
from cli.log_format import JsonLines, TextLines, rfc3339
from tests.repository import ROOT


@pytest.fixture
def as_json() -> Iterator[None]:
    log_format._voice.kind = "json"
    yield
    log_format._voice.kind = "text"


def record(message: str, *args: Any, fields: dict[str, Any] | None = None, exc_info: Any = None) -> logging.LogRecord:
    made = logging.LogRecord("pipeline.x", logging.WARNING, "f", 1, message, args, exc_info)
    made.created = 1.5
    if fields is not None:
        made.fields = fields  # what extra={"fields": ...} does
    return made


def test_lines_for_people_carry_no_passwords() -> None:
    assert (
        TextLines("%(message)s").format(record("opened %s", "rtsp://me:secret@cam/1")) == "opened rtsp://me:***@cam/1"
    )


def test_an_object_has_time_level_logger_and_message() -> None:
    line = JsonLines().format(record("opened %s\n", 'a "b"\nc'))

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:01.500Z",
        "level": "warning",
        "logger": "pipeline.x",
        "message": 'opened a "b"\nc',
    }


def test_fields_are_members_and_do_not_hide_others() -> None:
    fields = {
        "stream": "door",
        "url": "rtsp://me:secret@h",
        "rtsp://me:secret@h": 1,
        "time": "never",
        "count": 3,
        "age_s": float("nan"),
        "path": Path("a/b"),
        "list": ("x", {"y": None}),
        "set": {"b", "a"},
    }

    told = json.loads(JsonLines().format(record("lost", fields=fields)))

    assert {name: told[name] for name in told if name not in ("level", "logger", "message")} == {
        "time": "1970-01-01T00:00:01.500Z",
        "stream": "door",
        "url": "rtsp://me:***@h",
        "rtsp://me:***@h": 1,
        "count": 3,
        "age_s": "nan",
        "path": "a/b",
        "list": ["x", {"y": None}],
        "set": ["a", "b"],
    }


def test_exceptions_are_text_without_passwords() -> None:
    try:
        raise ValueError("rtsp://me:secret@h is none")
    except ValueError:
        told = json.loads(JsonLines().format(record("failed", exc_info=sys.exc_info())))

    assert told["exception"].startswith("Traceback") and told["exception"].endswith(
        "ValueError: rtsp://me:***@h is none"
    )


def test_half_a_character_is_no_end() -> None:
    assert json.loads(JsonLines().format(record("a\ud800b")))["message"] == "a\ud800b"


def test_times_are_utc() -> None:
    assert rfc3339(1763700000.123456) == "2025-11-21T04:40:00.123Z"


def test_what_is_told_is_a_line_or_an_object(as_json: None, capsys: pytest.CaptureFixture[str]) -> None:
    log_format.tell("\nrtsp://me:secret@h", logging.ERROR)
    told = json.loads(capsys.readouterr().err)
    log_format._voice.kind = "text"
    log_format.tell("\nrtsp://me:secret@h")

    assert (told["level"], told["logger"], told["message"]) == ("error", "gazegraph", "rtsp://me:***@h")
    assert capsys.readouterr().err == "\nrtsp://me:***@h\n"


def test_in_json_all_of_standard_error_is_json() -> None:
    """Also what Python writes itself: warnings, and exceptions that end a thread or the program."""
    code = """
import logging, threading, warnings
from cli.log_format import set_up, tell
set_up("json")
logging.getLogger("a").info("opened", extra={"fields": {"stream": "door"}})
tell("told")
warnings.warn("rtsp://me:secret@h")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise SystemError("end")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["level"], line["logger"]) for line in lines] == [
        ("info", "a"),
        ("info", "gazegraph"),
        ("warning", "py.warnings"),
        ("critical", "gazegraph"),
        ("critical", "gazegraph"),
    ]
    assert lines[0]["stream"] == "door" and "rtsp://me:***@h" in lines[2]["message"]
    assert [line["exception"].splitlines()[-1] for line in lines[3:]] == [
        "ZeroDivisionError: division by zero",
        "SystemError: end",
    ]
