"""Cameras as FFmpeg reads them."""

from __future__ import annotations

import threading
import time
from itertools import islice, pairwise

import av
import pytest

from benchmarks.cameras.camera import Camera
from benchmarks.cameras.clips import Clip, make_clip
from benchmarks.cameras.rtsp import RtspCamera, RtspServer
from tests.benchmarks.cameras.rtsp_client import Report, RtspClient, is_key
from tests.benchmarks.cameras.watching import follow, numbers, watch

FPS, STEP = 100.0, 900
"""A fast camera makes a fast test."""


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_frames_come_in_order_from_a_key_frame_on(tmp_path, codec):
    clip = make_clip(tmp_path, (320, 180), frames=100, fps=FPS, gop=10, codec=codec)

    with RtspCamera(clip, FPS) as camera:
        frames = [frame for _, frame in zip(range(30), watch(camera.url), strict=False)]

    assert follow([number for _, number in frames], 100)
    assert frames[0][1] % 10 == 0
    assert {after - before for (before, _), (after, _) in pairwise(frames[1:])} == {900}


def test_a_frame_is_sent_at_the_time_that_its_number_says(clip: Clip):
    late_s = []
    with RtspCamera(clip, FPS) as camera, RtspClient(camera.url) as client:
        client.play()
        frames = client.frames()
        for _ in range(20):
            timestamp = next(frames)[0].timestamp
            late_s.append((time.time() - camera.number_of(timestamp) / FPS + 1) % 2 - 1)

    assert -0.002 < min(late_s) < 0.01


def test_two_clients_and_two_cameras_at_once(clip: Clip):
    with RtspServer() as server:
        server.add("door", Camera(clip, FPS))
        server.add("till", Camera(clip, 50.0))
        with (
            RtspClient(server.url("door")) as a,
            RtspClient(server.url("door")) as b,
            RtspClient(server.url("till")) as c,
        ):
            steps = []
            for client in (a, b, c):
                client.play()
                times = [frame[0].timestamp for _, frame in zip(range(12), client.frames(), strict=False)]
                steps.append({(after - before) % 2**32 for before, after in pairwise(times)})

    assert steps == [{900}, {900}, {1800}]


@pytest.mark.parametrize("auth", ["digest", "basic"])
def test_only_the_right_password_is_let_in(clip: Clip, auth):
    with RtspCamera(clip, FPS, user="me", password="s/e: c@", auth=auth) as camera:
        assert camera.url.startswith("rtsp://me:s%2Fe%3A%20c%40@127.0.0.1:")
        assert follow(numbers(camera.url, 3), 200)
        for user, password in [("me", "wrong"), ("you", "s/e: c@"), ("", "")]:
            with pytest.raises(av.error.HTTPUnauthorizedError):
                numbers(camera.server.url("door", user, password), 1)


def test_an_answer_to_another_challenge_is_refused(clip: Clip):
    with RtspCamera(clip, FPS, user="me", password="x") as camera, RtspClient(camera.url) as client:
        status, answer = client.ask("DESCRIBE")
        assert (status, 'Digest realm="camera", nonce="' in answer) == (401, True)
        stolen = 'Authorization: Digest username="me", realm="camera", nonce="0", uri="x", response="0"\r\n'
        assert client.ask("DESCRIBE", stolen)[0] == 401


def test_no_such_camera(clip: Clip):
    with RtspCamera(clip, FPS) as camera, pytest.raises(av.error.HTTPNotFoundError):
        numbers(camera.server.url("gate"), 1)


def test_a_camera_that_was_removed_hangs_up_and_is_unknown(clip: Clip):
    with RtspCamera(clip, FPS) as camera, RtspClient(camera.url) as client:
        client.play()
        next(client.packets())
        url = camera.url
        camera.server.remove("door")
        list(client.packets())
        with RtspClient(url) as again:
            assert again.ask("DESCRIBE")[0] == 404


def test_what_is_no_camera_is_answered(clip: Clip):
    with RtspCamera(clip, FPS) as camera, RtspClient(camera.url) as client:
        assert client.ask("SETUP", "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n")[0] == 461
        assert client.ask("RECORD")[0] == 501
        assert client.ask("OPTIONS")[0] == 200
        assert client.ask("GET_PARAMETER", "Content-Length: 7\r\n\r\nhello")[0] == 200
        client.socket.sendall(b"$\x01\x00\x04abcd")  # a report of what was received
        assert client.ask("TEARDOWN")[0] == 200
        assert list(client.packets()) == []


