"""What a subscriber heard, and what was said about it."""

from __future__ import annotations

import pytest

from pipeline.bus.client import Subscriber
from pipeline.bus.starts import Resume


def until(subscriber: Subscriber, last: str) -> list[str]:
    """Return the ids of all messages up to one."""
    ids: list[str] = []
    while ids[-1:] != [last]:
        ids.append(next(subscriber).headers.id)
    return ids


def taken(*ids: str) -> Resume:
    return Resume(tuple((id, id.encode()) for id in ids), lambda message: message.data)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def another_log(endpoint: str) -> str:
    return (
        f"{endpoint}: expected the log of before, got another one, or an earlier state of it; going on with its first "
        "event: events may come again, or tell otherwise"
    )
