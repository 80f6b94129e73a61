"""A run that must not copy: what may cross between host and device, and what may not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.cuda.traffic import LARGE_BYTES, Traffic
from pipeline.device import open_device
from pipeline.errors import ConfigError
from pipeline.zero_copy import CopyWatch

PICTURE = 1920 * 1080 * 3 // 2


def said_of(*copies: tuple[Any, Any, int]) -> str:
    traffic = Traffic()
    device: Any = SimpleNamespace(kind="cuda", crossed=traffic.to_dict)
    traffic.count("to_device", "pictures", PICTURE)  # before the run
    errors: list[Exception] = []
    promise = CopyWatch(device, True, errors.append)
    promise.begin()
    for copy in copies:
        traffic.count(*copy)
    for _ in range(2):
        promise.check()
    assert len(errors) < 2  # told once
    return "".join(map(str, errors))


def test_rows_and_tables_may_cross_and_pictures_may_come_to_who_draws() -> None:
    assert not said_of(
        ("decoded", "pictures", PICTURE),
        ("to_device", "tables", 200),
        ("to_host", "values", LARGE_BYTES - 1),
        ("to_host", "pictures", PICTURE),
    )


def test_a_picture_that_goes_to_the_device_is_told_with_its_stage_whatever_its_size() -> None:
    error = said_of(("to_device", "pictures", 100), ("to_device", "pictures", 60))

    assert "got 2 of to device pictures in 'MainThread' (160 bytes in all); the log says why frames" in error


@pytest.mark.parametrize("way", ["to_host", "to_device"])
def test_large_values_must_stay(way: Any) -> None:
    error = said_of((way, "values", LARGE_BYTES), (way, "values", 8))

    assert f"got 1 of {way.replace('_', ' ')} values in 'MainThread' ({LARGE_BYTES + 8} bytes in all)" in error
    assert "a node wants large arrays on the host" in error


def test_it_is_refused_where_nothing_can_cross() -> None:
    with pytest.raises(ConfigError, match=r"engine\.assert_zero_copy: expected the device cuda, got cpu"):
        CopyWatch(open_device("cpu"), True, print)


def test_who_promises_nothing_is_held_to_nothing() -> None:
    errors: list[Exception] = []
    device = SimpleNamespace(kind="cuda", crossed=lambda: {"a: to_device pictures": {"copies": 1, "bytes": 1}})

    for one in (open_device("cpu"), device):
        CopyWatch(one, False, errors.append).check()  # type: ignore[arg-type]

    assert errors == []
