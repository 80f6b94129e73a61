"""Reading from a camera that GStreamer serves: nothing of it is ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import pytest

from nodes.decode_video import DecodeVideo
from pipeline.errors import SourceError
from pipeline.node import Frame
from pipeline.pictures import to_bgr
from tests.decoding import source
from tests.repository import ROOT

PYTHON = "/usr/bin/python3"
"""The bindings come with the system and its Python."""
SERVER = ROOT / "tests" / "cameras_gst" / "gst_server.py"
WANTED = (
    "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
CHECK = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in ("videotestsrc", "x264enc", "rtph264pay") if not Gst.ElementFactory.find(name)]
assert not missing, missing
"""


class GstServer:
    """The server in a process of its own."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [PYTHON, str(SERVER), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        assert said, self.process.stderr.read()
        self.port = int(said)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def url(self, path: str, who: str = "") -> str:
        return f"rtsp://{who}127.0.0.1:{self.port}/{path}"


@pytest.fixture(scope="module")
def gstreamer() -> None:
    try:
        subprocess.run([PYTHON, "-W", "ignore", "-c", CHECK], check=True, capture_output=True, timeout=60)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip(f"GStreamer's RTSP server is not installed: apt install {WANTED}")


@pytest.fixture
def server(gstreamer: None) -> Iterator[GstServer]:
    running = GstServer()
    yield running
    running.kill()


def some_frames(camera: DecodeVideo, count: int = 12) -> list[Frame]:
    """Read on with a connection of its own."""
    frames = camera.frames()
    found = list(islice((item for item in frames if isinstance(item, Frame)), count))
    frames.close()
    return found


def test_frames_come_with_the_times_of_their_sender(server):
    frames = some_frames(source(server.url("ball")))

    stamps_ns = [frame.stamp.pts_ns for frame in frames[1:]]
    assert np.diff(stamps_ns).tolist() == [20_000_000] * 10
    pictures = [to_bgr(frame.picture) for frame in frames]
    assert {picture.shape for picture in pictures} == {(120, 160, 3)}
    assert all((before != after).any() for before, after in pairwise(pictures))


def test_a_server_that_was_killed_is_a_loss_and_can_be_read_again(server):
    camera = source(server.url("ball"))
    frames = camera.frames()
    assert sum(isinstance(item, Frame) for item in islice(frames, 12)) >= 10

    server.kill()
    with pytest.raises(SourceError) as caught:
        list(islice(frames, 1000))
    assert caught.value.reason == "ended"
    with pytest.raises(SourceError) as caught:
        some_frames(camera)
    assert caught.value.reason == "refused"

    server.start()
    assert len(some_frames(camera)) == 12


def test_a_password_is_wanted_and_known(server):
    assert len(some_frames(source(server.url("private", "me:s3cret@")))) == 12
    for who in ("", "me:wrong@"):
        with pytest.raises(SourceError) as caught:
            some_frames(source(server.url("private", who)))
        assert caught.value.reason == "unauthorised"
        assert "wrong" not in str(caught.value)


def test_no_such_camera(server):
    with pytest.raises(SourceError) as caught:
        some_frames(source(server.url("gate")))
    assert caught.value.reason == "not_found"
