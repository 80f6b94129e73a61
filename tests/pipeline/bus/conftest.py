"""A publisher whose faults are ordered, and where it publishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.bus.fake_publisher import FakePublisher


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/bus"


@pytest.fixture
def publisher(endpoint: str) -> Iterator[FakePublisher]:
    with FakePublisher(endpoint) as publisher:
        yield publisher
