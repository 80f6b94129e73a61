"""Errors as the HTTP API tells them: JSON documents with a title, what happened and the reasons, without passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from pipeline.control.plain import without_passwords
from pipeline.errors import ConfigError, RefusedError, UnknownStreamError

JSON = "application/json"
PROBLEM = "application/problem+json"


class Problem(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, *reasons: str, headers: Mapping[str, str] | None = None) -> None:
        """Take the HTTP status, a sentence for each reason, and headers that the answer needs."""
        super().__init__(*reasons)
        self.status = status
        self.reasons = reasons
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: ConfigError) -> Problem:
        """Return what the refusal of a running graph is told as."""
        status = 404 if isinstance(error, UnknownStreamError) else 409 if isinstance(error, RefusedError) else 400
        return cls(status, *str(error).splitlines())

    def response(self) -> Response:
        """Return the answer."""
        return answer(problem_document(self.status, self.reasons), self.status, self.headers, PROBLEM)


def problem_document(status: int, reasons: Sequence[str]) -> dict[str, Any]:
    """Return the document: `title` is that of the status, `detail` all reasons in one text."""
    title = HTTPStatus(status).phrase
    told = list(reasons) or [title]
    return {"title": title, "detail": "; ".join(told), "reasons": told}


def answer(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None, media_type: str = JSON
) -> Response:
    """Return a response of JSON in ASCII, which holds any text that JSON can bring, without passwords."""
    body = json.dumps(without_passwords(content), allow_nan=False, indent=2).encode("ascii") + b"\n"
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, media_type)
