"""What one client of a camera is sent: packets with its own numbers and times, and the faults it suffers."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.cameras.rtp import CLOCK_HZ, HEADER, Packets, goodbye, sender_report

if TYPE_CHECKING:
    from benchmarks.cameras.camera import Camera

FULL = 500_000
"""Bytes that may wait for a slow reader, beside what the system holds; then frames are not sent."""
_WRAPS_AFTER_S = 1.0


@dataclass(eq=False)
class Player:
    """Sends a camera's frames to one connection, from one slot on."""

    camera: Camera
    transport: asyncio.Transport
    first_slot: int
    sequence: int
    offset: int = 0
    """Added to all times, in ticks of RTP's clock."""
    wants_key: bool = False
    skipped: int = 0
    """Frames that a slow reader was not sent."""
    _time: int = 0
    _sent_packets: int = 0
    _sent_octets: int = 0
    _next_report_s: float = 0.0
    _unended: int = 0
    _pending: list[str] = field(default_factory=list)
    """What happens with the next frame."""

    def __post_init__(self) -> None:
        if self.camera.wrap:
            self.offset = round(-_WRAPS_AFTER_S * CLOCK_HZ) - self.camera.ticks(self.first_slot)

    def time_of(self, slot: int) -> int:
        """Return the time that is stamped on a slot, before faults that are still to come."""
        return self.camera.ticks(slot) + self.offset & 0xFFFF_FFFF

    def next_frame(self, fault: str) -> None:
        """Let a fault happen with the next frame: `reset_time` or `truncate`."""
        self._pending.append(fault)

    def shift(self, seconds: float) -> None:
        """Stamp frames later by so much from now on."""
        self.offset += round(seconds * CLOCK_HZ)

    def show(self, slot: int, packets: Packets) -> None:
        """Send the frame of a slot that is due, unless the client began later or cannot take it."""
        if slot < self.first_slot:
            return
        if self.transport.get_write_buffer_size() > FULL:
            self.wants_key = True  # the others until then refer to what is left out
            self.skipped += 1
            return
        self.send(slot, packets)

    def send(self, slot: int, packets: Packets) -> None:
        """Send the frame of a slot, with what shall happen to it."""
        if self.transport.is_closing():
            return
        if self.camera.trickles:
            self.wants_key = True
            self._write(self.camera.unended(self._unended), slot)
            self._unended += 1
            return
        self._unended = 0
        if self.wants_key and not packets.is_key:
            self.skipped += 1
            return
        self.wants_key = False
        if "reset_time" in self._pending:
            self.offset = -self.camera.ticks(slot)
        self._report(slot)
        if "truncate" in self._pending:
            half = (HEADER + packets.ends()[0]) // 2
            self.transport.write(packets.stamped(self.sequence, self.time_of(slot))[:half])
            self.transport.close()
            return
        self._pending.clear()
        self._write(packets, slot)

    def end(self) -> None:
        """Say that the stream is over, and close once all was taken."""
        self.transport.write(goodbye())
        self.transport.close()

    def _write(self, packets: Packets, slot: int) -> None:
        if not self.camera.frozen or not self._sent_packets:
            self._time = self.time_of(slot)
        data = packets.stamped(self.sequence, self._time)
        self.sequence += len(packets.starts)
        self._sent_packets += len(packets.starts)
        self._sent_octets += len(packets.data) - HEADER * len(packets.starts)
        if self.camera.corrupt_share:
            _spoil(data, packets, self.camera.corrupt_share, self.camera.random)
        if self.camera.lost_share:
            data = _thinned(data, packets, self.camera.lost_share, self.camera.random)
        self.transport.write(data)

    def _report(self, slot: int) -> None:
        due_s = slot / self.camera.fps
        if self.camera.reports and due_s >= self._next_report_s:
            self._next_report_s = due_s + 1
            report = sender_report(due_s, self.time_of(slot), self._sent_packets, self._sent_octets)
            self.transport.write(report)


def _spoil(data: bytearray, packets: Packets, share: float, chance: random.Random) -> None:
    """Put noise into the middle of some packets; what kind of packet each is stays readable."""
    for start, end in zip(packets.starts, packets.ends(), strict=True):
        begin = start + HEADER + 3
        if end - begin > 4 and chance.random() < share:
            half = (end - begin) // 2
            data[begin + half // 2 : begin + half // 2 + half] = chance.randbytes(half)


def _thinned(data: bytearray, packets: Packets, share: float, chance: random.Random) -> bytearray:
    kept = bytearray()
    for start, end in zip(packets.starts, packets.ends(), strict=True):
        if chance.random() >= share:
            kept += data[start:end]
    return kept
