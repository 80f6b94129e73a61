"""Decoding real clips of every kind of trouble, made here with FFmpeg."""

from __future__ import annotations

import http.server
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from nodes.decode_video import Config, DecodeVideo
from pipeline import containers
from pipeline.errors import SourceError
from pipeline.frames import Stream
from pipeline.node import Discontinuity, Dropped, Frame
from pipeline.pictures import to_bgr
from pipeline.streams import StreamConfig
from tests.clips import BRIGHT, DARK, cut, left_side, square, write_clip, write_sound
from tests.helpers import FakeContext
from tests.rtsp_server import RtspServer


def source(url: Path | str, max_fps: float | None = None, **config: Any) -> DecodeVideo:
    stream = Stream("door", StreamConfig(url=str(url), max_fps=max_fps), DecodeVideo.is_live(str(url)))
    return DecodeVideo(Config(**config), FakeContext(), stream)


def read(url: Path | str, **config: Any) -> tuple[list[Frame], Counter[str]]:
    """Return the frames of a stream, and what else happened, counted."""
    frames: list[Frame] = []
    other: Counter[str] = Counter()
    for item in source(url, **config).frames():
        if isinstance(item, Frame):
            frames.append(item)
        elif isinstance(item, Dropped):
            other[item.cause] += item.count
        elif isinstance(item, Discontinuity):
            other["discontinuity"] += 1
    return frames, other


