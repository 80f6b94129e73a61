"""What tests of decoding share: reading a stream to its end, and what it is refused with."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nodes.decode_video import Config, DecodeVideo
from pipeline.errors import SourceError
from pipeline.frames import Stream
from pipeline.node import Discontinuity, Dropped, Frame
from pipeline.pictures import to_bgr
from pipeline.streams import StreamConfig
from tests.clips import left_side
from tests.helpers import FakeContext


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
