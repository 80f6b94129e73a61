"""Reading a stream as FFmpeg reads it, and the number in each picture."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import av
import numpy as np

from benchmarks.cameras.clips import read_number


def watch(url: str) -> Iterator[tuple[int | None, int | None]]:
    """Yield the time of each frame, in its own ticks, and its number."""
    options = {"rtsp_transport": "tcp", "analyzeduration": "100000"}
    with av.open(url, options=options, timeout=(5, 5)) as container:
        for frame in container.decode(video=0):
            yield frame.pts, number_of(frame)


def numbers(url: str, count: int) -> list[int | None]:
    """Return the numbers of the first frames of a stream."""
    return [number for _, (_, number) in zip(range(count), watch(url), strict=False)]


def number_of(frame: av.VideoFrame) -> int | None:
    plane = frame.planes[0]
    return read_number(np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width])


def follow(found: list[int | None], clip_frames: int) -> bool:
    """Tell whether each number follows the one before it."""
    assert None not in found
    return all((after - before) % clip_frames == 1 for before, after in pairwise(found))
