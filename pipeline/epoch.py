"""Moments of the wall clock as whole nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ns(moment: datetime | None) -> int:
    """Return a moment in ns since 1970-01-01T00:00:00Z, exactly; None is 0, a moment without a time zone is UTC."""
    if moment is None:
        return 0
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return since // timedelta(microseconds=1) * 1000
