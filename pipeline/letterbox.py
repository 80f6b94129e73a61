"""Where a picture stands in a model input that keeps its shape."""

from __future__ import annotations


def content_size(frame_wh: tuple[int, int], size_wh: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of a frame in the upper left corner of a letterbox, whole pixels, at least 1 each.

    Args:
        frame_wh: of the upright frame, pixels.
        size_wh: of the letterbox, pixels. The frame fills one of its axes, to the pixel, and no more of the other.
    """
    scale = min(size_wh[0] / frame_wh[0], size_wh[1] / frame_wh[1])
    width, height = (max(1, min(round(side * scale), most)) for side, most in zip(frame_wh, size_wh, strict=True))
    return width, height
