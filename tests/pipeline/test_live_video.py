"""Connections that misbehave in ways a server can only by chance: packets by hand, and a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

from pipeline.av_pictures import PictureMaker
from pipeline.errors import SourceError
from pipeline.live_video import LiveVideo
from pipeline.node import Dropped, Frame
from pipeline.packet_gate import PacketGate
from tests.clips import write_clip


class Connection:
    """A container whose reads do what a list says: hand out a packet, raise, or let time pass first."""

    def __init__(self, reads: list[Any]) -> None:
        self.format = SimpleNamespace(flags=0)
        self.reads = iter(reads)
        self.now_s = 0.0

    def demux(self, video: object) -> Iterator[Any]:
        for read in self.reads:
            if isinstance(read, float):
                self.now_s += read
            elif isinstance(read, Exception):
                raise read
            else:
                yield read

    def items(self, video: object) -> Iterator[Any]:
        live = LiveVideo(self, video, "rtsp://me:secret@cam/x", PacketGate(), 5.0, PictureMaker(), lambda: self.now_s)  # type: ignore[arg-type]
        return live.items()


@pytest.fixture
def packets(tmp_path: Path) -> Iterator[tuple[Any, list[Any]]]:
    with av.open(str(write_clip(tmp_path / "a.ts", 6, bf=0))) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        yield video, list(container.demux(video))[:-1]


def lost(items: Iterator[Any], seen: list[Any]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        seen.extend(items)
    return caught.value


def test_what_was_held_back_comes_before_a_silence_is_told(packets):
    video, sent = packets
    seen: list[Any] = []

    error = lost(Connection([*sent[:3], 5.0, *sent[3:]]).items(video), seen)

    assert [type(item) for item in seen] == [Frame] * 4
    assert error.reason == "timeout"
    assert str(error) == (
        "rtsp://me:***@cam/x: expected to read on, got: no data in time; check that it still runs and the network holds"
    )


def test_waiting_within_the_limit_is_no_loss(packets):
    video, sent = packets
    seen: list[Any] = []

    error = lost(Connection([*sent[:3], 4.9, *sent[3:]]).items(video), seen)

    assert len([item for item in seen if isinstance(item, Frame)]) == 6
    assert error.reason == "ended"


def test_reading_goes_on_after_damage(packets):
    video, sent = packets
    seen: list[Any] = []

    error = lost(Connection([*sent[:3], av.error.InvalidDataError(0, "x"), *sent[3:]]).items(video), seen)

    assert [type(item) for item in seen] == [Frame] * 3 + [Dropped] + [Frame] * 3
    assert error.reason == "ended"


def test_damage_now_and_then_is_none(packets):
    video, sent = packets
    damage = [av.error.InvalidDataError(0, "x")] * 60
    seen: list[Any] = []

    error = lost(Connection([sent[0], *damage, sent[1], *damage, *sent[2:]]).items(video), seen)

    assert (len(seen), error.reason) == (126, "ended")


def test_damage_without_end_is_a_loss(packets):
    video, sent = packets
    seen: list[Any] = []

    error = lost(Connection([sent[0], *[av.error.InvalidDataError(0, "damage")] * 200]).items(video), seen)

    assert seen[1:] == [Dropped("corrupt")] * 99
    assert (error.reason, "got: damage; " in str(error)) == ("corrupt", True)


@pytest.mark.parametrize(
    ("raised", "reason"), [(av.error.ConnectionResetError(104, "reset"), "ended"), (OSError(5, "I/O"), "failed")]
)
def test_other_errors_are_losses(packets, raised, reason):
    video, _ = packets

    assert lost(Connection([raised]).items(video), []).reason == reason


def test_what_the_decoder_refuses_for_good_is_a_loss(packets):
    video, _ = packets
    broken = undecodable(av.error.ArgumentError(22, "Invalid argument"), is_key=True)

    assert lost(Connection([broken]).items(video), []).reason == "failed"


def test_what_cannot_be_decoded_before_a_key_frame_is_not_damaged(packets):
    video, _ = packets
    error = av.error.InvalidDataError(0, "no parameters yet")
    seen: list[Any] = []

    lost(Connection([undecodable(error, is_key) for is_key in (False, False, True, False)]).items(video), seen)

    assert seen == [None, None, Dropped("corrupt"), Dropped("corrupt")]


def undecodable(error: Exception, is_key: bool) -> Any:
    """Return a packet at which the decoder fails."""

    def decode() -> None:
        raise error

    return SimpleNamespace(
        size=1, pts=0, time_base=Fraction(1), is_keyframe=is_key, has_sidedata=lambda kind: False, decode=decode
    )
