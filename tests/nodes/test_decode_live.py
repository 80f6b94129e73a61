"""Live streams from servers on this machine: times, the gate, losses with their reason."""

from __future__ import annotations

import http.server
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cameras.clips import Clip, make_clip, read_clip
from benchmarks.cameras.http import HttpServer
from benchmarks.cameras.http_camera import HttpCamera
from benchmarks.cameras.rtsp import RtspCamera
from nodes.decode_video import DecodeVideo
from pipeline.errors import SourceError
from pipeline.node import Dropped, Frame
from pipeline.packet_gate import PacketGate
from tests.clips import square, write_clip, write_sound
from tests.decoding import source, steps

STEP_NS = 1_000_000


RECORDED: dict[str, Any] = {"fps": 1000, "recorded": True}


class Handler(http.server.BaseHTTPRequestHandler):
    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *args: Any) -> None:
        """Keep the output of tests clean."""


@pytest.fixture
def served() -> Iterator[Callable[[bytes], str]]:
    """Return what serves some bytes at the address that it returns."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def serve(content: bytes) -> str:
        Handler.content = content
        return f"http://127.0.0.1:{server.server_port}/camera"

    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


class Scripted(PacketGate):
    """Refuses the packets of the given numbers, and keeps what it was asked."""

    def __init__(self, *refused: range) -> None:
        self.refused = {number for numbers in refused for number in numbers}
        self.asked: list[tuple[int | None, bool]] = []

    def admit(self, pts_ns: int | None, is_key: bool) -> str | None:
        self.asked.append((pts_ns, is_key))
        return "decoder_late" if len(self.asked) - 1 in self.refused else None


def clip_of(folder: Path, b_frames: int = 0) -> Clip:
    return read_clip(write_clip(folder / "a.h264", [square(index % 20) for index in range(40)], bf=b_frames, g=10))


def read_until_lost(camera: DecodeVideo) -> tuple[list[Frame], Counter[str], SourceError]:
    frames: list[Frame] = []
    dropped: Counter[str] = Counter()
    with pytest.raises(SourceError) as caught:
        for item in camera.frames():
            if isinstance(item, Frame):
                frames.append(item)
            elif isinstance(item, Dropped):
                dropped[item.cause] += item.count
    return frames, dropped, caught.value


def test_frames_come_with_the_times_and_the_wall_clock_of_their_sender(tmp_path):
    with RtspCamera(clip_of(tmp_path), **RECORDED, reports=True) as camera:
        frames, dropped, lost = read_until_lost(source(camera.url))

    stamps = [frame.stamp for frame in frames]
    assert steps(frames) == [index % 20 for index in range(40)]
    assert [stamp.pts_ns for stamp in stamps] == [None, *(STEP_NS * index for index in range(1, 40))]
    assert [stamp.wall_ns for stamp in stamps] == [STEP_NS * index for index in range(40)]
    assert (dropped, lost.reason) == ({}, "ended")


def test_without_reports_there_is_no_wall_clock(tmp_path):
    with RtspCamera(clip_of(tmp_path), **RECORDED) as camera:
        frames, _, _ = read_until_lost(source(camera.url))

    assert {frame.stamp.wall_ns for frame in frames} == {None}


def test_the_wall_clock_of_frames_that_travel_out_of_order_is_their_own(tmp_path):
    with RtspCamera(clip_of(tmp_path, 2), **RECORDED, reports=True) as camera:
        frames, _, _ = read_until_lost(source(camera.url))

    known = [frame.stamp for frame in frames if frame.stamp.pts_ns is not None]
    assert len(known) == 39
    assert [later.pts_ns - earlier.pts_ns for earlier, later in pairwise(known)] == [STEP_NS] * 38
    assert {stamp.wall_ns - stamp.pts_ns for stamp in known} == {frames[0].stamp.wall_ns}


def test_packets_that_the_gate_refuses_are_not_decoded(tmp_path):
    with RtspCamera(clip_of(tmp_path), **RECORDED) as camera:
        reader = source(camera.url)
        reader.gate = gate = Scripted(range(7, 10), range(22, 30))
        frames, dropped, _ = read_until_lost(reader)

    shown = [index for index in range(40) if index not in gate.refused]
    assert steps(frames) == [index % 20 for index in shown]
    assert [frame.stamp.pts_ns for frame in frames[1:]] == [STEP_NS * index for index in shown[1:]]
    assert dropped == {"decoder_late": 11}
    assert gate.asked == [(STEP_NS * index if index else None, index % 10 == 0) for index in range(40)]


def test_frames_that_the_decoder_holds_back_come_before_the_gap(tmp_path):
    with RtspCamera(clip_of(tmp_path, 2), **RECORDED) as camera:
        reader = source(camera.url)
        reader.gate = Scripted(range(15, 20))
        frames, dropped, _ = read_until_lost(reader)

    shown = steps(frames)
    assert len(frames) == 35 and dropped == {"decoder_late": 5}
    assert shown[:10] == list(range(10)) and shown[-20:] == list(range(20))
    assert shown[10:15] == sorted(shown[10:15]) and set(shown[10:15]) < set(range(10, 20))


def test_a_stream_that_begins_between_key_frames_is_waited_for_in_silence(tmp_path):
    clip = clip_of(tmp_path)
    late = Clip(clip.path, clip.codec, clip.size_wh, clip.units[5:])
    with RtspCamera(late, **RECORDED) as camera:
        frames, dropped, _ = read_until_lost(source(camera.url))

    assert steps(frames) == [index % 20 for index in range(10, 40)]
    assert dropped == {}


def test_a_camera_can_be_read_again_after_it_was_lost(tmp_path):
    with RtspCamera(clip_of(tmp_path), **RECORDED) as camera:
        reader = source(camera.url)

        assert [len(read_until_lost(reader)[0]) for _ in range(3)] == [40] * 3


@pytest.mark.parametrize(
    ("b_frames", "kind", "known"), [(0, "ts", True), (0, "hls", True), (0, "mjpeg", False), (2, "ts", True)]
)
def test_cameras_over_http_are_read(tmp_path, b_frames, kind, known):
    clip = make_clip(tmp_path, (64, 48), frames=40, gop=10, source=None, b_frames=b_frames)
    with HttpServer() as server:
        server.add("door", HttpCamera(clip, fps=200, kind=kind))
        items = source(server.url("door")).frames()
        frames = [item for item, _ in zip((one for one in items if isinstance(one, Frame)), range(12), strict=False)]
        items.close()

    times = [frame.stamp.pts_ns for frame in frames]
    assert [frame.stamp.wall_ns for frame in frames] == [None] * 12
    if known:
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps == pytest.approx([5_000_000] * 11, abs=20_000)
    else:
        assert times == [None] * 12


def lost_while_read(tmp_path: Path, fault: Callable[[RtspCamera], object], **config: float) -> SourceError:
    with RtspCamera(clip_of(tmp_path), fps=200, burst=True) as camera:
        items, seen = source(camera.url, **config).frames(), 0
        with pytest.raises(SourceError) as caught:
            for item in items:
                seen += isinstance(item, Frame)
                if seen == 5:
                    fault(camera)
        return caught.value


@pytest.mark.parametrize(
    ("fault", "reason", "got"),
    [
        ("drop", "ended", "expected frames without end, got the end: the sender is gone"),
        ("truncate", "ended", "expected frames without end, got the end: the sender is gone"),
        ("stall", "timeout", "expected to read on, got: no data in time"),
        ("trickle", "timeout", "expected to read on, got: no data in time"),
    ],
)
def test_a_loss_says_its_reason(tmp_path, fault, reason, got):
    began_s = time.monotonic()

    limits = {"read_timeout_s": 0.15} if reason == "timeout" else {}
    lost = lost_while_read(tmp_path, lambda camera: getattr(camera, fault)(), **limits)

    assert time.monotonic() - began_s < 3
    assert lost.reason == reason
    assert str(lost).endswith(f": {got}; check that it still runs and the network holds")


def test_damaged_packets_are_dropped_and_the_stream_goes_on(tmp_path):
    with RtspCamera(clip_of(tmp_path), **RECORDED) as camera:
        camera.corrupt(0.2)
        frames, dropped, lost = read_until_lost(source(camera.url))

    assert 0 < len(frames) < 40 and set(dropped) == {"corrupt"}
    assert lost.reason == "ended"


def test_a_camera_that_does_not_answer_is_given_up_in_time(tmp_path):
    with RtspCamera(clip_of(tmp_path), user="me", password="secret") as camera:
        camera.answer_nothing()
        lost = read_until_lost(source(camera.url, open_timeout_s=0.15))[2]

    assert lost.reason == "timeout"
    assert str(lost) == (
        f"stream 'door': rtsp://me:***@127.0.0.1:{camera.server.port}/door: expected an answer, got none in time; "
        "check address and network, or raise open_timeout_s"
    )


@pytest.mark.parametrize(
    ("path", "password", "reason", "rest"),
    [
        (
            "window", "secret", "not_found",
            "a stream, got: Server returned 404 Not Found; check the path in the address",
        ),
        (
            "door", "guessed", "unauthorised",
            "to be let in, got Server returned 401 Unauthorized (authorization failed); check user and password in the "
            "address",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_its_reason_and_no_password(tmp_path, path, password, reason, rest):
    with RtspCamera(clip_of(tmp_path), user="me", password="secret") as camera:
        lost = read_until_lost(source(camera.server.url(path, "me", password)))[2]

    assert lost.reason == reason
    assert str(lost) == f"stream 'door': rtsp://me:***@127.0.0.1:{camera.server.port}/{path}: expected {rest}"
    assert password not in "".join(traceback.format_exception(lost))


def test_a_camera_that_only_speaks_tcp_is_not_read_over_udp(tmp_path):
    with RtspCamera(clip_of(tmp_path)) as camera:
        lost = read_until_lost(source(camera.url, transport="udp"))[2]

    assert lost.reason == "failed"
    assert str(lost) == (
        f"stream 'door': {camera.url}: expected a stream, got: Protocol not supported; check that the address is right "
        "and the sender runs"
    )


def test_failing_connects_leave_nothing_open(tmp_path):
    reader = source("rtsp://127.0.0.1:1/door")
    read_until_lost(reader)
    before = sorted(Path("/proc/self/fd").iterdir())

    assert {read_until_lost(reader)[2].reason for _ in range(50)} == {"refused"}
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_sound_alone_is_no_live_video(tmp_path, served):
    lost = read_until_lost(source(served(write_sound(tmp_path / "a.m4a").read_bytes())))[2]

    assert lost.reason == "codec"


def test_text_is_no_live_video(served):
    url = served(b"<html>please log in</html>" * 40)

    lost = read_until_lost(source(url))[2]

    assert lost.reason == "corrupt"
    assert str(lost) == (
        f"stream 'door': {url}: expected a stream, got: Invalid data found when processing input; check what is served "
        "at the address"
    )
