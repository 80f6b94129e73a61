"""Draw head crops for the head network: rendered for the purpose, or cut out of stills as the graphs cut them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Pictures, place, weather
from training.batches import judged_heads, still
from training.data import STILL_WH
from training.draws import Draws
from training.head_net import CROP_PX, CROP_SCALE

_MIRROR = np.array([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0], np.float32)
_BOX_JITTER = 0.07
_SCALE = (0.7, 1.6)
_WINDOW = 1.25
"""Side of the window that weather is made in, in crops: what lies beside a crop blurs into it."""
_COVERED_PART = 0.15


@dataclass(frozen=True)
class CropDraws:
    """Batches of head crops by step."""

    crops: Draws
    stills: Draws
    crops_each: int
    """Rendered crops in a batch."""
    stills_each: int
    """Stills in a batch, all of whose heads are taken."""
    seed: int

    def __call__(self, step: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return crops (M, 48, 48, 3) BGR and vectors (M, 6) of a step, half of them mirrored."""
        rng = np.random.default_rng([self.seed, 1, step])
        pictures: list[Pictures] = []
        vectors: list[NDArray[np.float32]] = []
        for k in range(self.crops_each):
            rows, index = self.crops[step * self.crops_each + k]
            truth = rows.truth[index, 0]
            self._take(np.asarray(rows.pictures[index]), truth["head_box"], 0.5, rng, pictures)
            vectors.append(np.concatenate([truth["head_vector"], truth["gaze_vector"]]))
        for k in range(self.stills_each):
            picture, people = place(*still(*self.stills[step * self.stills_each + k]), STILL_WH, rng, _SCALE)
            for row in np.flatnonzero(judged_heads(people, STILL_WH[1])):
                self._take(picture, people.head_box[row], 1.0, rng, pictures)
                vectors.append(people.vectors[row])
        wanted, mirrored = np.stack(vectors).astype(np.float32), rng.random(len(pictures)) < 0.5
        for row in np.flatnonzero(mirrored):
            pictures[row] = pictures[row][:, ::-1]
        return np.stack(pictures), np.where(mirrored[:, None], wanted * _MIRROR, wanted)

    @staticmethod
    def _take(
        picture: Pictures, box: NDArray[np.float32], weathered: float, rng: np.random.Generator, to: list[Pictures]
    ) -> None:
        """Cut one head out, its box moved a little; now and then something covers a part of it."""
        side = np.tile(box[2:] - box[:2], 2)
        moved = box + (rng.standard_normal(4) * _BOX_JITTER).astype(np.float32) * side
        height, width = picture.shape[:2]
        reach = max(4.0, max((moved[2] - moved[0]) * width, (moved[3] - moved[1]) * height) * CROP_SCALE / 2 * _WINDOW)
        x, y = (moved[0] + moved[2]) / 2 * width, (moved[1] + moved[3]) / 2 * height
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        window = picture[top : max(top + 8, int(y + reach) + 1), left : max(left + 8, int(x + reach) + 1)]
        if rng.random() < weathered:
            window = weather(np.ascontiguousarray(window), rng)
        in_window = (moved * np.array([width, height] * 2) - np.array([left, top] * 2)).astype(np.float32)
        crop = cut(window, in_window)
        if rng.random() < _COVERED_PART:
            u, v = (int(n) for n in rng.integers(-12, CROP_PX - 8, 2))
            w, h = (int(n) for n in rng.integers(8, 28, 2))
            crop[max(0, v) : max(0, v + h), max(0, u) : max(0, u + w)] = rng.integers(0, 255, 3)
        to.append(crop)


def cut(picture: Pictures, box_px: NDArray[np.float32]) -> Pictures:
    """Cut the square crop (48, 48, 3) about a box (4,) in pixels, as `head_net.crop_heads` does inside the graphs."""
    x1, y1, x2, y2 = (float(v) for v in box_px)
    half = max(x2 - x1, y2 - y1, 1e-3) * CROP_SCALE / 2
    step = 2 * half / CROP_PX
    first_x, first_y = (x1 + x2) / 2 - half + step / 2 - 0.5, (y1 + y2) / 2 - half + step / 2 - 0.5
    matrix = np.array([[step, 0.0, first_x], [0.0, step, first_y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (CROP_PX, CROP_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
