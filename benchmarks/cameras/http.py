"""An HTTP server for many cameras and clients on one thread."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath

from benchmarks.cameras.http_camera import BOUNDARY, HttpCamera
from benchmarks.cameras.loop import LoopServer

_TYPES = {
    "ts": "video/mp2t",
    "mjpeg": f"multipart/x-mixed-replace; boundary={BOUNDARY}",
    "hls": "application/vnd.apple.mpegurl",
}


class HttpServer(LoopServer[HttpCamera]):
    """Serves cameras, each under its path, at http://127.0.0.1."""

    def url(self, path: str) -> str:
        """Return the address of a camera."""
        end = ".m3u8" if self.feeds[path].kind == "hls" else ""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/{path}{end}"

    def _protocol(self) -> asyncio.Protocol:
        return _Connection(self)


class _Connection(asyncio.Protocol):
    """One request: an answer that ends, or the stream of a camera."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._camera: HttpCamera | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._server.opened(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.closed(self._transport)
        if self._camera is not None:
            self._camera.clients.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        begun = b"\r\n\r\n" not in self._received
        self._received += data
        if begun and b"\r\n\r\n" in self._received:
            self._answer(self._received.decode("latin-1").split(" ")[1])

    def _answer(self, asked: str) -> None:
        path = PurePosixPath(asked.partition("?")[0])
        camera = self._server.feeds.get(path.parent.name or path.stem)
        if camera is None or camera.missing:
            self._reply("404 Not Found", "text/plain", b"no such camera\n")
            return
        self._camera = camera
        camera.clients[self._transport] = None
        if path.suffix == ".ts":
            held = dict(camera.segments).get(int(path.stem))
            self._reply("200 OK" if held else "404 Not Found", _TYPES["ts"], held or b"")
        elif camera.kind == "hls":
            self._reply("200 OK", _TYPES["hls"], _playlist(camera, path.stem))
        else:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {_TYPES[camera.kind]}\r\nConnection: close\r\n\r\n"
            self._transport.write(head.encode())
            camera.play(self._transport)

    def _reply(self, status: str, kind: str, body: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self._transport.write(head.encode() + body)
        self._transport.close()


def _playlist(camera: HttpCamera, name: str) -> bytes:
    first = camera.segments[0][0] if camera.segments else 0
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{camera.longest_s}"]
    lines += [f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for number, _ in camera.segments:
        lines += [f"#EXTINF:{camera.longest_s:.3f},", f"{name}/{number}.ts"]
    return ("\n".join(lines) + "\n").encode()
