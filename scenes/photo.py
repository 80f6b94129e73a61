"""What lies between a scene and a recorded picture: exposure, lens, sensor noise and compression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.lettering import digit_row

Bytes = NDArray[np.uint8]
Colours = NDArray[np.float32]


@dataclass(frozen=True)
class Recorder:
    """The settings of one camera; the same for all frames of a clip."""

    gamma: float
    balance: Colours
    """(3,) gain of blue, green and red."""
    haze: float
    """Grey level of stray light, 0: none."""
    vignette: float
    blur_px: float
    sharpen: float
    noise: float
    grey: bool
    jpeg: int
    """Quality of a still's compression, 0: none."""
    stamp: int
    """Size of the date's digits in pixels, 0: none."""


def sample_recorder(rng: np.random.Generator, difficulty: float) -> Recorder:
    """Draw a camera; `difficulty` (0 to 1) worsens light, focus and noise."""
    gain = rng.uniform(0.92, 1.08, 3) * rng.uniform(0.8, 1.18)
    blurred = rng.random() < 0.35 + 0.25 * difficulty
    return Recorder(
        gamma=float(rng.uniform(0.62 - 0.15 * difficulty, 1.2 + 0.4 * difficulty)),
        balance=gain.astype(np.float32),
        haze=float(rng.uniform(15, 60)) if rng.random() < 0.3 else 0.0,
        vignette=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.3 else 0.0,
        blur_px=float(rng.uniform(0.3, 0.9 + 0.8 * difficulty)) if blurred else 0.0,
        sharpen=float(rng.uniform(0.2, 1.2)) if rng.random() < 0.3 else 0.0,
        noise=float(rng.uniform(0, 5 + 9 * difficulty)),
        grey=bool(rng.random() < 0.03 + 0.1 * difficulty),
        jpeg=int(rng.integers(35, 92)) if rng.random() < 0.5 else 0,
        stamp=int(rng.integers(5, 11)) if rng.random() < 0.12 else 0,
    )


def record(
    picture: Colours, size_wh: tuple[int, int], recorder: Recorder, rng: np.random.Generator, *, compress: bool = True
) -> Bytes:
    """Turn a rendered (h, w, 3) float32 picture into a (H, W, 3) uint8 photograph of the given size."""
    if (picture.shape[1], picture.shape[0]) != size_wh:
        picture = np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.float32)
    levels = np.arange(256, dtype=np.float32) / 255
    curve = (255 * levels ** np.float32(recorder.gamma))[:, None] * recorder.balance[None, :]
    if recorder.haze:
        curve = curve * np.float32(0.78) + np.float32(recorder.haze)
    exposed = np.clip(picture + np.float32(0.5), 0, 255).astype(np.uint8)
    shot = cv2.LUT(exposed, curve[None].astype(np.float32)).astype(np.float32, copy=False)
    width, height = size_wh
    if recorder.vignette:
        across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
        down = np.linspace(-1, 1, height, dtype=np.float32) ** 2
        shot *= (1 - np.float32(recorder.vignette * 0.5) * (across[None, :] + down[:, None]))[..., None]
    if recorder.blur_px:
        shot = cv2.GaussianBlur(shot, (0, 0), recorder.blur_px).astype(np.float32, copy=False)
    if recorder.sharpen:
        soft = cv2.GaussianBlur(shot, (0, 0), 1.2)
        shot = cv2.addWeighted(shot, 1 + recorder.sharpen, soft, -recorder.sharpen, 0).astype(np.float32, copy=False)
    if recorder.stamp:
        ink = np.full(3, 245 if recorder.gamma < 1 else 255, np.float32)
        left = int(rng.integers(4, max(5, width - 19 * recorder.stamp - 4)))
        top = 5 if rng.random() < 0.5 else height - 3 * recorder.stamp
        digit_row(rng, shot, (left, top), recorder.stamp, ink)
    if recorder.noise:
        shot = shot + _noise(rng, shot.shape) * np.float32(recorder.noise)
    photo: Bytes = np.clip(shot + np.float32(0.5), 0, 255).astype(np.uint8)
    if recorder.grey:
        photo = np.repeat(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=-1)
    if compress and recorder.jpeg:
        packed = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, recorder.jpeg])[1]
        photo = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(photo)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Colours:
    """Return normal noise: a stretch of a fixed strip that starts anywhere, which is much cheaper than drawing it."""
    strip, wanted = _noise_strip(), math.prod(shape)
    start = int(rng.integers(len(strip)))
    tail = strip[start : start + wanted]
    missing = wanted - len(tail)
    if missing > len(strip):
        return np.resize(np.concatenate([tail, strip]), wanted).reshape(shape)
    return (np.concatenate([tail, strip[:missing]]) if missing else tail).reshape(shape)


@cache
def _noise_strip() -> Colours:
    return np.random.default_rng(5).standard_normal(1 << 22, dtype=np.float32)
