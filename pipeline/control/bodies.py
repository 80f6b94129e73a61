"""What comes with a request: JSON of a bounded size, read within a bounded time, taken apart without surprises."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from pipeline.control.problems import JSON, Problem

MAX_BYTES = 1 << 20
WITHIN_S = 10.0
"""Seconds that a body may take to come."""


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object that comes with a request.

    Raises:
        Problem: 408 it comes too slowly, 413 it is too large, 415 it is not said to be JSON, 400 it is none, 422 it is
            something else than an object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Problem(415, f"Content-Type: expected {JSON}, got {kind!r}")
    try:
        body = await asyncio.wait_for(_read(request), WITHIN_S)
    except TimeoutError:
        raise Problem(408, f"body: expected all of it within {WITHIN_S:.0f} s") from None
    except ClientDisconnect:
        raise Problem(400, "body: expected all of it, got a part") from None
    try:
        read = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Problem(400, f"body: expected JSON, got something else: {why}") from None
    if not isinstance(read, dict):
        raise Problem(422, f"body: expected an object, got {_kind(read)}")
    return read


async def _read(request: Request) -> bytes:
    """Return the body.

    Raises:
        Problem: it is too large.
    """
    too_large = Problem(413, f"body: expected at most {MAX_BYTES} bytes", headers={"Connection": "close"})
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or len(said) > 12 or int(said) > MAX_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise too_large
    return bytes(body)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key!r} is given twice")
        made[key] = value
    return made


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
