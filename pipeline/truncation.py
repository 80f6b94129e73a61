"""Tell whether a video file was cut off, by a copy that stopped or a recorder that lost its power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")


def missing_packets(video: VideoStream, path: Path) -> int:
    """Return how many packets a file lacks: counted where it has an index, 1 where only its header tells; else 0.

    MPEG transport streams and raw streams say nothing of their length.
    """
    size = path.stat().st_size
    entries = video.index_entries
    if any(entry.size for entry in entries):
        return sum(entry.pos + entry.size > size for entry in entries)
    return int(_declared_size(path) > size)


def _declared_size(path: Path) -> int:
    """Return the size that the header of a Matroska or AVI file claims; 0 when it claims none."""
    with path.open("rb") as file:
        head = file.read(256)
    if head[:4] == b"RIFF":
        return 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != _EBML:
        return 0
    header, start = _size_at(head, 4)
    segment = start + (header or 0)
    if head[segment : segment + 4] != _SEGMENT:
        return 0
    length, content = _size_at(head, segment + 4)
    return 0 if length is None else content + length


def _size_at(head: bytes, at: int) -> tuple[int | None, int]:
    """Read an EBML size: its value (None when unknown) and where what follows begins."""
    width = 9 - (head[at] if at < len(head) else 1).bit_length()
    bits = int.from_bytes(head[at : at + width], "big") & (1 << 7 * width) - 1
    return (None if bits == (1 << 7 * width) - 1 else bits), at + width
