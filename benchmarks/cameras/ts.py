"""Coded pictures as an MPEG transport stream (ISO 13818-1): one program with one video."""

from __future__ import annotations

import struct
from collections import defaultdict

from benchmarks.cameras.clips import Codec, Unit

SIZE = 188
_PROGRAM_PID, _VIDEO_PID = 0x1000, 0x100
_KIND = {"h264": 0x1B, "hevc": 0x24}
_START_CODE = b"\0\0\0\1"


class TsWriter:
    """Writes one stream; counts its packets, so that a reader sees whether some are missing."""

    def __init__(self, codec: Codec) -> None:
        """Begin a stream."""
        self._counts: defaultdict[int, int] = defaultdict(int)
        programs = struct.pack("!HH", 1, 0xE000 | _PROGRAM_PID)
        video = struct.pack("!HHBHH", 0xE000 | _VIDEO_PID, 0xF000, _KIND[codec], 0xE000 | _VIDEO_PID, 0xF000)
        self._tables = {0: _section(0, programs), _PROGRAM_PID: _section(2, video)}

    def frame(self, unit: Unit, pts: int, dts: int) -> bytes:
        """Return the packets of a picture, key frames with all that a reader needs to begin there.

        Args:
            unit: as it is coded.
            pts: when it is shown, in ticks of 90 kHz.
            dts: when it is decoded.
        """
        packets = []
        if unit.is_key:
            packets += [self._packet(pid, b"\0" + table, True) for pid, table in self._tables.items()]
        head = b"\0\0\1\xe0\0\0\x80\xc0\x0a" + _stamp(3, pts) + _stamp(1, dts)
        data = head + b"".join(_START_CODE + nal for nal in unit.nals)
        clock = struct.pack("!BIH", 0x50 if unit.is_key else 0x10, dts >> 1 & 0xFFFF_FFFF, dts << 15 & 0x8000 | 0x7E00)
        room = SIZE - 4 - 1 - len(clock)
        packets.append(self._packet(_VIDEO_PID, data[:room], True, clock))
        packets += [
            self._packet(_VIDEO_PID, data[at : at + SIZE - 4], False) for at in range(room, len(data), SIZE - 4)
        ]
        return b"".join(packets)

    def _packet(self, pid: int, payload: bytes, begins: bool, field: bytes = b"") -> bytes:
        """Return one packet; what its payload leaves over is filled."""
        count = self._counts[pid]
        self._counts[pid] = (count + 1) % 16
        room = SIZE - 4 - len(payload)
        if pid != _VIDEO_PID:  # tables are filled behind
            return struct.pack("!BHB", 0x47, begins << 14 | pid, 0x10 | count) + payload.ljust(SIZE - 4, b"\xff")
        head = struct.pack("!BHB", 0x47, begins << 14 | pid, (0x30 if room else 0x10) | count)
        if not room:
            return head + payload
        field = field or (b"\0" if room > 1 else b"")
        return head + bytes([room - 1]) + field.ljust(room - 1, b"\xff") + payload


def _stamp(kind: int, ticks: int) -> bytes:
    """Return a time of 33 bits as PES headers have it."""
    high, middle, low = ticks >> 30 & 7, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    return struct.pack("!BHH", kind << 4 | high << 1 | 1, middle << 1 | 1, low << 1 | 1)


def _section(table: int, content: bytes) -> bytes:
    body = struct.pack("!BHHBBB", table, 0xB000 | len(content) + 9, 1, 0xC1, 0, 0) + content
    return body + struct.pack("!I", _checksum(body))


def _checksum(data: bytes) -> int:
    """Return the CRC-32 of MPEG-2."""
    total = 0xFFFF_FFFF
    for byte in data:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1 ^ (0x04C1_1DB7 if total & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return total
