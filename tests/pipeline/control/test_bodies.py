"""What comes with a request: JSON, not too large, without surprises."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.bodies import MAX_BYTES
from pipeline.control.server import serving
from tests.pipeline.control.asking import ask, problem
from tests.pipeline.control.fake_run import FakeRun


@pytest.fixture(scope="module")
def at() -> Iterator[Address]:
    with serving(FakeRun(), Access(Address(port=0), None, ready_s=10.0), "1") as address:
        yield address


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "body: expected JSON, got something else: Expecting property name enclosed in double quotes.*"),
        (b"", "body: expected JSON, got something else: Expecting value.*"),
        (b'{"a.b": 1, "a.b": 2}', "body: expected JSON, got something else: the key 'a.b' is given twice"),
        (b'{"a.b": NaN}', "body: expected JSON, got something else: NaN is no number in JSON"),
        (b"\xff\xfe", "body: expected JSON, got something else: .*"),
        (b"[" * 100_000, "body: expected JSON, got something else: nested too deeply"),
        (b'{"a.b": %s}' % (b"9" * 5000), "body: expected JSON, got something else: Exceeds the limit.*"),
    ],
    ids=["cut", "empty", "doubled", "nan", "binary", "deep", "long number"],
)
def test_what_is_no_json_is_refused(body: bytes, reason: str, at: Address) -> None:
    status, title, reasons = problem(ask(at, "PATCH", "/config", body=body, Content_Type="application/json"))

    assert (status, title, len(reasons)) == (400, "Bad Request", 1)
    assert re.fullmatch(reason, reasons[0])


def test_json_that_is_not_said_to_be_json_is_refused(at: Address) -> None:
    told = ask(at, "PATCH", "/config", body=b"{}", Content_Type="text/plain")

    assert problem(told) == (
        415,
        "Unsupported Media Type",
        ["Content-Type: expected application/json, got 'text/plain'"],
    )


def test_half_a_character_comes_back_as_it_came(at: Address) -> None:
    told = ask(at, "PATCH", "/config", body=b'{"a.\\ud800": 1}', Content_Type="application/json; charset=utf-8")

    assert (told.status, told.json) == (200, {"changed": ["a.\ud800"]})


def test_a_large_body_is_refused_before_it_is_read(at: Address) -> None:
    with socket.create_connection((at.host, at.port), timeout=10) as connection:
        head = f"PATCH /config HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MAX_BYTES + 1}\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode())
        answered = connection.recv(1 << 16)

    assert answered.startswith(b"HTTP/1.1 413 ")


def test_a_large_body_of_unknown_length_is_refused(at: Address) -> None:
    with socket.create_connection((at.host, at.port), timeout=10) as connection:
        head = "PATCH /config HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{MAX_BYTES + 1:x}\r\n".encode())
        connection.sendall(b"1" * (MAX_BYTES + 1))
        answered = connection.recv(1 << 16)

    assert answered.startswith(b"HTTP/1.1 413 ")
