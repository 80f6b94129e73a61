"""A camera for tests: H.264 over RTSP, RTP in the same TCP connection (RFC 7826, RFC 6184); it hangs up at the end."""

from __future__ import annotations

import base64
import re
import socket
import struct
import threading
from pathlib import Path
from types import TracebackType

TICKS_PER_FRAME = 3600
"""25 frames a second on RTP's clock for video, 90 kHz."""
LARGEST = 1400
"""Bytes of a NAL unit that travel in one packet; larger ones are cut."""


class RtspServer:
    """Serves a raw H.264 file, one slice a frame, once to every client; after `frames` of them it goes silent."""

    def __init__(self, clip: Path, frames: int | None = None) -> None:
        self._nals = [nal for nal in re.split(rb"\x00{2,3}\x01", clip.read_bytes()) if nal]
        self._frames = frames
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self.url = f"rtsp://me:secret@127.0.0.1:{self._socket.getsockname()[1]}/door"

    def __enter__(self) -> RtspServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for client in self._clients:
            client.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = self._socket.accept()
                self._clients.append(client)
                with client, client.makefile("rb") as lines:
                    self._serve(client, lines)
            except OSError:
                continue

    def _serve(self, client: socket.socket, lines: socket.SocketIO) -> None:
        while request := lines.readline().decode():
            method, number = request.split(" ")[0], "0"
            while (line := lines.readline().decode().strip()) != "":
                number = line.split(":")[1].strip() if line.lower().startswith("cseq") else number
            body = self._description() if method == "DESCRIBE" else ""
            extra = {
                "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
                "DESCRIBE": "Content-Type: application/sdp\r\n",
                "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
                "PLAY": "Range: npt=0.000-\r\n",
            }.get(method, "")
            head = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 1\r\n{extra}Content-Length: {len(body)}\r\n\r\n"
            client.sendall((head + body).encode())
            if method == "PLAY":
                self._play(client)
                return

    def _description(self) -> str:
        sets = ",".join(base64.b64encode(nal).decode() for nal in self._nals if nal[0] & 31 in (7, 8))
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=door\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track0\r\n"
        )

    def _play(self, client: socket.socket) -> None:
        sent, frame = 0, 0
        for nal in self._nals:
            ends_frame = nal[0] & 31 in (1, 5)
            for payload, last in _payloads(nal):
                rtp = struct.pack(
                    "!BBHII", 0x80, 96 | (last and ends_frame) << 7, sent & 0xFFFF, frame * TICKS_PER_FRAME, 7
                )
                client.sendall(b"$\0" + struct.pack("!H", len(rtp) + len(payload)) + rtp + payload)
                sent += 1
            frame += ends_frame
            if frame == self._frames:
                self._stopped.wait(10)
                return


def _payloads(nal: bytes) -> list[tuple[bytes, bool]]:
    """Return the packets of a NAL unit and whether each is the last."""
    if len(nal) <= LARGEST:
        return [(nal, True)]
    pieces = [nal[at : at + LARGEST] for at in range(1, len(nal), LARGEST)]
    marks = [0x80 * (at == 0) | 0x40 * (at == len(pieces) - 1) for at in range(len(pieces))]
    head = nal[0] & 0xE0 | 28
    return [
        (bytes([head, mark | nal[0] & 31]) + piece, mark & 0x40 > 0) for piece, mark in zip(pieces, marks, strict=True)
    ]
