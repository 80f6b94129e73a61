from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.epoch import epoch_ns


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (None, 0),
        (datetime(1970, 1, 1, 0, 0, 1), 1_000_000_000),  # no zone: UTC
        (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
        (datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC), 1_709_251_199_999_999_000),
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), -1_000),
    ],
)
def test_epoch_ns_is_exact(moment: datetime | None, expected: int) -> None:
    assert epoch_ns(moment) == expected
