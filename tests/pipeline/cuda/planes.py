"""Decoded pictures for the kernels: smooth and noisy at once, in every layout, inside padded memory."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from pipeline.frames import Picture

LAYOUTS: tuple[Any, ...] = ("i420", "nv12", "bgr")
TURNS: tuple[Any, ...] = (0, 90, 180, 270)


def decoded(plane_wh: tuple[int, int], layout: Any, rotation_deg: Any = 0, seed: int = 0) -> Picture:
    """Return a picture whose planes are views into larger memory that holds something else."""
    width, height = plane_wh
    half = (width + 1) // 2, (height + 1) // 2
    random = np.random.default_rng(seed)
    if layout == "bgr":
        return Picture((padded(scene(random, plane_wh, 3), random),), "bgr", rotation_deg)
    # Chroma of real pictures keeps near grey; luma a little beyond its range shows whether it is clipped alike.
    y = padded(scene(random, plane_wh, 1)[:, :, 0], random)
    uv = (scene(random, half, 2) // 2 + 64).astype(np.uint8)
    if layout == "nv12":
        return Picture((y, padded(uv, random)), "nv12", rotation_deg)
    return Picture((y, *(padded(np.ascontiguousarray(uv[:, :, c]), random) for c in (0, 1))), "i420", rotation_deg)


def scene(random: np.random.Generator, size_wh: tuple[int, int], channels: int) -> np.ndarray:
    """Return (H, W, channels) u8: soft blobs as a lens shows them, and the noise of a sensor."""
    width, height = size_wh
    soft = [
        cv2.resize(random.uniform(5, 250, (3, 4)).astype(np.float32), size_wh, interpolation=cv2.INTER_CUBIC)
        for _ in range(channels)
    ]
    noisy = np.dstack(soft) + random.normal(0, 8, (height, width, channels))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def padded(plane: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the plane as a view: rows of memory are longer than its own, by other numbers for other planes."""
    height, width = plane.shape[:2]
    left, right = random.integers(1, 9, 2)
    memory = random.integers(0, 256, (height + 4, left + width + right, *plane.shape[2:]), np.uint8)
    view = memory[2 : 2 + height, left : left + width]
    view[:] = plane
    return view
