"""The states of a live stream, and how long it waits before it is tried again."""

from __future__ import annotations

import logging
import random

import pytest

from pipeline.errors import SourceError
from pipeline.life import REMIND_NS, STEADY_NS, Life
from pipeline.settings import EngineConfig
from tests.pipeline.rig import FakeClock

S = 1_000_000_000


class Always(random.Random):
    """Draws the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return b


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def life(clock: FakeClock) -> Life:
    return Life("door", EngineConfig(stall_s=2, back_off_first_s=1, back_off_cap_s=5), clock, Always())


def gone(life: Life, reason: str = "ended") -> float:
    life.became("connecting")
    return life.lost(SourceError("rtsp://me:secret@cam/1: gone", reason))  # type: ignore[arg-type]


def test_a_stream_is_live_with_its_first_frame(life: Life) -> None:
    assert (life.state, life.connections) == ("connecting", 0)

    life.frame_came()
    life.frame_came()

    assert (life.state, life.connections) == ("live", 1)


def test_a_stream_stalls_when_no_frame_comes_and_is_live_again_with_the_next(life: Life, clock: FakeClock) -> None:
    life.frame_came()
    clock.ns += 2 * S
    assert not life.stalls()
    clock.ns += 1
    assert life.stalls()
    assert not life.stalls()
    assert life.state == "stalled"

    life.frame_came()

    assert (life.state, life.connections) == ("live", 1)


def test_waits_double_up_to_the_cap(life: Life) -> None:
    assert [gone(life) for _ in range(5)] == [1, 2, 4, 5, 5]
    assert life.losses == {"ended": 5}


def test_waits_are_drawn_between_nothing_and_their_limit() -> None:
    life = Life("door", EngineConfig(back_off_first_s=1, back_off_cap_s=8), FakeClock(), random.Random(1))
    waits = [gone(life) for _ in range(4)]
    drawn = random.Random(1)

    assert waits == [drawn.uniform(0, limit) for limit in (1, 2, 4, 8)]


def test_frames_for_a_while_make_the_next_loss_the_first_one_again(life: Life, clock: FakeClock) -> None:
    gone(life), gone(life)
    life.became("connecting")
    life.frame_came()
    clock.ns += STEADY_NS
    life.frame_came()
    assert gone(life) == 4

    life.became("connecting")
    life.frame_came()
    clock.ns += STEADY_NS + 1
    life.frame_came()
    assert gone(life) == 1


def test_while_it_backs_off_the_next_try_is_known(life: Life, clock: FakeClock) -> None:
    wait_s = gone(life, "refused")

    assert (life.state, life.reason, life.next_try_ns) == ("backing_off", "refused", clock.ns + wait_s * S)
    life.became("connecting")
    assert life.next_try_ns is None


def test_passwords_are_in_no_message_and_no_log(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    gone(life)

    assert life.message == "rtsp://me:***@cam/1: gone"
    assert caplog.messages == ["ended: rtsp://me:***@cam/1: gone; tried again in 1.0 s, and until it comes (try 1)"]


def test_the_same_loss_is_told_once_and_then_now_and_then(
    life: Life, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gone(life), gone(life)
    gone(life, "not_found")
    clock.ns += REMIND_NS
    gone(life, "not_found")
    life.became("connecting")
    life.frame_came()

    assert [message.partition(":")[0] for message in caplog.messages] == [
        "ended", "not_found", "not_found", "stream 'door'",
    ]  # fmt: skip
    assert caplog.messages[-1] == "stream 'door': frames come again"


def test_a_frame_that_comes_after_a_pause_changes_no_state(life: Life) -> None:
    life.became("paused")
    life.frame_came()

    assert life.state == "paused"


def test_silence_is_counted_from_the_last_frame_or_from_the_connection(life: Life, clock: FakeClock) -> None:
    clock.ns += 3 * S
    assert life.silent_s() == 3
    life.frame_came()
    clock.ns += S
    assert life.silent_s() == 1
    life.became("connecting")
    assert life.silent_s() == 0