def refusal(url: Path | str, **config: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(url, **config)
    return str(caught.value)


def pts_ms(frames: list[Frame]) -> list[float]:
    return [frame.pts_ns / 1e6 for frame in frames]


def steps(frames: list[Frame]) -> list[int]:
    """Return which picture each frame shows."""
    return [left_side(to_bgr(frame.picture)) // 2 for frame in frames]


def test_a_clip_is_read_frame_by_frame_with_its_times(tmp_path):
    frames, other = read(write_clip(tmp_path / "a.mp4", 20, bf=0))

    assert steps(frames) == list(range(20))
    assert pts_ms(frames) == [40.0 * index for index in range(20)]
    assert {frame.picture.size_wh for frame in frames} == {(64, 48)}
    assert other == {}


def test_frames_that_are_coded_out_of_order_come_in_order(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 20, bf=3, b_adapt=0)

    frames, _ = read(clip)

    assert steps(frames) == list(range(20))
    assert pts_ms(frames) == [40.0 * index for index in range(20)]


def test_a_variable_rate_is_kept(tmp_path):
    times = [0, 0.04, 0.05, 0.5, 0.51, 2.0]

    assert pts_ms(read(write_clip(tmp_path / "a.mp4", 6, times))[0]) == [0, 40, 50, 500, 510, 2000]


def test_time_counts_from_the_start_of_the_stream(tmp_path):
    clip = write_clip(tmp_path / "a.ts", 4, [9.0, 9.04, 9.08, 9.12])

    assert pts_ms(read(clip)[0]) == [0, 40, 80, 120]


def test_a_stream_without_times_gets_them_from_its_rate(tmp_path):
    frames, other = read(write_clip(tmp_path / "a.h264", 10, bf=2))

    assert (pts_ms(frames), steps(frames)) == ([40.0 * index for index in range(10)], list(range(10)))
    assert other == {}


@pytest.mark.parametrize(
    ("counterclockwise_deg", "clockwise_deg", "size_wh", "corner"),
    [(-90, 90, (48, 64), "top right"), (180, 180, (64, 48), "bottom right"), (90, 270, (48, 64), "bottom left")],
)
def test_rotation_is_told_and_makes_the_picture_upright(tmp_path, counterclockwise_deg, clockwise_deg, size_wh, corner):
    clip = write_clip(tmp_path / "a.mp4", 1, rotation_deg=counterclockwise_deg)

    [frame] = read(clip)[0]

    bgr = to_bgr(frame.picture)
    height, width = bgr.shape[:2]
    rows, columns = np.nonzero(bgr[:, :, 1] > 128)
    where = f"{'top' if rows.mean() < height / 2 else 'bottom'} {'left' if columns.mean() < width / 2 else 'right'}"
    assert (frame.picture.rotation_deg, frame.picture.size_wh, where) == (clockwise_deg, size_wh, corner)


@pytest.mark.parametrize(
    ("file", "codec", "pix_fmt"),
    [
        ("a.mp4", "libx264", "yuv444p"),
        ("a.mp4", "libx264", "yuv420p10le"),
        ("a.mp4", "libx264", "yuvj420p"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.mkv", "libx265", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"),
    ],
)
def test_every_pixel_format_becomes_the_same_picture(tmp_path, file, codec, pix_fmt):
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    [frame] = read(write_clip(tmp_path / file, [square(3)], codec=codec, pix_fmt=pix_fmt, **options))[0]

    assert frame.picture.layout == "i420"
    bgr = to_bgr(frame.picture)
    assert np.abs(bgr[6:12, 9:13].astype(int) - BRIGHT).mean() < 6
    assert np.abs(bgr[30:, 30:].astype(int) - DARK).mean() < 4


def test_odd_sizes_are_read_whole(tmp_path):
    [frame] = read(write_clip(tmp_path / "a.mp4", [square(3, (63, 47))], size_wh=(63, 47), pix_fmt="yuv444p"))[0]

    assert [plane.shape for plane in frame.picture.planes] == [(47, 63), (24, 32), (24, 32)]
    assert to_bgr(frame.picture).shape == (47, 63, 3)
    assert left_side(to_bgr(frame.picture)) == 6


def test_frames_outlive_their_file_and_cannot_be_written_to(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 30, bf=2)
    kept = read(clip)[0]

    copies = []
    for item in source(clip).frames():
        if isinstance(item, Frame):
            copies.append([plane.copy() for plane in item.picture.planes])

    for frame, planes in zip(kept, copies, strict=True):
        for plane, copy in zip(frame.picture.planes, planes, strict=True):
            np.testing.assert_array_equal(plane, copy)
            with pytest.raises(ValueError, match="read-only"):
                plane[0, 0] = 0


def test_threads_change_nothing(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 30, bf=2)

    one, two = read(clip)[0], read(clip, threads=3)[0]

    assert pts_ms(one) == pts_ms(two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.picture.planes[0], b.picture.planes[0])


def test_the_length_is_known_once_the_file_is_open(tmp_path):
    clip = source(write_clip(tmp_path / "a.mp4", 20))

    assert clip.duration_ns is None
    stream = clip.frames()
    next(stream)
    assert clip.duration_ns == 800_000_000
    stream.close()


@pytest.mark.parametrize("share", [0.85, 0.9, 0.95, 0.99])
def test_a_cut_file_is_read_as_far_as_it_goes_and_the_rest_is_counted(tmp_path, caplog, share):
    clip = cut(write_clip(tmp_path / "a.mp4", 30, bf=2), share)

    frames, other = read(clip)

    assert 0 < len(frames) < 30
    assert steps(frames) == list(range(len(frames)))
    assert len(frames) + other["corrupt"] == 30
    assert caplog.record_tuples == [
        (
            "nodes.decode_video",
            logging.WARNING,
            f"stream=door {clip}: damaged or missing frames: {other['corrupt']}; the rest was read",
        )
    ]


@pytest.mark.parametrize(
    ("file", "share", "how"),
    [
        ("a.mkv", 0.65, {"g": 5, "container": {"cluster_time_limit": "100"}}),
        ("a.avi", 0.4, {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    ],
)
def test_a_cut_file_without_an_index_in_front_is_told_of(tmp_path, file, share, how):
    clip = write_clip(tmp_path / file, 30, **how)
    assert read(clip)[1] == {}

    frames, other = read(cut(clip, share))

    assert 0 < len(frames) < 30
    assert other == {"corrupt": 1}


@pytest.mark.parametrize("behind", [-1, 4, 40, 100, 220])
def test_a_fragmented_file_that_a_crash_cut_is_read_as_far_as_it_goes(tmp_path, behind):
    movflags = "frag_keyframe+empty_moov+default_base_moof"
    clip = write_clip(tmp_path / "a.mp4", 30, bf=0, g=5, container={"movflags": movflags})
    content = clip.read_bytes()
    last_fragment = content.rindex(b"moof")
    clip.write_bytes(content[: last_fragment + behind])

    frames, _ = read(clip)

    assert steps(frames) == list(range(len(frames)))
    assert 25 <= len(frames) < 30


def test_damage_in_the_middle_is_dropped_and_counted(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 30, bf=0, g=5)
    content = bytearray(clip.read_bytes())
    middle = len(content) * 9 // 10
    content[middle : middle + 60] = bytes(60)
    clip.write_bytes(content)

    frames, other = read(clip)

    assert other["corrupt"] > 0
    assert 10 < len(frames) < 30
    assert len(frames) + other["corrupt"] == 30


def test_a_frame_that_lost_a_part_on_the_way_is_dropped_and_counted(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    clip = write_clip(tmp_path / "a.ts", [square(0), square(1), noise, square(3)], bf=0)
    packets = [clip.read_bytes()[at : at + 188] for at in range(0, clip.stat().st_size, 188)]
    middle = len(packets) // 2  # of the noise, which takes most of the packets
    clip.write_bytes(b"".join(packets[:middle] + packets[middle + 1 :]))

    frames, other = read(clip)

    assert (pts_ms(frames), other) == ([0, 40, 120], {"corrupt": 1})


def test_a_stream_that_changes_size_carries_on(tmp_path):
    small = write_clip(tmp_path / "small.h264", 5)
    large = write_clip(tmp_path / "large.h264", 5, size_wh=(96, 64))
    (tmp_path / "both.h264").write_bytes(small.read_bytes() + large.read_bytes())

    frames, _ = read(tmp_path / "both.h264")

    assert [frame.picture.size_wh for frame in frames] == [(64, 48)] * 5 + [(96, 64)] * 5
    assert steps(frames) == [0, 1, 2, 3, 4] * 2


def test_time_that_starts_again_is_a_discontinuity(tmp_path):
    clip = write_clip(tmp_path / "a.ts", 20, bf=0)
    clip.write_bytes(clip.read_bytes() * 2)

    frames, other = read(clip)

    assert pts_ms(frames) == [40.0 * index for index in range(20)] * 2
    assert other == {"discontinuity": 1}


def test_frames_above_the_rate_are_dropped_and_counted(tmp_path):
    frames, other = read(write_clip(tmp_path / "a.mp4", 20), max_fps=5)

    assert pts_ms(frames) == [0, 200, 400, 600]
    assert other == {"rate_limit": 16}


def write_pictures(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for step, name in enumerate(names):
        cv2.imwrite(str(folder / name), square(step))
    return folder


def test_a_folder_of_pictures_is_read_in_counting_order(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.jpg", "10.bmp", "b1.webp"])
    (folder / "notes.txt").write_text("not a picture")

    frames, other = read(folder, pictures_fps=4)

    assert (steps(frames), pts_ms(frames), other) == ([0, 1, 2, 3], [0, 250, 500, 750], {})


def test_a_glob_of_pictures_is_read(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["a1.png", "a2.png", "b1.png"])

    assert steps(read(folder / "a*.png")[0]) == [0, 1]


def test_a_damaged_picture_is_dropped_and_counted(tmp_path, caplog):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"no picture")

    frames, other = read(folder)

    assert (steps(frames), pts_ms(frames), other) == ([0, 2], [0, 200], {"corrupt": 1})
    assert caplog.messages == [f"stream=door {folder}: damaged or missing frames: 1; the rest was read"]


def test_pictures_are_thinned_before_they_are_decoded(tmp_path):
    folder = write_pictures(tmp_path / "shots", ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"no picture")

    assert read(folder, pictures_fps=10, max_fps=5)[1] == {"rate_limit": 1}


def test_a_folder_of_damaged_pictures_is_refused(tmp_path):
    folder = tmp_path / "shots"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"")

    assert refusal(folder) == (f"stream 'door': {folder}: expected pictures, got 1 damaged files; copy them again")


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    write_clip(tmp_path / "a.mp4", 1)

    assert refusal(tmp_path) == (
        f"stream 'door': {tmp_path}: expected pictures (.bmp, .jpeg, .jpg, .png, .tif, .tiff, .webp), got .mp4; give a "
        "folder of pictures, or videos one by one, each as a stream of its own"
    )


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "no.mp4") == (
        f"stream 'door': {tmp_path}/no.mp4: expected a video file, got nothing there; check the path"
    )


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.mp4").touch()

    assert refusal(tmp_path / "a.mp4") == (
        f"stream 'door': {tmp_path}/a.mp4: expected a video file, got an empty file; copy or record it again"
    )


def test_a_device_is_refused():
    assert refusal("/dev/zero") == (
        "stream 'door': /dev/zero: expected a video file, got a device or pipe; give a file"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"FFmpeg would draw this text as a picture\n" * 40),
        ("list.ffconcat", b"ffconcat version 1.0\nfile a.mp4\n"),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"),
        ("a.mp4", b"\0\1\2\3" * 200),
    ],
)
def test_what_is_no_video_is_refused_whatever_its_name(tmp_path, name, content):
    write_clip(tmp_path / "a.mp4", 2)
    (tmp_path / name).write_bytes(content)

    message = refusal(tmp_path / name)

    assert message.startswith(
        f"stream 'door': {tmp_path}/{name}: expected a video file, got one that FFmpeg cannot open ("
    )
    assert message.endswith("); if it should be a video, it is cut off or damaged: copy or record it again")


def test_sound_alone_is_refused(tmp_path):
    assert refusal(write_sound(tmp_path / "a.m4a")) == (
        f"stream 'door': {tmp_path}/a.m4a: expected a video, got a file with audio (aac); give a file that has moving "
        "pictures"
    )


def test_a_video_without_a_whole_frame_is_refused(tmp_path):
    clip = cut(write_clip(tmp_path / "a.mp4", 5), 0.7)

    assert refusal(clip) == (
        f"stream 'door': {clip}: expected frames, got none that can be decoded (5 damaged); copy or record it again"
    )


def test_a_picture_larger_than_memory_should_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_PIXELS", 1000)

    assert refusal(write_clip(tmp_path / "a.mp4", 2)) == (
        f"stream 'door': {tmp_path}/a.mp4: expected to read on, got: Invalid argument; copy or convert the file"
    )


def test_a_camera_that_is_not_there_is_refused():
    assert refusal("/dev/video99").startswith(
        "stream 'door': camera '/dev/video99': expected the device /dev/video99, got none; cameras here: "
    )


def test_an_address_that_nobody_answers_hides_its_password():
    assert refusal("rtsp://me:secret@127.0.0.1:1/door") == (
        "stream 'door': rtsp://me:***@127.0.0.1:1/door: expected a stream, got: Connection refused; check that the "
        "address is right and the sender runs"
    )


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
def camera_clip(tmp_path: Path) -> Path:
    pictures = [square(index % 20) for index in range(40)]
    pictures[30] = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)  # too much for one packet
    return write_clip(tmp_path / "a.h264", pictures, bf=0, g=10, tune="zerolatency")


def test_a_camera_on_the_network_is_read_until_it_hangs_up(camera_clip):
    items = []
    with RtspServer(camera_clip) as camera, pytest.raises(SourceError) as caught:
        for item in source(camera.url).frames():
            items.append(item)

    frames = [item for item in items if isinstance(item, Frame)]
    assert pts_ms(frames) == [40.0 * index for index in range(40)]
    assert steps(frames[:30] + frames[31:]) == [index % 20 for index in range(40) if index != 30]
    assert [item for item in items if not isinstance(item, Frame)] == [None]  # the packet that flushes the decoder
    assert str(caught.value) == (
        f"stream 'door': {camera.url.replace('secret', '***')}: expected frames without end, got the end: the sender "
        "is gone; check that it still runs and the network holds"
    )


def test_a_silent_camera_is_lost_within_its_deadline(camera_clip):
    frames = []
    with RtspServer(camera_clip, 35) as camera, pytest.raises(SourceError, match="got: no data in time; check that it"):
        for item in source(camera.url, read_timeout_s=0.1).frames():
            frames.append(item)

    assert 33 <= len(frames) <= 35


def test_a_refused_password_is_told_without_it(server):
    url = f"http://me:secret@127.0.0.1:{server.server_port}/private"

    assert refusal(url) == (
        f"stream 'door': http://me:***@127.0.0.1:{server.server_port}/private: expected to be let in, got Server "
        "returned 401 Unauthorized (authorization failed); check user and password in the address"
    )
