"""Packets as RFC 6184 and RFC 7798 want them."""

from __future__ import annotations

import struct

import pytest

from benchmarks.cameras.clips import Unit
from benchmarks.cameras.rtp import Packets, packetise, sender_report

NALS = {"h264": (b"\x67\x01\x02", bytes([0x65]) + bytes(range(256)) * 12),
        "hevc": (b"\x42\x01\x02", b"\x26\x01" + bytes(range(256)) * 12)}  # fmt: skip


def payloads(packets: Packets) -> list[bytes]:
    pieces = [packets.data[start:end] for start, end in zip(packets.starts, packets.ends(), strict=True)]
    assert all(piece[:2] == b"$\0" and struct.unpack("!H", piece[2:4])[0] == len(piece) - 4 for piece in pieces)
    return [piece[16:] for piece in pieces]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_large_unit_is_cut_and_can_be_put_together(codec):
    small, large = NALS[codec]

    whole, *fragments = payloads(packetise(Unit((small, large), True, 0), codec))

    assert whole == small
    assert max(map(len, fragments)) <= 1403
    if codec == "h264":
        assert {fragment[0] for fragment in fragments} == {0x60 | 28}
        kinds, bodies = [fragment[1] for fragment in fragments], [fragment[2:] for fragment in fragments]
        assert kinds == [0x80 | 5, 5, 0x40 | 5]
        assert b"\x65" + b"".join(bodies) == large
    else:
        assert {fragment[:2] for fragment in fragments} == {b"\x62\x01"}
        kinds, bodies = [fragment[2] for fragment in fragments], [fragment[3:] for fragment in fragments]
        assert kinds == [0x80 | 19, 19, 0x40 | 19]
        assert b"\x26\x01" + b"".join(bodies) == large


def test_numbers_rise_and_wrap_and_the_last_packet_is_marked():
    packets = packetise(Unit(NALS["h264"], True, 0), "h264")

    sent = packets.stamped(0xFFFE, 2**32 + 7)

    heads = [struct.unpack("!BBHI", sent[start + 4 : start + 12]) for start in packets.starts]
    assert [(mark > 127, number) for _, mark, number, _ in heads] == [
        (False, 0xFFFE), (False, 0xFFFF), (False, 0), (True, 1)
    ]  # fmt: skip
    assert {(version, mark & 127, time) for version, mark, _, time in heads} == {(0x80, 96, 7)}


def test_a_sender_report_gives_the_wall_clock_of_a_time():
    report = sender_report(1_000.5, 2**32 + 90_000, 3, 4_000)

    assert report[:2] == b"$\x01"
    assert len(report) - 4 == int.from_bytes(report[2:4], "big")
    assert struct.unpack("!BBHIIIIII", report[4:32]) == (
        0x80, 200, 6, 0x67617A65, 2_208_988_800 + 1_000, 2**31, 90_000, 3, 4_000,
    )  # fmt: skip
    assert struct.unpack("!BBH", report[32:36]) == (0x81, 202, 3)
