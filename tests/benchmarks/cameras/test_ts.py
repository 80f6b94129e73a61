"""Transport streams as ISO 13818-1 wants them."""

from __future__ import annotations

import pytest

from benchmarks.cameras.clips import Unit
from benchmarks.cameras.ts import SIZE, TsWriter


def packets(data: bytes) -> list[bytes]:
    cut = [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
    assert {len(packet) for packet in cut} == {SIZE}
    assert {packet[0] for packet in cut} == {0x47}
    return cut


def video(data: bytes) -> list[bytes]:
    return [packet for packet in packets(data) if packet[1] & 0x1F == 1 and packet[2] == 0]


def payload(packet: bytes) -> bytes:
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


@pytest.mark.parametrize("length", [1, 140, 150, 151, 152, 153, 154, 155, 334, 335, 336, 337, 338, 339, 5000])
def test_a_picture_is_cut_into_packets_and_can_be_put_together(length):
    nal = bytes(index % 251 + 1 for index in range(length))

    found = b"".join(map(payload, video(TsWriter("h264").frame(Unit((b"\x67\x01", nal), True, 0), 7, 7))))

    assert found[:4] == b"\0\0\1\xe0"
    assert found[9 + found[8] :] == b"\0\0\0\1\x67\x01\0\0\0\1" + nal


def test_packets_are_counted_for_each_of_their_streams():
    writer = TsWriter("h264")
    data = b"".join(writer.frame(Unit((bytes(1000),), index % 2 == 0, index), index, index) for index in range(8))

    for pid in (0, 0x1000, 0x100):
        counts = [packet[3] & 15 for packet in packets(data) if (packet[1] & 0x1F) << 8 | packet[2] == pid]
        assert len(counts) >= 4
        assert counts == [index % 16 for index in range(len(counts))]


def test_times_have_33_bits():
    pts, dts = 2**33 - 1, 1 << 30 | 5 << 15 | 3
    (packet,) = video(TsWriter("hevc").frame(Unit((b"\1",), False, 0), pts, dts))

    assert packet[6:12] == (dts >> 1).to_bytes(4, "big") + bytes([(dts & 1) << 7 | 0x7E, 0])  # the clock
    assert payload(packet)[9:19] == bytes.fromhex("3fffffffff 13000b0007")
