"""The time that telling things from people takes, on pictures of 1080p with ten people."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from nodes.detect_still import Config, DetectStill
from nodes.types import Detections
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.streams import StreamConfig

SIZE_WH = (1920, 1080)
FPS = 25
PEOPLE = 10
SECONDS = 12
"""Long enough for half of them to become things, with stillness of 2 s."""
REPEATS = 3


def ms_per_frame(clock: Callable[[], float]) -> float:
    """Return milliseconds of a frame, the best of some runs: half of the people walk, half of them are things."""
    rng = np.random.default_rng(1)
    luma = cv2.GaussianBlur(rng.integers(0, 255, SIZE_WH[::-1], np.uint8), (0, 0), 3)
    grey = np.full((SIZE_WH[1] // 2, SIZE_WH[0] // 2), 128, np.uint8)
    picture = Picture((luma, grey, grey), "i420")
    ticks = [(_frame(number, picture), _people(number / FPS)) for number in range(SECONDS * FPS)]
    times = []
    for _ in range(REPEATS):
        context: Any = SimpleNamespace(device=CpuDevice())
        node = DetectStill(Config(still_s=2.0), context)
        node.open()
        began = clock()
        for frames, people in ticks:
            node.process(frames, people)
        times.append(clock() - began)
    return round(min(times) * 1e3 / len(ticks), 3)


def _frame(number: int, picture: Picture) -> FrameBatch:
    return FrameBatch(
        stream_id=("shop",),
        generation=np.zeros(1, np.int64),
        frame_index=np.array([number]),
        pts_ns=np.array([number * 1_000_000_000 // FPS]),
        arrived_ns=np.zeros(1, np.int64),
        size_wh=np.array([SIZE_WH], np.int32),
        pictures=(picture,),
        streams={"shop": Stream("shop", StreamConfig(url="shop.mp4"))},
    )


def _people(at_s: float) -> Detections:
    """Return ten people, of whom every second one walks."""
    number = np.arange(PEOPLE)
    x = 0.02 + 0.08 * number + np.where(number % 2, 0.03 * np.sin(0.8 * at_s + number), 0)
    y = 0.1 + 0.03 * number
    head = np.stack([x + 0.02, y, x + 0.05, y + 0.08], axis=1)
    body = np.stack([x, y, x + 0.08, y + 0.5], axis=1)
    return Detections(
        frame_row=np.zeros(PEOPLE, np.int64),
        head_box=head.astype(np.float32),
        head_score=np.full(PEOPLE, 0.8, np.float32),
        body_box=body.astype(np.float32),
        body_score=np.full(PEOPLE, 0.7, np.float32),
        direction_scores=np.zeros((PEOPLE, 8), np.float32),
        appearance=np.empty((PEOPLE, 0), np.float32),
    )
