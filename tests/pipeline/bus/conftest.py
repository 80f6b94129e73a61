"""Where tests of the bus publish, and what is closed after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from pipeline.bus.keeper import Keeper
from tests.pipeline.bus.fake_publisher import FakePublisher
from tests.pipeline.bus.sockets import Bench


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/bus"


@pytest.fixture
def publisher(endpoint: str) -> Iterator[FakePublisher]:
    """A publisher whose faults are ordered."""
    with FakePublisher(endpoint) as publisher:
        yield publisher


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log is to be."""
    return tmp_path / "events.db"


@pytest.fixture
def opened() -> Iterator[list[Keeper]]:
    """Take keepers that are closed after the test."""
    made: list[Keeper] = []
    yield made
    for one in made:
        one.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Publishers and sockets that are closed after the test."""
    with zmq.Context() as context:
        context.linger = 0
        made = Bench(tmp_path, context)
        yield made
        made.close()
