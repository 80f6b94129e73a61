"""What the group camera adds: motion blur, night pictures and video compression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.squeeze import squeezed
from scenes.style import Style

Bytes = NDArray[np.uint8]
Colours = NDArray[np.float32]

_NOTHING_SHARE = 0.3


@dataclass(frozen=True)
class Film:
    """How one camera blurs, sees at night and compresses; the same for all frames of a clip."""

    shake: float = 0.0
    """Length of the whole picture's motion blur, in widths of the picture."""
    shake_rad: float = 0.0
    """Its direction."""
    moving: float = 0.0
    """Longest motion blur of a single person, in widths of the picture."""
    night: str = ""
    """infrared, dim or empty."""
    hot: float = 0.0
    """How much brighter an infrared lamp makes the middle than the edges, or what share of the light is left."""
    noise: float = 0.0
    """Deviation of a night's noise in grey levels."""
    quality: int = 0
    """Rate factor of the video codec, 0: not compressed."""
    frames: int = 1
    """How many frames of video come before and with the one that is kept."""
    shrink: float = 1.0
    """Share of the picture's size at which it is compressed."""

    def smear(self, canvas: Canvas, rng: np.random.Generator) -> None:
        """Blur some people along the way they move; who they are and where stays as it is."""
        if not self.moving:
            return
        for body in range(1, int(canvas.owner.max(initial=0)) + 1, 2):
            length = float(rng.uniform(0, self.moving)) * canvas.camera.size_wh[0]
            angle = float(rng.normal(0, 0.35))
            if rng.random() < 0.5 and length > 1.5:
                _smear_one(canvas, body, length, angle)

    def expose(self, picture: Colours) -> Colours:
        """Return a rendered (h, w, 3) picture, 0 to 255, as blurred and lit."""
        h, w = picture.shape[:2]
        if self.shake:
            kernel = _streak(self.shake * w, self.shake_rad)
            picture = np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)
        if self.night == "infrared":
            grey = picture @ np.array([0.25, 0.35, 0.4], np.float32)
            far = np.hypot(np.linspace(-1, 1, w)[None, :], np.linspace(-1, 1, h)[:, None]).astype(np.float32)
            lamp = np.exp(-(far**2) * np.float32(1.2)) * np.float32(self.hot) + np.float32(0.25)
            return np.repeat((np.float32(14) + np.float32(0.9) * grey * lamp)[..., None], 3, axis=-1)
        if self.night == "dim":
            return picture * np.float32(self.hot) + np.float32(6)
        return picture

    def develop(self, photo: Bytes, rng: np.random.Generator) -> Bytes:
        """Return a (H, W, 3) photograph with a night's noise, as the video codec leaves it."""
        if self.night:
            grain = rng.normal(0, self.noise, photo.shape).astype(np.float32)
            shot = photo.astype(np.float32) + cv2.GaussianBlur(grain, (0, 0), 0.6) * np.float32(1.6)
            if self.night == "infrared":
                shot = np.repeat(shot.mean(axis=-1, keepdims=True), 3, axis=-1)
            photo = np.clip(shot, 0, 255).astype(np.uint8)
        return squeezed(photo, self.quality, self.frames, self.shrink, rng) if self.quality else photo

    def shoot(self, photo: Bytes, rng: np.random.Generator) -> Bytes:
        """Return a finished (H, W, 3) photograph, exposed and developed once more."""
        exposed: Bytes = np.clip(self.expose(photo.astype(np.float32)), 0, 255).astype(np.uint8)
        return self.develop(exposed, rng)


CLEAR = Film()
"""Adds nothing."""


def sample_film(style: Style, seed: int, stream: int = 0) -> tuple[Film, np.random.Generator]:
    """Draw what a scene's camera adds, nothing in a third of all scenes, and return the stream of its chance.

    Args:
        style: what the scene may show.
        seed: of the scene.
        stream: 0 for stills, 100 for clips, 200 for head crops.
    """
    rng = np.random.default_rng([28 + stream, seed])
    if not style.camera or rng.random() < _NOTHING_SHARE:
        return CLEAR, rng
    night = "" if rng.random() > 0.15 else "infrared" if rng.random() < 0.6 else "dim"
    film = Film(
        shake=float(rng.uniform(0.003, 0.014)) if rng.random() < 0.15 else 0.0,
        shake_rad=float(rng.uniform(-math.pi, math.pi)),
        moving=float(rng.uniform(0.01, 0.05)) if rng.random() < 0.4 else 0.0,
        night=night,
        hot=float(rng.uniform(0.6, 1.3) if night == "infrared" else rng.uniform(0.2, 0.6)),
        noise=float(rng.uniform(2, 12)),
        quality=int(rng.integers(22, 39)) if rng.random() < 0.65 else 0,
        frames=int(rng.integers(1, 4)),
        shrink=float(rng.uniform(0.6, 1.0)) if rng.random() < 0.35 else 1.0,
    )
    return film, rng


def _streak(length_px: float, angle: float) -> Colours:
    """Return the kernel of a motion in a straight line."""
    half = max(1, math.ceil(length_px / 2))
    side = 2 * half + 1
    kernel = np.zeros((side, side), np.float32)
    reach = np.array([math.cos(angle), math.sin(angle)]) * length_px / 2
    start, end = (np.round((half + sign * reach) * 16).astype(int) for sign in (-1, 1))
    cv2.line(kernel, tuple(start.tolist()), tuple(end.tolist()), 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _smear_one(canvas: Canvas, body: int, length_px: float, angle: float) -> None:
    mine = (canvas.owner == body) | (canvas.owner == body + 1)
    rows, columns = np.nonzero(mine.any(axis=1))[0], np.nonzero(mine.any(axis=0))[0]
    if not len(rows):
        return
    pad = math.ceil(length_px / 2) + 1
    h, w = canvas.depth.shape
    here = (
        slice(max(0, int(rows[0]) - pad), min(h, int(rows[-1]) + pad + 1)),
        slice(max(0, int(columns[0]) - pad), min(w, int(columns[-1]) + pad + 1)),
    )
    layer = np.dstack([canvas.bgr[here], np.full(mine[here].shape, 1.0, np.float32)]) * mine[here][..., None]
    soft = cv2.filter2D(layer.astype(np.float32), -1, _streak(length_px, angle), borderType=cv2.BORDER_CONSTANT)
    # What moves covers what is behind it for a share of the time; what it uncovers keeps its own colour.
    canvas.bgr[here] = soft[..., :3] + canvas.bgr[here] * (1 - soft[..., 3:])
