"""Ask the HTTP API of a running graph: over TCP or a Unix socket, with the token, following no redirects."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.control.address import UNIX, Address, parse_address
from pipeline.errors import ConfigError, PipelineError
from pipeline.urls import redact

TIMEOUT_S = 30.0
MAX_BYTES = 64 << 20
"""Of an answer."""


class NoAnswerError(PipelineError):
    """A running graph could not be asked."""


@dataclass(frozen=True)
class Answer:
    """What a graph answered."""

    status: int
    content: Any
    """JSON as it was read; None where there was none."""

    @property
    def ok(self) -> bool:
        """Tell whether it was done."""
        return 200 <= self.status < 300

    def reasons(self) -> list[str]:
        """Return why not, one sentence each."""
        told = self.content.get("reasons") if isinstance(self.content, dict) else None
        return [str(reason) for reason in told] if isinstance(told, list) and told else [f"HTTP status {self.status}"]


class Client:
    """Asks one graph."""

    def __init__(self, at: str, token: str | None) -> None:
        """Take `[HOST:]PORT`, `http://...`, `https://...` or `unix:PATH`, and the token to show.

        Raises:
            ConfigError: the address is none of these.
        """
        self._at = at
        self._token = token
        self._connection = _connection(at)

    def ask(self, method: str, path: str, content: Any = None) -> Answer:
        """Send a request and return its answer, errors too.

        Raises:
            NoAnswerError: nobody answers there, or something else than a graph.
        """
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        body = None
        if content is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(content, allow_nan=False).encode("ascii")
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            answered = response.read(MAX_BYTES)
        except (ConnectionRefusedError, FileNotFoundError):
            raise NoAnswerError(
                f"{redact(self._at)}: expected a graph, got nobody who listens; start it with --serve, or say where it "
                "is served: ctl --at HOST:PORT"
            ) from None
        except (OSError, HTTPException) as error:
            raise NoAnswerError(
                f"{redact(self._at)}: expected an answer from a graph, got: {error or type(error).__name__}; "
                "check the address"
            ) from None
        finally:
            self._connection.close()
        try:
            return Answer(response.status, json.loads(answered) if answered else None)
        except ValueError:
            raise NoAnswerError(
                f"{redact(self._at)}: expected a graph, got another HTTP server (status {response.status}); "
                "check the address"
            ) from None


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


def _connection(at: str) -> HTTPConnection:
    """Return a connection that is not made yet.

    Raises:
        ConfigError: the address is none.
    """
    if "://" not in at:
        address = parse_address(at, "--at")
        return UnixConnection(address.path) if address.path else _plain(address)
    try:
        parts = urlsplit(at)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query or parts.username:
        raise ConfigError(
            f"--at: expected http://HOST:PORT, https://HOST:PORT, [HOST:]PORT or {UNIX}PATH, got {redact(at)!r}"
        )
    if parts.scheme == "https":
        return HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    return _plain(Address(host, port or 80))


def _plain(address: Address) -> HTTPConnection:
    return HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
