"""Reading from real servers on this machine: files, endless streams, cameras."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.cameras.clips import Clip, read_clip
from benchmarks.cameras.rtsp import RtspCamera
from pipeline.errors import SourceError
from pipeline.node import Frame
from tests.clips import square, write_clip
from tests.decoding import read, refusal, source, steps


class Server(http.server.ThreadingHTTPServer):
    """Serves `content` under any path; `/stalls` stops in the middle, `/private` wants a password."""

    content = b""
    released: threading.Event

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of readers that hang up."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/private":
            self.send_error(401)
            return
        self.send_response(200)
        content = self.server.content
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2 if self.path == "/stalls" else len(content)
        self.wfile.write(content[:half])
        if half < len(content):
            self.server.released.wait(10)

    def log_message(self, *args: Any) -> None:
        """Keep the output of tests clean."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.released = threading.Event()
    pictures = [square(index % 20) for index in range(100)]
    made.content = write_clip(tmp_path / "a.ts", pictures, bf=0, g=5).read_bytes()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.released.set()
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_file_on_a_server_is_read_to_its_end(server):
    url = f"http://127.0.0.1:{server.server_port}/clip.mp4"

    assert steps(read(url)[0]) == list(range(20)) * 5


def test_the_end_of_a_live_stream_is_a_loss(server):
    url = f"http://127.0.0.1:{server.server_port}/camera?token=secret"

    frames = []
    with pytest.raises(SourceError) as caught:
        for item in source(url).frames():
            frames.append(item)

    assert sum(isinstance(item, Frame) for item in frames) == 100
    assert str(caught.value) == (
        f"stream 'door': http://127.0.0.1:{server.server_port}/camera?token=***: expected frames without end, got the "
        "end: the sender is gone; check that it still runs and the network holds"
    )


def test_a_stalled_stream_is_lost_within_its_deadline(server):
    url = f"http://127.0.0.1:{server.server_port}/stalls"

    assert refusal(url, read_timeout_s=0.1) == (
        f"stream 'door': {url}: expected to read on, got: no data in time; check that it still runs and the "
        "network holds"
    )


@pytest.fixture
def camera_clip(tmp_path: Path) -> Clip:
    pictures = [square(index % 20) for index in range(40)]
    pictures[30] = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)  # too much for one packet
    return read_clip(write_clip(tmp_path / "a.h264", pictures, bf=0, g=10, tune="zerolatency"))


def recorded(clip: Clip, silent_after: int | None = None) -> RtspCamera:
    return RtspCamera(clip, 200.0, user="me", password="secret", recorded=True, silent_after=silent_after)


def test_a_camera_on_the_network_is_read_until_it_hangs_up(camera_clip):
    items = []
    with recorded(camera_clip) as camera, pytest.raises(SourceError) as caught:
        for item in source(camera.url).frames():
            items.append(item)

    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.stamp.pts_ns for frame in frames] == [None, *(5_000_000 * index for index in range(1, 40))]
    assert steps(frames[:30] + frames[31:]) == [index % 20 for index in range(40) if index != 30]
    assert [item for item in items if not isinstance(item, Frame)] == [None]  # the packet that flushes the decoder
    assert str(caught.value) == (
        f"stream 'door': {camera.url.replace('secret', '***')}: expected frames without end, got the end: the sender "
        "is gone; check that it still runs and the network holds"
    )


def test_a_silent_camera_is_lost_within_its_deadline(camera_clip):
    frames = []
    with recorded(camera_clip, 35) as camera, pytest.raises(SourceError, match="got: no data in time; check that it"):
        for item in source(camera.url, read_timeout_s=0.1).frames():
            frames.append(item)

    assert 33 <= len(frames) <= 35


def test_a_refused_password_is_told_without_it(server):
    url = f"http://me:secret@127.0.0.1:{server.server_port}/private"

    assert refusal(url) == (
        f"stream 'door': http://me:***@127.0.0.1:{server.server_port}/private: expected to be let in, got Server "
        "returned 401 Unauthorized (authorization failed); check user and password in the address"
    )
