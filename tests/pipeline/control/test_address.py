"""Addresses to listen at: how they are written, and who reaches them."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from pipeline.control.address import Address, is_loopback, parse_address
from pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "address", "shown", "local"),
    [
        ("8700", Address("127.0.0.1", 8700), "http://127.0.0.1:8700", True),
        ("0", Address("127.0.0.1", 0), "http://127.0.0.1:0", True),
        ("localhost:80", Address("localhost", 80), "http://localhost:80", True),
        ("127.8.8.8", Address("127.8.8.8", 8700), "http://127.8.8.8:8700", True),
        ("[::1]:9000", Address("::1", 9000), "http://[::1]:9000", True),
        ("[::1]", Address("::1", 8700), "http://[::1]:8700", True),
        ("0.0.0.0:9000", Address("0.0.0.0", 9000), "http://0.0.0.0:9000", False),
        ("[::]:9000", Address("::", 9000), "http://[::]:9000", False),
        ("shop.example:9000", Address("shop.example", 9000), "http://shop.example:9000", False),
        ("unix:run/g.sock", Address(path=Path("run/g.sock")), "unix:run/g.sock", True),
    ],
)
def test_addresses_are_read(text: str, address: Address, shown: str, local: bool) -> None:
    read = parse_address(text)

    assert (read, str(read), read.is_local) == (address, shown, local)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "[HOST:]PORT or unix:PATH"),
        (":8700", "[HOST:]PORT or unix:PATH"),
        ("http://h:1", "[HOST:]PORT or unix:PATH"),
        ("::1:9000:x", "a port from 0 to 65535"),
        ("a:b:1", "[HOST:]PORT or unix:PATH"),
        ("h:65536", "a port from 0 to 65535"),
        ("h:", "a port from 0 to 65535"),
        ("123456", "a port from 0 to 65535"),
        ("unix:", "a port from 0 to 65535"),
    ],
)
def test_others_are_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text)

    assert str(caught.value) == f"--serve: expected {expected}, got {text!r}; write for example --serve 8700"


def test_a_name_is_not_taken_for_this_machine() -> None:
    assert [is_loopback(host) for host in ("LOCALHOST", "localhost.example", "127.evil.example", "2130706433", "")] == [
        True, False, False, False, False,
    ]  # fmt: skip


def test_a_port_that_is_taken_is_told() -> None:
    with Address(port=0).listen() as first:
        port = first.getsockname()[1]

        with pytest.raises(ConfigError) as caught:
            Address(port=port).listen()

    assert str(caught.value) == (
        f"--serve http://127.0.0.1:{port}: expected a free address, got: Address already in use; choose another, "
        f"such as --serve {port % 65535 + 1}"
    )


def test_a_socket_file_is_its_owners_alone(tmp_path: Path) -> None:
    with Address(path=tmp_path / "s").listen():
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600

        with pytest.raises(ConfigError, match=r"expected a free address, got: Address already in use; choose another$"):
            Address(path=tmp_path / "s").listen()


def test_the_socket_of_a_run_that_died_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "s"))

    with Address(path=tmp_path / "s").listen() as listening:
        assert listening.getsockname() == str(tmp_path / "s")


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")

    with pytest.raises(ConfigError):
        Address(path=tmp_path / "s").listen()

    assert (tmp_path / "s").read_text() == "precious"


def test_open_files_do_not_grow_where_binding_fails() -> None:
    with Address(port=0).listen() as first:
        before = len(os.listdir("/proc/self/fd")) if Path("/proc").exists() else 0
        with pytest.raises(ConfigError):
            Address(port=first.getsockname()[1]).listen()

        assert not before or len(os.listdir("/proc/self/fd")) == before
