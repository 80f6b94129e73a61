"""Where the HTTP API listens: an address as it is written, and who can reach it."""

from __future__ import annotations

import socket
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from pipeline.errors import ConfigError

LOOPBACK = "127.0.0.1"
PORT = 8700
UNIX = "unix:"
WAITING = 64
"""Connections that may wait to be taken."""


@dataclass(frozen=True)
class Address:
    """A place to listen at or to connect to: a host and a port, or the path of a Unix socket."""

    host: str = LOOPBACK
    port: int = PORT
    path: Path | None = None
    """Of a Unix socket; None for TCP."""

    def __str__(self) -> str:
        if self.path:
            return f"{UNIX}{self.path}"
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Tell whether only this machine reaches it."""
        return self.path is not None or is_loopback(self.host)

    def listen(self) -> socket.socket:
        """Return a socket that listens; port 0 takes any that is free.

        Raises:
            ConfigError: the address is taken, or is none of this machine's.
        """
        try:
            return self._unix() if self.path else self._tcp()
        except OSError as error:
            cure = "choose another" if self.path else f"choose another, such as --serve {self.port % 65535 + 1}"
            raise ConfigError(
                f"--serve {self}: expected a free address, got: {error.strerror or error}; {cure}"
            ) from None

    def _tcp(self) -> socket.socket:
        host = LOOPBACK if self.host == "localhost" else self.host
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(WAITING)
        except OSError:
            listening.close()
            raise
        return listening

    def _unix(self) -> socket.socket:
        assert self.path is not None
        _remove_dead(self.path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self.path))
            self.path.chmod(0o600)  # before it listens: until then nobody can connect
            listening.listen(WAITING)
        except OSError:
            listening.close()
            raise
        return listening


def parse_address(text: str, option: str = "--serve") -> Address:
    """Return the address that `PORT`, `HOST`, `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH` stands for.

    Raises:
        ConfigError: it is none of these.
    """
    if text.startswith(UNIX) and len(text) > len(UNIX):
        return Address(path=Path(text.removeprefix(UNIX)))
    if text.isdecimal():
        return Address(port=_port(text, text, option))
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(PORT)
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not host or any(c in host for c in "/@ ?#[]") or (":" in host and not _is_ip(host)):
        raise ConfigError(
            f"{option}: expected [HOST:]PORT or unix:PATH, got {text!r}; write for example {option} {PORT}"
        )
    return Address(host, _port(port, text, option))


def is_loopback(host: str) -> bool:
    """Tell whether a host, as it is written, is this machine alone; names other than `localhost` are not."""
    return ip_address(host).is_loopback if _is_ip(host) else host.lower() == "localhost"


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _port(text: str, whole: str, option: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < 65536):
        raise ConfigError(
            f"{option}: expected a port from 0 to 65535, got {whole!r}; write for example {option} {PORT}"
        )
    return int(text)


def _remove_dead(path: Path) -> None:
    """Remove the socket of a run that is no more; leave everything else, so that binding fails.

    Raises:
        OSError: it cannot be looked at or removed.
    """
    if not (path.exists() and stat.S_ISSOCK(path.stat().st_mode)):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
