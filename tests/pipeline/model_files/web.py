"""A web server, and a proxy, on this machine, that misbehave as told."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.cameras.tls import self_signed


@dataclass
class Served:
    """A file of the server, and what goes wrong with it."""

    content: bytes = b""
    tag: str | None = None
    """Its ETag; None: that of the content; empty: none is told."""
    ranges: bool = True
    """Whether parts are given."""
    checks_version: bool = True
    """Whether the version that the asker has a part of is looked at."""
    cuts: list[int] = field(default_factory=list)
    """After how many bytes each of the first answers is cut."""
    statuses: list[int] = field(default_factory=list)
    """What the first answers are instead."""
    onward: str | None = None
    """Where the asker is sent."""
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    """Whether it is told how large the file is."""
    chunked: bool = False
    held: threading.Event | None = None
    """What is waited for before the second half of the content."""

    @property
    def told_tag(self) -> str:
        return f'"{hashlib.md5(self.content).hexdigest()}"' if self.tag is None else self.tag


@dataclass
class Web:
    """A server with its files by path, and what it was asked."""

    port: int = 0
    secure: bool = False
    files: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    certificate: Path | None = None

    def url(self, path: str) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}/{path}"

    def serve(self, path: str, content: bytes = b"", **how: Any) -> Served:
        self.files[f"/{path}"] = Served(content, **how)
        return self.files[f"/{path}"]

    def ranges(self) -> list[str]:
        """Return what parts were asked for, in order."""
        return [headers.get("Range", "all") for _, headers in self.asked]


@contextmanager
def web(folder: Path | None = None) -> Iterator[Web]:
    """Serve; with a folder, securely, with a certificate that is made in it."""
    site = Web(secure=folder is not None)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers.items())))
            answer(self, site.files.get(self.path))

        def log_message(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    if folder is not None:
        server.socket = self_signed(folder).wrap_socket(server.socket, server_side=True)
        site.certificate = folder / "certificate.pem"
    site.port = server.server_address[1]
    with running(server):
        yield site


def answer(handler: BaseHTTPRequestHandler, file: Served | None) -> None:
    handler.close_connection = True
    if file is None or file.statuses:
        status = file.statuses.pop(0) if file else 404
        handler.send_response(status)
        for name, value in file.headers.items() if file else ():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    if file.onward is not None:
        handler.send_response(302)
        handler.send_header("Location", file.onward)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    begin = _begin(handler, file)
    size = len(file.content)
    if begin and begin >= size:
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{size}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if begin else 200)
    if begin:
        handler.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
    if file.told_tag:
        handler.send_header("ETag", file.told_tag)
    for name, value in file.headers.items():
        handler.send_header(name, value)
    if file.chunked:
        handler.send_header("Transfer-Encoding", "chunked")
    elif file.length:
        handler.send_header("Content-Length", str(size - begin))
    handler.end_headers()
    _send(handler, file, begin)


def _begin(handler: BaseHTTPRequestHandler, file: Served) -> int:
    """Return the first byte to send, as the request wants it and the version lets it."""
    wanted = handler.headers.get("Range", "bytes=0-")
    known = handler.headers.get("If-Range")
    same = known in (None, file.told_tag, file.headers.get("Last-Modified"))
    if not file.ranges or (file.checks_version and not same):
        return 0
    return int(wanted.removeprefix("bytes=").removesuffix("-"))


def _send(handler: BaseHTTPRequestHandler, file: Served, begin: int) -> None:
    body = file.content[begin:]
    if file.chunked:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    if file.cuts:
        body = body[: file.cuts.pop(0)]
    half = len(body) // 2 if file.held else 0
    handler.wfile.write(body[:half])
    handler.wfile.flush()
    if file.held:
        file.held.wait(20)
    handler.wfile.write(body[half:])


@contextmanager
def proxy() -> Iterator[Web]:
    """Give a proxy: for secure addresses a tunnel, for others it asks in our place."""
    site = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            site.asked.append((self.path, dict(self.headers.items())))
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port)), 5) as there:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pour, args=(there, self.connection), daemon=True)
                back.start()
                _pour(self.connection, there)
                back.join(5)
            self.close_connection = True

        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers.items())))
            answer(self, site.files.get(self.path))

        def log_message(self, *_: object) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    with running(server):
        yield site


def _pour(source: socket.socket, into: socket.socket) -> None:
    try:
        while block := source.recv(65536):
            into.sendall(block)
        into.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
