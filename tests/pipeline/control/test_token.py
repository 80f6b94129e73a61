"""A token, where one is set: asked for, compared, never told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.server import serving
from tests.pipeline.control.asking import ask
from tests.pipeline.control.fake_run import FakeRun

TOKEN = "0123456789abcdef"
PATHS = ["/streams", "/streams/door", "/status", "/metrics", "/openapi.json", "/nothing"]


@pytest.fixture(scope="module")
def at() -> Iterator[Address]:
    with serving(FakeRun(), Access(Address(port=0), TOKEN, ready_s=10.0), "1") as address:
        yield address


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_told(path: str, at: Address) -> None:
    told = ask(at, "GET", path)

    assert (told.status, told.headers["www-authenticate"]) == (401, 'Bearer realm="gazegraph"')
    assert told.json["reasons"] == [
        "Authorization: expected 'Bearer' and the token that the graph was started with, got none"
    ]


@pytest.mark.parametrize(
    "given", [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer \xe9"]
)
def test_another_token_does_not_do(given: str, at: Address) -> None:
    told = ask(at, "DELETE", "/streams/door", Authorization=given)

    assert told.status == 401 and TOKEN not in told.body.decode()


def test_with_the_token_all_is_open(at: Address) -> None:
    assert ask(at, "GET", "/streams", Authorization=f"Bearer {TOKEN}").status == 200
    assert ask(at, "GET", "/streams", Authorization=f"bearer  {TOKEN} ").status == 200


def test_health_needs_no_token(at: Address) -> None:
    assert ask(at, "GET", "/health/live").status == 200
    assert ask(at, "GET", "/health/ready?stream=door").status == 200
    assert ask(at, "GET", "/health/../streams").status == 401


def test_a_token_is_not_shown_with_what_holds_it() -> None:
    assert TOKEN not in repr(Access(Address(), TOKEN, 10.0))
