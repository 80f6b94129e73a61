"""Decoding real clips, made here with FFmpeg: times, formats, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.node import Frame
from pipeline.pictures import to_bgr
from tests.clips import BRIGHT, DARK, left_side, square, write_clip
from tests.decoding import pts_ms, read, source, steps


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
    options = {"x265-params": "log-level=none:bframes=0"} if codec == "libx265" else {}
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


def test_a_title_in_any_letters_is_no_obstacle(tmp_path):
    clip = write_clip(tmp_path / "a.mkv", 3, bf=0)
    written = clip.read_bytes()
    clip.write_bytes(written.replace(b"Lavf", b"\xff\xfe\xff\xfe"))

    assert written != clip.read_bytes()
    assert steps(read(clip)[0]) == [0, 1, 2]
