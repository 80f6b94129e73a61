"""Compress single pictures as video cameras do: a few frames of H.264 on one thread, decoded again."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def squeezed(photo: Bytes, quality: int, frames: int, shrink: float, rng: np.random.Generator) -> Bytes:
    """Return a (H, W, 3) picture as the last of a few frames of video leaves it.

    Args:
        photo: BGR.
        quality: constant rate factor of the encoder, 0 to 51; more is worse.
        frames: how many are encoded; all but the last are the picture shifted by a pixel or two, which it is
            predicted from.
        shrink: share of the picture's size at which it is encoded, then enlarged again.
        rng: source of the shifts.
    """
    height, width = photo.shape[:2]
    size = tuple(max(16, round(side * shrink / 2) * 2) for side in (width, height))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    run = [np.roll(small, tuple(rng.integers(-2, 3, 2).tolist()), axis=(0, 1)) for _ in range(frames - 1)]
    decoded = _decoded(_encoded([*run, small], quality))
    enlarged = cv2.resize(decoded, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, np.uint8)


def _encoded(pictures: list[Bytes], quality: int) -> list[bytes]:
    import av

    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(quality), "preset": "veryfast", "tune": "zerolatency", "threads": "1"}
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame.pts = number
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets + [bytes(packet) for packet in encoder.encode(None)]


def _decoded(packets: list[bytes]) -> Bytes:
    """Return the last frame."""
    import av

    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for data in packets for frame in decoder.decode(av.Packet(data))]
    frames += decoder.decode(None)
    return np.asarray(frames[-1].to_ndarray(format="bgr24"), np.uint8)
