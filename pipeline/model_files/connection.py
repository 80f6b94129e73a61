"""Ask a web server for a file, or for the rest of one: through proxies, and never sent on to where it is not safe."""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote

from pipeline.errors import FetchError
from pipeline.model_files.addresses import may_follow, split
from pipeline.urls import redact

RANGE = re.compile(r"bytes (?P<first>\d+)-\d+/(?P<total>\d+|\*)")


@dataclass(frozen=True)
class Answer:
    """What a server said, before the bytes that it sends.

    Attributes:
        status: HTTP's number.
        begin: place in the file of the first byte that follows.
        total: bytes of the whole file; None where it does not tell.
        validator: what it calls this version of the file; None where it has no name that can be relied on.
        again_s: seconds to wait, where it asks for that.
        marked_end: whether it can be told that all bytes came.
    """

    status: int
    begin: int
    total: int | None
    validator: str | None
    again_s: float | None
    marked_end: bool
    body: Any

    def read(self, most: int) -> bytes:
        """Return bytes as they come, at most so many; none at the end, or where the connection was cut."""
        read: bytes = self.body.read1(most)
        return read

    def close(self) -> None:
        """Hang up."""
        self.body.close()


def ask(url: str, begin: int, validator: str | None, timeout_s: float, plain_http: bool = False) -> Answer:
    """Ask for a file from some byte on.

    Proxies are those of the environment variables https_proxy, http_proxy and no_proxy, and certificates are checked
    with those of this machine, or of SSL_CERT_FILE.

    Args:
        url: an address that was found good; may hold a user and a password.
        begin: bytes that are here already.
        validator: the version that they are of.
        timeout_s: seconds to wait for a connection, and for each piece of an answer.
        plain_http: whether the server may send us on to other hosts without encryption.

    Raises:
        FetchError: it sends us on to where nothing is fetched from, or sends the file in another coding.
        OSError: there is no connection, or it broke.
        http.client.HTTPException: the server does not speak HTTP as it should.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))),
        urllib.request.HTTPDefaultErrorHandler(),
        _Onward(url, plain_http),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    try:
        body = opener.open(_request(url, begin, validator), timeout=timeout_s)
    except HTTPError as refusal:
        body = refusal
    return _answer(url, body)


@cache
def _trust(*_: str | None) -> ssl.SSLContext:
    """Return who is trusted; reading the authorities of a machine takes as long as a small file."""
    return ssl.create_default_context()


def goes_through_proxy(url: str) -> bool:
    """Tell whether the environment has a proxy for an address."""
    parts = split(url)
    if parts is None or parts.scheme.lower() not in urllib.request.getproxies():
        return False
    return not urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2])


def _request(url: str, begin: int, validator: str | None) -> urllib.request.Request:
    parts = split(url)
    assert parts is not None
    request = urllib.request.Request(_without_user(parts))
    request.add_header("User-Agent", "gazegraph")
    request.add_header("Accept-Encoding", "identity")  # what is counted and checked is the file itself
    if begin:
        request.add_header("Range", f"bytes={begin}-")
        if validator:
            request.add_header("If-Range", validator)
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        # Not sent on to other servers.
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(secret).decode()}")
    return request


def _answer(url: str, body: Any) -> Answer:
    headers = body.headers
    coding = headers.get("Content-Encoding", "identity")
    if body.status < 300 and coding != "identity":
        body.close()
        raise FetchError(f"{redact(url)}: expected the file as it is, got it in the coding {coding!r}; tell its keeper")
    length = _whole(headers.get("Content-Length"))
    begin, total = 0, length
    if body.status == 206:
        part = RANGE.fullmatch(headers.get("Content-Range", ""))
        if part is None:
            body.close()
            raise FetchError(f"{redact(url)}: expected to be told which bytes come, got a part of unknown place")
        begin, total = int(part["first"]), _whole(part["total"])
        if total is None and length is not None:
            total = begin + length
    return Answer(
        status=body.status,
        begin=begin,
        total=total,
        validator=_validator(headers),
        again_s=float(again) if (again := _whole(headers.get("Retry-After"))) is not None else None,
        marked_end=length is not None or headers.get("Transfer-Encoding", "").lower() == "chunked",
        body=body,
    )


def _validator(headers: Mapping[str, str]) -> str | None:
    """Return what tells versions of a file apart byte by byte: a strong tag, or the time of its last change."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') and len(tag) < 500 else headers.get("Last-Modified", "")[:100] or None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else None


def _without_user(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class _Onward(urllib.request.HTTPRedirectHandler):
    """Follows a server that sends us on, unless what began securely would go on in the open."""

    def __init__(self, url: str, plain_http: bool) -> None:
        self._url = url
        self._plain_http = plain_http

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to the next server.

        Raises:
            FetchError: it is not asked.
        """
        if not may_follow(req.full_url, newurl, self._plain_http):
            fp.close()
            raise FetchError(
                f"{redact(self._url)}: expected to be sent on to an https address, got {redact(newurl)!r}; "
                "it is not followed, because others could change the file on its way"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)