def test_a_client_begins_with_the_next_key_frame(clip: Clip):
    with RtspCamera(clip, FPS) as camera, RtspClient(camera.url) as client:
        answer = client.play()
        first = next(client.frames())

    assert is_key(first)
    assert f"seq={first[0].sequence};rtptime={first[0].timestamp}\r\n" in answer


def test_with_a_burst_a_client_gets_what_there_is_since_the_last_key_frame(clip: Clip):
    with RtspCamera(clip, 1.0, burst=True) as camera, RtspClient(camera.url) as client:
        asked_s = time.time()
        client.play()
        first = next(client.frames())
        got_s = time.time() - asked_s

    assert is_key(first)
    assert got_s < 0.5  # less than a frame period


def test_a_burst_sends_no_frame_twice_when_frames_are_late(clip: Clip):
    steps = set()
    with RtspCamera(clip, FPS, burst=True, jitter_s=0.05) as camera:
        for _ in range(8):
            with RtspClient(camera.url) as client:
                client.play()
                times = [frame[0].timestamp for frame in islice(client.frames(), 16)]
            steps |= {(after - before) % 2**32 for before, after in pairwise(times)}

    assert steps == {STEP}


def test_some_cameras_begin_with_any_frame(clip: Clip):
    with RtspCamera(clip, 20.0, first_frame_without_key=True) as camera, RtspClient(camera.url) as client:
        while int(time.time() * 20) % 10 > 5:  # a key frame comes soon
            threading.Event().wait(0.001)
        client.play()
        frames = [frame for _, frame in zip(range(12), client.frames(), strict=False)]

    assert not is_key(frames[0])
    assert any(map(is_key, frames))


def test_sender_reports_tell_when_a_frame_was_due(clip: Clip):
    with RtspCamera(clip, FPS, reports=True) as camera, RtspClient(camera.url) as client:
        client.play()
        received = client.received()
        report = next(received)
        packet = next(received)

    assert isinstance(report, Report)
    assert report.kind == 200
    assert abs(report.unix_s - time.time()) < 1
    assert report.timestamp == packet.timestamp
    assert round(report.unix_s * FPS) % 200 == camera.number_of(packet.timestamp)


def test_frames_come_late_but_in_order_with_jitter(clip: Clip):
    with RtspCamera(clip, FPS, jitter_s=0.05) as camera, RtspClient(camera.url) as client:
        client.play()
        late_s = []
        for _, frame in zip(range(30), client.frames(), strict=False):
            late_s.append((time.time() - camera.number_of(frame[0].timestamp) / FPS) % 2)

    assert max(late_s) - min(late_s) > 0.015


def test_a_server_that_was_killed_serves_again_on_its_port(clip: Clip):
    with RtspCamera(clip, FPS) as camera:
        url = camera.url
        with RtspClient(url) as client:
            client.play()
            next(client.packets())
            camera.server.stop()
            list(client.packets())
        with pytest.raises(ConnectionRefusedError):
            RtspClient(url)
        camera.server.start()
        assert camera.url == url
        with RtspClient(url) as client:
            client.play()
            assert is_key(next(client.frames()))


def test_a_reader_that_does_not_read_goes_on_with_a_key_frame(clip: Clip):
    with RtspCamera(clip, FPS) as camera, RtspClient(camera.url) as client:
        client.play()
        first = next(client.packets())
        (player,) = camera.server.call(lambda: list(camera.clients.values()))
        other_channel = b"$\x05\xff\xff" + bytes(65535)
        camera.server.call(lambda: [player.transport.write(other_channel) for _ in range(100)])
        while player.skipped < 3:
            threading.Event().wait(0.001)

        packets = list(islice((packet for packet in client.packets() if len(packet.payload) < 65_000), 60))

    gaps = [
        index
        for index, step in enumerate(pairwise([first, *packets]))
        if (step[1].timestamp - step[0].timestamp) % 2**32 > STEP
    ]
    assert packets[gaps[0]].payload[0] & 31 == 7


def test_a_recording_is_played_once_to_each_client(clip: Clip):
    with RtspCamera(clip, 1000.0, recorded=True) as camera:
        for _ in range(2):
            with RtspClient(camera.url) as client:
                client.play()
                assert len(list(client.frames())) == 200


def test_a_recording_can_go_silent(clip: Clip):
    with (
        RtspCamera(clip, 1000.0, recorded=True, silent_after=20) as camera,
        RtspClient(camera.url, patience_s=0.1) as client,
    ):
        client.play()
        frames = client.frames()
        assert len([next(frames) for _ in range(20)]) == 20
        with pytest.raises(TimeoutError):
            next(frames)
