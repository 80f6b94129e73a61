"""The same cameras over HTTP, as FFmpeg reads them."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from itertools import islice, pairwise
from urllib.parse import urlsplit

import av
import pytest

from benchmarks.cameras.clips import Clip, make_clip
from benchmarks.cameras.http import HttpServer
from benchmarks.cameras.http_camera import HttpCamera
from benchmarks.cameras.tls import self_signed
from tests.benchmarks.cameras.watching import follow, numbers, watch

FPS = 100.0
KINDS = ("ts", "mjpeg", "hls")


@pytest.fixture(scope="module")
def server(clip: Clip):
    with HttpServer() as running:
        for kind in KINDS:
            running.add(kind, HttpCamera(clip, FPS, kind))
        yield running


def connected(url: str, timeout_s: float = 5.0) -> HTTPConnection:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    connection.request("GET", parts.path)
    return connection


@pytest.mark.parametrize("kind", KINDS)
def test_frames_come_in_order(server, kind):
    assert follow(numbers(server.url(kind), 25), 200)


def test_a_playlist_leaves_no_frame_out_while_its_first_files_are_written(clip: Clip):
    written = []

    class Noted(HttpCamera):
        def _grow(self, slot: int) -> None:
            written.append(slot)
            super()._grow(slot)

    with HttpServer() as server:
        server.add("hls", Noted(clip, 2000.0, "hls"))  # so fast that writing takes many frames
        while len(written) < 2 * len(clip.units):
            threading.Event().wait(0.001)

    assert {after - before for before, after in pairwise(written)} == {1}


def test_a_transport_stream_may_hold_h265(tmp_path):
    clip = make_clip(tmp_path, (320, 180), frames=60, gop=10, codec="hevc", source=None)
    with HttpServer() as server:
        server.add("door", HttpCamera(clip, FPS))

        assert follow(numbers(server.url("door"), 12), 60)


def test_frames_between_others_are_shown_in_their_order(tmp_path):
    clip = make_clip(tmp_path, (320, 180), frames=60, gop=10, source=None, b_frames=2)
    with HttpServer() as server:
        server.add("door", HttpCamera(clip, FPS))

        frames = [frame for _, frame in zip(range(12), watch(server.url("door")), strict=False)]

    assert follow([number for _, number in frames], 60)
    assert [pts - frames[0][0] for pts, _ in frames] == [900 * index for index in range(12)]


@pytest.mark.parametrize("kind", ["ts", "mjpeg"])
def test_drop_ends_the_stream(server, kind):
    stream = watch(server.url(kind))
    next(stream)

    server.feeds[kind].drop()

    with pytest.raises(av.error.OSError):  # as FFmpeg calls it when an answer without a length ends
        list(islice(stream, 50))


@pytest.mark.parametrize("kind", ["ts", "mjpeg"])
def test_stall_sends_nothing_until_resume(server, kind):
    server.feeds[kind].stall()
    with pytest.raises(TimeoutError):
        connected(server.url(kind), 0.05).getresponse().read(10_000)
    server.feeds[kind].resume()

    assert connected(server.url(kind)).getresponse().read(1000)


def test_a_playlist_slides_and_stands_still_while_it_stalls(server):
    def first_file() -> str:
        text = connected(server.url("hls")).getresponse().read().decode()
        assert text.count("#EXTINF:") == 4
        return text.splitlines()[5]

    before = first_file()
    while first_file() == before:
        pass
    server.feeds["hls"].stall()
    before = first_file()
    threading.Event().wait(0.25)  # two files
    after = first_file()
    server.feeds["hls"].resume()

    assert after == before


def test_what_is_not_there_is_not_found(server):
    server.feeds["ts"].not_found()
    with pytest.raises(av.error.HTTPNotFoundError):
        numbers(server.url("ts"), 1)
    server.feeds["ts"].not_found(False)
    assert connected(f"{server.url('ts')}/999.ts").getresponse().status == 404
    assert connected(server.url("ts").replace("/ts", "/gate")).getresponse().status == 404


def test_a_secure_camera(clip: Clip, tmp_path):
    with HttpServer(tls=self_signed(tmp_path)) as server:
        server.add("door", HttpCamera(clip, FPS))

        assert server.url("door").startswith("https://")
        assert follow(numbers(server.url("door"), 3), 200)
