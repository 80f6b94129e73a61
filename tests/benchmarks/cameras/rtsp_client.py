"""A client for tests that sees what the camera sends, byte by byte."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

PATIENCE_S = 5.0


@dataclass(frozen=True)
class Packet:
    marked: bool
    sequence: int
    timestamp: int
    payload: bytes


@dataclass(frozen=True)
class Report:
    """Of RTCP: `kind` 200 is a sender report, 203 a goodbye."""

    kind: int
    unix_s: float
    timestamp: int


class RtspClient:
    """Talks to one camera; `packets()` ends when the camera hangs up, and with `TimeoutError` when it goes silent."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.url = f"rtsp://{parts.hostname}:{parts.port}{parts.path}"
        self.socket = socket.create_connection((parts.hostname, parts.port), patience_s)
        self._stream = self.socket.makefile("rb")
        self._number = 0

    def __enter__(self) -> RtspClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self.socket.close()

    def ask(self, method: str, extra: str = "", below: str = "") -> tuple[int, str]:
        """Return the status of the answer, and all of it as text."""
        self._number += 1
        self.socket.sendall(f"{method} {self.url}{below} RTSP/1.0\r\nCSeq: {self._number}\r\n{extra}\r\n".encode())
        head = b"".join(iter(self._stream.readline, b"\r\n")).decode()
        length = re.search(r"Content-Length: (\d+)", head)
        assert f"CSeq: {self._number}\r\n" in head
        return int(head.split(" ")[1]), head + self._stream.read(int(length[1]) if length else 0).decode()

    def play(self) -> str:
        """Ask for frames and return the answer."""
        assert self.ask("DESCRIBE")[0] == 200
        assert self.ask("SETUP", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "/track0")[0] == 200
        status, answer = self.ask("PLAY")
        assert status == 200
        return answer

    def received(self) -> Iterator[Packet | Report]:
        while len(head := self._stream.read(4)) == 4:
            data = self._stream.read(int.from_bytes(head[2:], "big"))
            if len(data) < int.from_bytes(head[2:], "big"):
                return
            if head[1] == 1:
                kind, seconds, fraction, timestamp = struct.unpack("!xBxxxxxxIII", data[:20].ljust(20, b"\0"))
                yield Report(kind, seconds - 2_208_988_800 + fraction / 2**32, timestamp)
            elif head[1] == 0:
                mark, sequence, timestamp = struct.unpack("!xBHI", data[:8])
                yield Packet(mark > 127, sequence, timestamp, data[12:])

    def packets(self) -> Iterator[Packet]:
        return (packet for packet in self.received() if isinstance(packet, Packet))

    def frames(self) -> Iterator[list[Packet]]:
        """Yield the packets of each complete frame."""
        frame: list[Packet] = []
        for packet in self.packets():
            frame.append(packet)
            if packet.marked:
                yield frame
                frame = []


def is_key(frame: list[Packet]) -> bool:
    """Tell whether the frame has the parameters of H.264."""
    return any(packet.payload[0] & 31 == 7 for packet in frame)
