"""Frames of soft noise, for checks that need pictures and no video."""

from __future__ import annotations

import numpy as np

from pipeline.frames import FrameBatch, Picture


def frames_of(count: int, size_wh: tuple[int, int], seed: int) -> FrameBatch:
    """Return frames of soft noise in planes, as a decoder would give them."""
    rng, (width, height) = np.random.default_rng(seed), size_wh
    sizes = ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    pictures = tuple(
        Picture(
            tuple(
                np.kron(rng.integers(40, 215, (-(-h // 8), -(-w // 8))), np.ones((8, 8)))[:h, :w].astype(np.uint8)
                for h, w in sizes
            ),
            "i420",
        )
        for _ in range(count)
    )
    numbers = np.arange(count, dtype=np.int64)
    return FrameBatch(
        stream_id=("check",) * count,
        generation=0 * numbers,
        frame_index=numbers,
        pts_ns=40_000_000 * numbers,
        arrived_ns=0 * numbers,
        size_wh=np.tile(np.array(size_wh, np.int32), (count, 1)),
        pictures=pictures,
        streams={},
    )
