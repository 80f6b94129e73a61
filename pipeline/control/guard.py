"""Who gets in: requests for this host, from no web page of others, with the token where one is asked for."""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.control.access import Access
from pipeline.control.address import is_loopback
from pipeline.control.problems import Problem

OPEN = ("/health/live", "/health/ready")
"""These are told without a token: probes have none, and they hold no address."""


class Guard:
    """Stands before the API and turns away who may not ask."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Take what requests go on to, and who may ask."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        try:
            if scope["type"] == "http":
                self._check(Headers(scope=scope), scope["path"])
        except Problem as problem:
            await problem.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, headers: Headers, path: str) -> None:
        """Let a request pass.

        Raises:
            Problem: 400 it is meant for another host, 403 a page of others sends it, 401 it has not the token.
        """
        host = headers.get("host", "")
        if self._access.address.path is None and self._access.address.is_local and not is_loopback(_name(host)):
            # A page of others whose name was made to point here names itself.
            raise Problem(400, f"Host: expected this machine, such as 127.0.0.1, got {host!r:.80}")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise Problem(403, f"Origin: expected none, or {host!r:.80}, got {origin!r:.80}")
        if self._access.token is not None and path not in OPEN:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not _same(given.strip(), self._access.token):
                raise Problem(
                    401,
                    "Authorization: expected 'Bearer' and the token that the graph was started with, got "
                    + ("another one" if given else "none"),
                    headers={"WWW-Authenticate": 'Bearer realm="gazegraph"'},
                )


def _same(given: str, token: str) -> bool:
    """Compare in a time that depends neither on where two tokens differ nor on their lengths."""
    return hmac.compare_digest(sha256(given.encode()).digest(), sha256(token.encode()).digest())


def _name(host: str) -> str:
    """Return the host of a `Host` header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
