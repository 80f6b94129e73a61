"""Which packets of a live stream are worth decoding: where the engine has its say in a source."""

from __future__ import annotations


class PacketGate:
    """Tells the source of a live stream which packets to decode. This one lets all pass; the engine lends others."""

    def admit(self, pts_ns: int | None, is_key: bool) -> str | None:
        """Return None for a packet to decode, or the cause for which it is dropped undecoded (`decoder_late`, `shed`).

        After one was dropped, all are up to the next key frame, so a decoder never misses what it refers to.

        Args:
            pts_ns: its presentation time as in `Stamp`.
            is_key: whether decoding can begin with it.
        """
        return None
