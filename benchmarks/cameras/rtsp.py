"""An RTSP server for many cameras and clients on one thread: RTP inside the TCP connection (RFC 2326, RFC 7826)."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from benchmarks.cameras import digest
from benchmarks.cameras.camera import Camera
from benchmarks.cameras.loop import LoopServer
from benchmarks.cameras.rtp import description

_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_SESSION = "1"


class RtspServer(LoopServer[Camera]):
    """Serves cameras, each under its path, at rtsp://127.0.0.1; with `tls` at rtsps://."""

    def url(self, path: str, user: str | None = None, password: str | None = None) -> str:
        """Return the address of a camera.

        Args:
            path: of the camera.
            user: in place of the camera's own; an empty one for an address without.
            password: in place of the camera's own.
        """
        camera = self.feeds.get(path)
        user = user if user is not None else (camera.user if camera else None)
        password = password if password is not None else (camera.password if camera else None)
        who = f"{quote(user, safe='')}:{quote(password or '', safe='')}@" if user else ""
        scheme = "rtsp" if self._tls is None else "rtsps"
        return f"{scheme}://{who}127.0.0.1:{self.port}/{path}"

    def _protocol(self) -> asyncio.Protocol:
        return _Connection(self)


class RtspCamera(Camera):
    """A camera with a server of its own: `with RtspCamera(clip) as camera: camera.url`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.server = RtspServer()
        self.server.add("door", self)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.stop()

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url("door")


class _Connection(asyncio.Protocol):
    """One client: answers its requests and hands it to the camera it asks for."""

    def __init__(self, server: RtspServer) -> None:
        self._server = server
        self._camera: Camera | None = None
        self._received = bytearray()
        self._nonce = secrets.token_hex(8)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._server.opened(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.closed(self._transport)
        if self._camera is not None:
            self._camera.clients.pop(self._transport, None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._received and (length := self._length()) and length <= len(self._received):
            message = bytes(self._received[:length])
            del self._received[:length]
            if not message.startswith(b"$"):  # reports of what the client received are not read
                self._answer(message.decode("utf-8", "replace"))

    def _length(self) -> int:
        """Return the length of the first message received, or 0 if that is not known yet."""
        if self._received[:1] == b"$":
            return 4 + int.from_bytes(self._received[2:4], "big") if len(self._received) >= 4 else 0
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return 0
        body = re.search(rb"(?i)\r\ncontent-length: *(\d+)", bytes(self._received[:head]))
        return head + 4 + (int(body[1]) if body else 0)

    def _answer(self, request: str) -> None:
        first, *lines = request.split("\r\n")
        method, _, rest = first.partition(" ")
        url = rest.partition(" ")[0]
        said = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        number = said.get("cseq", "0")
        name = PurePosixPath(urlsplit(url).path).parts[1:2]
        camera = self._server.feeds.get(name[0]) if name else None
        if camera is not None and self._camera is None:
            self._camera = camera
            camera.clients[self._transport] = None
        if camera is not None and camera.mute:
            return
        if method == "OPTIONS":
            self._reply(number, extra=f"Public: {_METHODS}\r\n")
        elif camera is None or camera.missing:
            self._reply(number, "404 Not Found")
        elif not self._is_let_in(camera, method, said.get("authorization", "")):
            self._reply(number, "401 Unauthorized", digest.challenge(camera.auth, self._nonce))
        elif method == "DESCRIBE":
            head = f"Content-Base: {url.rstrip('/')}/\r\nContent-Type: application/sdp\r\n"
            self._reply(number, extra=head, body=description(camera.clip, name[0]))
        elif method == "SETUP" and "interleaved" not in said.get("transport", "").lower():
            self._reply(number, "461 Unsupported Transport")
        elif method == "SETUP":
            transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            self._reply(number, extra=f"Session: {_SESSION};timeout=60\r\n{transport}")
        elif method == "PLAY":
            self._play(number, camera, url)
        elif method == "GET_PARAMETER":
            self._reply(number, extra=f"Session: {_SESSION}\r\n")
        elif method == "TEARDOWN":
            self._reply(number)
            self._transport.close()
        else:
            self._reply(number, "501 Not Implemented")

    def _is_let_in(self, camera: Camera, method: str, given: str) -> bool:
        if camera.refuses:
            return False
        if camera.user is None:
            return True
        return digest.is_right(camera.auth, given, method, self._nonce, camera.user, camera.password or "")

    def _play(self, number: str, camera: Camera, url: str) -> None:
        player = camera.play(self._transport)
        first = f"url={url.rstrip('/')}/track0;seq={player.sequence};rtptime={player.time_of(player.first_slot)}"
        info = f"RTP-Info: {first}\r\n" if camera.rtp_info else ""
        self._reply(number, extra=f"Session: {_SESSION}\r\nRange: npt=0.000-\r\n{info}")
        camera.started(player)

    def _reply(self, number: str, status: str = "200 OK", extra: str = "", body: str = "") -> None:
        head = f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
        self._transport.write((head + body).encode())
