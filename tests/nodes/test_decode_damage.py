"""Decoding what is cut, damaged, incomplete, or does not go on as it began."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from tests.clips import cut, square, write_clip
from tests.decoding import pts_ms, read, steps


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
