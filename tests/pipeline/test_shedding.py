"""Which packets of a live stream are decoded, and how much of it is worth decoding."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.shedding import LATE_NS, PROBE_AFTER_NS, SEGMENT_NS, Gate, Governor, limit_ns
from pipeline.streams import StreamConfig
from tests.pipeline.rig import STEP_NS, FakeClock

S = 1_000_000_000


class Packets:
    """A gate, and what it says of packets that come every 40 ms with a key frame every `group`."""

    def __init__(self, group: int = 5) -> None:
        self.clock, self.group, self.index = FakeClock(), group, 0
        self.late_ns, self.keep = 0, 1.0
        self.gate = Gate(self.clock, lambda pts_ns: self.late_ns, lambda: 100, lambda: self.keep)

    def say(self, count: int) -> str:
        """Return a letter a packet: K and p where decoded, else the first one of the cause in small."""
        said = ""
        for _ in range(count):
            is_key = self.index % self.group == 0
            cause = self.gate.admit(self.index * STEP_NS, is_key)
            said += ("K" if is_key else "p") if cause is None else cause[0]
            self.index += 1
            self.clock.ns += STEP_NS
        return said


def test_what_is_in_time_is_decoded() -> None:
    assert Packets().say(12) == "KppppKppppKp"


def test_after_a_late_packet_nothing_is_decoded_up_to_the_next_key_frame() -> None:
    packets = Packets()
    assert packets.say(2) == "Kp"
    packets.late_ns = 101
    assert packets.say(1) == "d"
    packets.late_ns = 100
    assert packets.say(4) == "ddKp"


def test_late_key_frames_are_left_out_but_for_one_now_and_then() -> None:
    packets = Packets(group=10)
    packets.late_ns = 101
    first = packets.say(10)  # nothing was decoded yet
    assert first == "K" + "d" * 9

    told = packets.say(round(PROBE_AFTER_NS / STEP_NS) + 10)

    assert told.count("K") == 1
    assert set(told) == {"K", "d"}


@pytest.mark.parametrize(
    ("keep", "expected"), [(1.0, "KppppKpppp"), (0.6, "KppssKppss"), (0.2, "KssssKssss"), (0.12, "Ksssssssss")]
)
def test_the_end_of_each_group_is_shed(keep: float, expected: str) -> None:
    packets = Packets()
    packets.say(10)  # by then the length of a group is known
    packets.keep = keep

    assert packets.say(10) == expected


def test_of_key_frames_alone_every_second_one_is_shed() -> None:
    packets = Packets(group=1)
    packets.say(4)
    packets.keep = 0.5

    assert packets.say(6) in ("KsKsKs", "sKsKsK")


def governed(*counts: tuple[int, int, int], cores: int = 2) -> list[float]:
    """Return the share kept after each second, with CPU ns, frames decoded and dropped in it."""
    clock = FakeClock()
    governor, total, kept = Governor(clock, cores), (0, 0, 0), []
    for one in counts:
        clock.ns += S
        total = tuple(sum(pair) for pair in zip(total, one, strict=True))  # type: ignore[assignment]
        governor.look({"a": total})
        kept.append(round(governor.keep, 4))
    return kept


def test_less_is_decoded_while_much_is_decoded_in_vain_and_more_again_after() -> None:
    assert governed((S, 100, 50), (S, 100, 50), (S, 100, 0), (S, 100, 0), (S, 100, 0)) == [
        0.8,
        0.64,
        0.714,
        0.7954,
        0.8849,
    ]


@pytest.mark.parametrize("counts", [(S, 100, 6), (S, 0, 0), (S // 20, 100, 99)])
def test_what_is_wasted_a_little_changes_nothing(counts: tuple[int, int, int]) -> None:
    assert governed(counts) == [1.0]


def test_something_is_always_decoded() -> None:
    assert governed(*[(2 * S, 100, 100)] * 40)[-1] == 0.02


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"url": "rtsp://cam/1", "max_age_ms": 500}, 250_000_000),
        ({"url": "rtsp://cam/1"}, LATE_NS),
        ({"url": "http://cam/live.m3u8?token=1"}, SEGMENT_NS),
        ({"url": "http://cam/live.m3u8", "max_age_ms": 8000}, 4_000_000_000),
    ],
)
def test_half_of_the_age_may_go_by_before_decoding(values: dict[str, Any], expected: int) -> None:
    assert limit_ns(StreamConfig(**values)) == expected
