"""Coded pictures as RTP packets inside an RTSP connection (RFC 3550, 6184, 7798; RFC 7826 section 14)."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.cameras.clips import Clip, Codec, Unit

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
SSRC = 0x6761_7A65
LARGEST = 1400
"""Bytes of a NAL unit that travel in one packet; larger ones are cut."""
HEADER = 4 + 12
"""Bytes before the payload of a packet: `$`, channel, length; then RTP's own."""
_SEQUENCE_AT = 4 + 2
_NTP_EPOCH_S = 2_208_988_800
"""1970 on the clock of sender reports, which counts from 1900."""


@dataclass(frozen=True)
class Packets:
    """One picture, ready to be sent but for sequence numbers and time."""

    data: bytes
    """Packets one after another."""
    starts: tuple[int, ...]
    """Where each begins."""
    is_key: bool

    def stamped(self, sequence: int, timestamp: int) -> bytearray:
        """Return the packets with rising sequence numbers from `sequence` on, and one time."""
        sent = bytearray(self.data)
        for index, start in enumerate(self.starts):
            struct.pack_into("!HI", sent, start + _SEQUENCE_AT, (sequence + index) & 0xFFFF, timestamp & 0xFFFF_FFFF)
        return sent

    def ends(self) -> tuple[int, ...]:
        """Return where each packet ends."""
        return (*self.starts[1:], len(self.data))


def packetise(unit: Unit, codec: Codec) -> Packets:
    """Cut a picture into packets; the last one is marked."""
    payloads = [payload for nal in unit.nals for payload in _payloads(nal, codec)]
    return _packets(payloads, unit.is_key)


def without_end(unit: Unit, codec: Codec, part: int) -> Packets:
    """Return a packet of one picture that never ends: its start if `part` is 0, else more of its middle."""
    largest = max(unit.nals, key=len)
    longest = (largest * (1 + 2 * LARGEST // len(largest)))[: 2 * LARGEST]
    payload = _payloads(longest, codec)[0]
    if part:
        head = 2 if codec == "h264" else 3
        payload = payload[: head - 1] + bytes([payload[head - 1] & 0x7F]) + payload[head : head + 100]
    marked = _packets([payload], is_key=False)
    data = bytearray(marked.data)
    data[5] &= 0x7F
    return Packets(bytes(data), marked.starts, is_key=False)


def description(clip: Clip, name: str) -> str:
    """Return what DESCRIBE answers with: the session description of a clip (RFC 4566)."""
    if clip.codec == "h264":
        sets = [nal for nal in clip.units[0].nals if nal[0] & 31 in (7, 8)]
        coding, format_line = "H264", f"packetization-mode=1;sprop-parameter-sets={_listed(sets)}"
    else:
        kinds = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
        by_kind = {kinds[kind]: nal for nal in clip.units[0].nals if (kind := nal[0] >> 1 & 63) in kinds}
        coding, format_line = "H265", ";".join(f"{key}={_listed([nal])}" for key, nal in by_kind.items())
    return (
        f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns={name}\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\na=range:npt=0-\r\n"
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} {coding}/{CLOCK_HZ}\r\n"
        f"a=fmtp:{PAYLOAD_TYPE} {format_line}\r\na=control:track0\r\n"
    )


def sender_report(unix_s: float, timestamp: int, packets: int, octets: int) -> bytes:
    """Return a sender report on channel 1: the wall clock that belongs to a time of the stream."""
    seconds = int(unix_s)
    fraction = int((unix_s - seconds) * 2**32)
    report = struct.pack(
        "!BBHIIIIII", 0x80, 200, 6, SSRC, (seconds + _NTP_EPOCH_S) & 0xFFFF_FFFF, fraction, timestamp & 0xFFFF_FFFF,
        packets & 0xFFFF_FFFF, octets & 0xFFFF_FFFF,
    )  # fmt: skip
    name = struct.pack("!BBHI", 0x81, 202, 3, SSRC) + b"\x01\x05clock\0"  # who sends: RTCP asks for it
    return _on_channel_1(report + name)


def goodbye() -> bytes:
    """Return what says on channel 1 that the stream ended for good."""
    return _on_channel_1(struct.pack("!BBHI", 0x80, 201, 1, SSRC) + struct.pack("!BBHI", 0x81, 203, 1, SSRC))


def _listed(nals: Sequence[bytes]) -> str:
    return ",".join(base64.b64encode(nal).decode() for nal in nals)


def _on_channel_1(rtcp: bytes) -> bytes:
    return b"$\x01" + struct.pack("!H", len(rtcp)) + rtcp


def _packets(payloads: Sequence[bytes], is_key: bool) -> Packets:
    data, starts = bytearray(), []
    for index, payload in enumerate(payloads):
        starts.append(len(data))
        marker = 0x80 * (index == len(payloads) - 1)
        data += b"$\0" + struct.pack("!HBBHII", 12 + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, SSRC) + payload
    return Packets(bytes(data), tuple(starts), is_key)


def _payloads(nal: bytes, codec: Codec) -> list[bytes]:
    """Return a NAL unit as it is, or in fragments (FU-A, FU)."""
    if len(nal) <= LARGEST:
        return [nal]
    if codec == "h264":
        head, kind, body = bytes([nal[0] & 0xE0 | 28]), nal[0] & 31, nal[1:]
    else:
        head, kind, body = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63, nal[2:]
    return [head + bytes([mark | kind]) + piece for mark, piece in _pieces(body)]


def _pieces(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the parts of a NAL unit, each with its mark: the first one or the last one."""
    for at in range(0, len(body), LARGEST):
        yield 0x80 * (at == 0) | 0x40 * (at + LARGEST >= len(body)), body[at : at + LARGEST]
