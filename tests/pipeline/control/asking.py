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


def problem(told: Told) -> tuple[int, str, list[str]]:
    """Return status, title and reasons of an answer that is a problem document."""
    assert told.headers["content-type"] == "application/problem+json"
    assert set(told.json) == {"title", "detail", "reasons"}
    assert told.json["detail"] == "; ".join(told.json["reasons"])
    return told.status, told.json["title"], told.json["reasons"]
