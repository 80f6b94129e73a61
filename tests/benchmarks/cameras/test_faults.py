"""Each fault does what it says; seen by a client that looks at every packet."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice, pairwise

import pytest

from benchmarks.cameras.clips import Clip, make_clip
from benchmarks.cameras.rtp import packetise
from benchmarks.cameras.rtsp import RtspCamera
from tests.benchmarks.cameras.rtsp_client import Packet, Report, RtspClient, is_key
from tests.benchmarks.cameras.watching import numbers

FPS = 100.0
STEP = 900
PERIODS = 0.05
"""Seconds in which a camera that runs sends five frames."""


@pytest.fixture
def camera(clip: Clip) -> Iterator[RtspCamera]:
    with RtspCamera(clip, FPS) as running:
        yield running


@pytest.fixture
def client(camera: RtspCamera) -> Iterator[RtspClient]:
    with RtspClient(camera.url) as connected:
        connected.play()
        next(connected.frames())
        yield connected


def steps(frames: list[list[Packet]]) -> list[int]:
    """Return by how much time grows from frame to frame; less than 0 where it goes back."""
    times = [frame[0].timestamp for frame in frames]
    return [(after - before + 2**31) % 2**32 - 2**31 for before, after in pairwise(times)]


def silent(client: RtspClient) -> bool:
    """Tell whether nothing comes for some periods, after what is on its way."""
    client.socket.settimeout(PERIODS)
    try:
        for _ in client.packets():
            pass
    except TimeoutError:
        return True
    return False


def test_drop_closes_the_connection_and_lets_clients_come_back(camera, client):
    done_s = camera.drop()

    list(client.packets())
    assert abs(time.time() - done_s) < 1
    with RtspClient(camera.url) as again:
        again.play()
        assert is_key(next(again.frames()))


def test_stall_sends_nothing_until_resume_goes_on_with_a_key_frame(camera, client):
    camera.stall()

    assert silent(client)
    camera.resume()
    with RtspClient(camera.url) as again:
        again.play()
        assert is_key(next(again.frames()))


def test_a_connection_that_outlives_a_stall_goes_on_with_a_key_frame(camera, client):
    coming = client.frames()
    before = next(coming)
    camera.stall()
    threading.Event().wait(PERIODS)
    camera.resume()

    frames = [before, *islice(coming, 30)]
    (gap,) = [index for index, step in enumerate(steps(frames)) if step != STEP]
    assert is_key(frames[gap + 1])


def test_trickle_sends_packets_that_end_no_frame(camera, client):
    camera.trickle()

    packets = list(islice(client.packets(), 20))[10:]
    assert not any(packet.marked for packet in packets)
    assert {packet.payload[0] & 31 for packet in packets} == {28}
    assert not any(packet.payload[1] & 0x40 for packet in packets)
    camera.resume()
    assert is_key(next(client.frames()))


def test_truncate_cuts_a_packet_and_closes(camera, client):
    camera.truncate()

    received = b"".join(iter(lambda: client._stream.read(65536), b""))
    at = 0
    while at + 4 <= len(received):
        at += 4 + int.from_bytes(received[at + 2 : at + 4], "big")
    assert at > len(received)


def test_corrupt_spoils_that_share_of_packets(camera, client, clip):
    camera.corrupt(0.5)

    frames = list(islice(client.frames(), 5, 55))
    spoiled = 0
    for frame in frames:
        packets = packetise(clip.units[camera.number_of(frame[0].timestamp)], "h264")
        payloads = [packets.data[start + 16 : end] for start, end in zip(packets.starts, packets.ends(), strict=True)]
        assert [len(packet.payload) for packet in frame] == [len(payload) for payload in payloads]
        spoiled += any(packet.payload != payload for packet, payload in zip(frame, payloads, strict=True))
    assert 10 < spoiled < 45
    camera.corrupt(0)


def test_lost_packets_leave_gaps_in_their_numbers(camera, client):
    camera.lose_packets(0.3)

    gaps = [(b.sequence - a.sequence) % 2**16 for a, b in pairwise(islice(client.packets(), 60))]
    assert max(gaps) > 1
    assert 4 < sum(gap - 1 for gap in gaps) < 60


def test_reset_time_begins_at_zero_again(camera, client):
    camera.reset_time()

    times = [frame[0].timestamp for frame in islice(client.frames(), 20)]
    assert 0 in times[:10]
    begin = times.index(0)
    assert times[begin:] == [index * STEP for index in range(20 - begin)]


@pytest.mark.parametrize("seconds", [3600.0, -5.0])
def test_jump_time_goes_on_from_there(camera, client, seconds):
    frames = client.frames()
    before = next(frames)
    camera.jump_time(seconds)

    found = steps([before, *islice(frames, 20)])
    assert sorted({*found} - {STEP}) == [STEP + seconds * 90_000]
    assert len([step for step in found if step != STEP]) == 1


def test_freeze_time_stamps_all_frames_with_one_time(camera, client):
    camera.freeze_time()

    assert steps(list(islice(client.frames(), 20)))[10:] == [0] * 9
    camera.resume()
    assert steps(list(islice(client.frames(), 20)))[-5:] == [STEP] * 5


def test_wrap_lets_the_clock_run_over_after_a_second(clip):
    with RtspCamera(clip, FPS, wrap=True) as camera, RtspClient(camera.url) as client:
        client.play()
        first = next(client.frames())[0].timestamp
        assert first == 2**32 - 90_000
        assert set(steps(frames := list(islice(client.frames(), 105)))) == {STEP}
        assert frames[-1][0].timestamp < 90_000


def test_a_password_that_was_right_is_refused_and_accepted_again(camera):
    camera.refuse_password()
    with RtspClient(camera.url) as client:
        assert client.ask("DESCRIBE")[0] == 401
    camera.refuse_password(False)
    with RtspClient(camera.url) as client:
        assert client.ask("DESCRIBE")[0] == 200


def test_a_camera_that_is_not_found(camera):
    camera.not_found()
    with RtspClient(camera.url) as client:
        assert client.ask("DESCRIBE")[0] == 404


def test_a_camera_that_answers_nothing(camera):
    camera.answer_nothing()
    with RtspClient(camera.url, patience_s=PERIODS) as client, pytest.raises(TimeoutError):
        client.ask("OPTIONS")


def test_another_clip_is_sent_at_once_and_described_to_those_who_come(camera, client, tmp_path):
    other = make_clip(tmp_path, (160, 90), frames=50, gop=10, codec="hevc", source=None)
    camera.change_codec(other)

    kinds = [frame[0].payload[0] for frame in islice(client.frames(), 25)]
    assert kinds[-1] >> 1 & 63 in (1, 32)  # of H.265
    with RtspClient(camera.url) as again:
        assert "H265/90000" in again.ask("DESCRIBE")[1]
    assert None not in numbers(camera.url, 3)


def test_end_says_goodbye(camera, client):
    camera.end()

    last = list(client.received())[-1]
    assert isinstance(last, Report)
    assert last.kind == 201


@pytest.mark.parametrize(("stamped", "rises"), [("presented", False), ("sent", True)])
def test_frames_between_others_are_stamped_as_shown_or_as_sent(tmp_path, stamped, rises):
    clip = make_clip(tmp_path, (320, 180), frames=100, gop=10, source=None, b_frames=2)
    with RtspCamera(clip, FPS, stamped=stamped) as camera, RtspClient(camera.url) as client:
        client.play()
        found = steps(list(islice(client.frames(), 15)))
        seen = numbers(camera.url, 15)

    assert (min(found) > 0) is rises
    assert [(after - before) % 100 for before, after in pairwise(seen)] == [1] * 14


def test_what_is_random_is_the_same_for_a_seed(clip):
    heads = []
    for _ in range(2):
        with RtspCamera(clip, 1000.0, recorded=True, seed=3) as camera, RtspClient(camera.url) as client:
            camera.corrupt(0.5)
            client.play()
            heads.append(list(client.packets()))

    assert heads[0] == heads[1]
