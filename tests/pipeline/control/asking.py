"""Ask a served run, as any client would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

from pipeline.control.address import Address


@dataclass(frozen=True)
class Told:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(at: Address, method: str, path: str, content: Any = None, body: bytes | None = None, **headers: str) -> Told:
    """Send a request; `content` goes as JSON, `body` as it is; headers are written with _ for -."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if content is not None:
        body = json.dumps(content).encode()
        sent = {"Content-Type": "application/json"} | sent
    connection = HTTPConnection(at.host, at.port, timeout=10)
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return Told(response.status, response.headers, response.read())
    finally:
        connection.close()
