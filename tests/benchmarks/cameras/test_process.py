"""Cameras in a process of their own."""

from __future__ import annotations

import json
import time

import av
import pytest

from benchmarks.cameras.clips import Clip, make_clip
from benchmarks.cameras.process import CameraProcess
from pipeline.errors import PipelineError
from tests.benchmarks.cameras.rtsp_client import RtspClient, is_key
from tests.benchmarks.cameras.watching import follow, numbers


@pytest.fixture(scope="module")
def cameras(clip: Clip):
    with CameraProcess(clip.path, fps=100.0, paths=["door", "till"], burst=True) as running:
        yield running


def test_cameras_are_served_by_name_with_their_options(cameras, clip):
    assert list(cameras.urls) == ["door", "till"]
    assert cameras.urls["door"].startswith("rtsp://127.0.0.1:")
    assert follow(numbers(cameras.urls["door"], 5), 200)


def test_a_fault_is_switched_and_its_time_is_told(cameras):
    with RtspClient(cameras.urls["till"]) as client:
        client.play()
        next(client.packets())
        done_s = cameras.do("drop", "till")
        list(client.packets())

    assert abs(time.time() - done_s) < 1


def test_values_reach_the_camera(cameras, clip, tmp_path):
    other = make_clip(tmp_path, (160, 90), frames=20, gop=10, source=None)
    url = cameras.add("gate", clip=other.path, fps=50, user="me", password="x")

    assert "//me:x@127.0.0.1" in url
    assert None not in numbers(url, 2)
    cameras.do("change_codec", "gate", clip=clip.path)
    assert follow(numbers(url, 2), 200)
    cameras.do("remove", "gate")
    with RtspClient(url) as client:
        assert client.ask("DESCRIBE")[0] == 404


def test_the_server_is_killed_and_started_again(cameras):
    url = cameras.urls["door"]

    cameras.do("stop")
    with pytest.raises(ConnectionRefusedError):
        RtspClient(url)
    cameras.do("start")
    with RtspClient(url) as client:
        client.play()
        assert is_key(next(client.frames()))


def test_its_cpu_time_is_told(cameras):
    assert 0 < cameras.cpu_s() < 60


def test_a_camera_over_http_has_fewer_faults(cameras):
    url = cameras.add("web", kind="ts", fps=100)

    assert url.startswith("http://127.0.0.1:")
    assert follow(numbers(url, 3), 200)
    cameras.do("not_found", "web")
    with pytest.raises(av.error.HTTPNotFoundError):
        numbers(url, 1)
    with pytest.raises(PipelineError, match="expected one of drop, not_found, resume, stall of a camera over HTTP"):
        cameras.do("trickle", "web")
    cameras.do("remove", "web")


def test_it_knows_how_late_it_sends(cameras):
    assert 0 < cameras.late_s() < 1


@pytest.mark.parametrize(
    ("what", "path", "told"),
    [
        (
            "explode",
            None,
            "do: expected one of add, answer_nothing, change_codec, corrupt, cpu, drop, end, freeze_time, jump_time, "
            "late, lose_packets, not_found, refuse_password, remove, reset_time, resume, stall, start, stop, trickle, "
            "truncate, got 'explode'",
        ),
        ("drop", "roof", "path: expected one of door, till, got 'roof'"),
        ("corrupt", "door", "Camera.corrupt() missing 1 required positional argument: 'share'"),
    ],
)
def test_what_cannot_be_done_is_told(cameras, what, path, told):
    with pytest.raises(PipelineError) as caught:
        cameras.do(what, path)

    asked = json.dumps({"do": what, "path": path})
    assert str(caught.value) == f"cameras: expected to do as asked, got {asked}: {told}"
