"""What is said on standard error: lines for people or, with `--log json`, one JSON object a line. Without passwords."""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from pipeline.urls import redact

LogKind = Literal["text", "json"]
OWN = ("time", "level", "logger", "message")
"""Members that every line has; fields of the same names give way."""


class TextLines(logging.Formatter):
    """Formats lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or several with an exception."""
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """Formats JSON objects: time, level, logger, message, what `extra={"fields": {...}}` brings, and exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object in one line of ASCII."""
        told: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        told |= {name: value for name, value in getattr(record, "fields", {}).items() if name not in OWN}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(_plain(told))


def rfc3339(unix_s: float) -> str:
    """Return a time as RFC 3339 has it, in UTC with milliseconds."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Voice:
    """How this process speaks: set once the options are known, plain text until then."""

    def __init__(self) -> None:
        self.kind: LogKind = "text"

    def formatter(self) -> logging.Formatter:
        """Return what makes log records into lines."""
        if self.kind == "json":
            return JsonLines()
        return TextLines("\r\x1b[K%(message)s" if sys.stderr.isatty() else "%(message)s")  # wipes the bar of progress


_voice = Voice()


def set_up(kind: LogKind = "text") -> None:
    """Log from INFO on to standard error; with `json`, what Python itself would write there becomes lines, too."""
    _voice.kind = kind
    root = logging.getLogger()
    logging.basicConfig(level=logging.INFO, handlers=[logging.StreamHandler()])  # nothing, the second time
    for handler in root.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setFormatter(_voice.formatter())
    if kind == "json":
        logging.captureWarnings(True)
        sys.excepthook = _uncaught
        threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def is_json() -> bool:
    """Tell whether standard error is for programs."""
    return _voice.kind == "json"


def tell(line: str, level: int = logging.INFO) -> None:
    """Say something to whoever started the program: the line itself, or as a log line where those are JSON."""
    record = logging.LogRecord("gazegraph", level, "", 0, line, None, None)
    print(_voice.formatter().format(record) if is_json() else redact(line), file=sys.stderr)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is not None:
        logging.getLogger("gazegraph").critical("stopped by a mistake of ours", exc_info=(kind, error, trace))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, without passwords."""
    if isinstance(value, dict):
        return {redact(str(key)): _plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(held) for held in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return redact(str(value))
