"""What a run says of itself, as plain data without passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pipeline.errors import UnknownStreamError
from pipeline.status import RunStatus, StreamStatus
from pipeline.suggest import did_you_mean
from pipeline.urls import redact


def of_run(status: RunStatus) -> dict[str, Any]:
    """Return a status as JSON has it."""
    plain: dict[str, Any] = without_passwords(asdict(status))
    return plain


def of_stream(stream: StreamStatus) -> dict[str, Any]:
    """Return what is known of a stream as JSON has it."""
    plain: dict[str, Any] = without_passwords(asdict(stream))
    return plain


def stream_of(status: RunStatus, stream_id: str) -> StreamStatus:
    """Return a stream by its id.

    Raises:
        UnknownStreamError: there is none.
    """
    for stream in status.streams:
        if stream.id == stream_id:
            return stream
    known = [stream.id for stream in status.streams]
    raise UnknownStreamError(
        f"streams.{redact(stream_id)}: expected a stream of this run, got none of that id"
        f"{did_you_mean(stream_id, known, 'streams')}"
    )


def without_passwords(value: Any) -> Any:
    """Return plain data with the passwords of all addresses in it hidden, keys too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): without_passwords(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [without_passwords(held) for held in value]
    return value
