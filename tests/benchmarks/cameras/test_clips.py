from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from benchmarks.cameras.clips import make_clip, read_clip
from pipeline.errors import ConfigError
from tests.benchmarks.cameras.watching import number_of
from tests.clips import write_clip


def numbers(path: Path) -> list[int | None]:
    with av.open(str(path)) as container:
        return [number_of(frame) for frame in container.decode(video=0)]


def lumas(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("source", ["shop", "plain"])
def test_every_frame_carries_its_number(tmp_path, codec, source):
    plain = {"source": None} if source == "plain" else {}

    clip = make_clip(tmp_path, (320, 180), frames=30, gop=10, codec=codec, **plain)

    assert numbers(clip.path) == list(range(30))
    assert (clip.codec, clip.size_wh) == (codec, (320, 180))
    assert [index for index, unit in enumerate(clip.units) if unit.is_key] == [0, 10, 20]
    assert [unit.presented for unit in clip.units] == list(range(30))


def test_a_source_shorter_than_the_clip_is_looped(tmp_path):
    short = write_clip(tmp_path / "a.mp4", 5)

    assert numbers(make_clip(tmp_path, (320, 180), frames=12, source=short).path) == list(range(12))


def test_numbers_do_not_creep_into_the_pictures_of_a_source_of_the_same_size(tmp_path):
    tall = cv2.resize(np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8), (320, 400))
    rising = [np.repeat(tall[step : step + 180, :, None], 3, axis=2) for step in range(0, 192, 16)]
    source = write_clip(tmp_path / "a.mp4", rising, size_wh=(320, 180), g=100, bf=0)

    made = make_clip(tmp_path, (320, 180), frames=12, source=source, mbit_s=8)

    pairs = zip(lumas(source), lumas(made.path), strict=True)
    assert max(np.abs(was[:160].astype(int) - now[:160]).mean() for was, now in pairs) < 4
    assert numbers(made.path) == list(range(12))


def test_frames_between_others_are_coded_after_them(tmp_path):
    clip = make_clip(tmp_path, (320, 180), frames=20, gop=10, source=None, b_frames=2)

    order = [unit.presented for unit in clip.units]
    assert sorted(order) == list(range(20))
    assert order[:4] == [0, 3, 1, 2]
    assert sorted(order[:10]) == list(range(10))  # none refers beyond its own group
    assert numbers(clip.path) == list(range(20))


def test_more_frames_than_numbers_are_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        make_clip(tmp_path, frames=65_537)

    assert str(caught.value) == "clip: expected 1 to 65536 frames, got 65537; a longer one has no numbers"


def test_another_codec_is_refused(tmp_path):
    path = write_clip(tmp_path / "a.avi", 5, codec="mjpeg", pix_fmt="yuvj420p")

    with pytest.raises(ConfigError) as caught:
        read_clip(path)

    assert str(caught.value) == (f"{path}: expected H.264 or H.265, a key frame first, got 'mjpeg'; make another")
