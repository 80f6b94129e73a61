"""Make one rendered picture look like many: placed, mirrored, and seen through a worse camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[Any]
"""(H, W, 3) u8 BGR; what OpenCV returns has no narrower type."""

_LOST_AREA = 1e-9
_NOISE_PX = 768


@dataclass(frozen=True)
class People:
    """The people of one picture; boxes and points in fractions of it."""

    body_box: NDArray[np.float32]
    """(N, 4) clipped to the picture."""
    head_box: NDArray[np.float32]
    """(N, 4) clipped to the picture."""
    body_visible: NDArray[np.float32]
    """(N,) 0..1."""
    head_visible: NDArray[np.float32]
    """(N,) 0..1."""
    vectors: NDArray[np.float32]
    """(N, 6) head xyz, gaze xyz, camera-ray frame; nan where nobody knows them."""
    target_point: NDArray[np.float32]
    """(N, 2) may lie outside; nan behind the camera."""
    in_frame: NDArray[np.bool_]
    """(N,) the target is in the picture."""
    face_box: NDArray[np.float32]
    """(N, 4) clipped to the picture; nan from behind."""
    face_visible: NDArray[np.float32]
    """(N,) 0..1; nan where nobody knows whether there is a face."""

    @classmethod
    def of_row(cls, truth: NDArray[Any], count: int) -> People:
        """Read the filled part of one row of training.data.Rows.truth."""
        row = truth[:count]
        return cls(
            np.array(row["body_box"]),
            np.array(row["head_box"]),
            np.array(row["body_visible"]),
            np.array(row["head_visible"]),
            np.concatenate([row["head_vector"], row["gaze_vector"]], 1),
            np.array(row["target_point"]),
            np.array(row["in_frame"]),
            np.array(row["face_box"]),
            np.array(row["face_visible"]),
        )


def place(
    picture: Pictures, people: People, size_wh: tuple[int, int], rng: np.random.Generator, scale: tuple[float, float]
) -> tuple[Pictures, People]:
    """Scale about the model size, shift, and mirror half of the time.

    Args:
        picture: (H, W, 3) u8.
        people: its people.
        size_wh: size of the returned picture.
        rng: source of chance.
        scale: least and largest scale; 1 fits the picture to `size_wh`.

    Returns:
        The new picture and the same people in its fractions; what lies outside is clipped and counts as hidden.
    """
    height, width = picture.shape[:2]
    out_w, out_h = size_wh
    zoom = float(np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]))))
    stretch = float(np.exp(rng.normal(0.0, 0.05)))
    scale_x, scale_y = zoom * stretch * out_w / width, zoom / stretch * out_h / height
    room_x, room_y = out_w - scale_x * width, out_h - scale_y * height
    shift_x = float(rng.uniform(min(0.0, room_x), max(0.0, room_x)))
    shift_y = float(rng.uniform(min(0.0, room_y), max(0.0, room_y)))
    mirrored = bool(rng.random() < 0.5)
    if mirrored:
        scale_x, shift_x = -scale_x, out_w - shift_x
    matrix = np.array([[scale_x, 0.0, shift_x], [0.0, scale_y, shift_y]])
    # warpAffine maps pixel centres at whole numbers, fractions have them at halves
    centred = matrix.copy()
    centred[0, 2] += 0.5 * scale_x - 0.5
    centred[1, 2] += 0.5 * scale_y - 0.5
    fill = tuple(int(v) for v in rng.integers(0, 255, 3))
    if zoom * out_w / width < 0.7:  # linear sampling of a much larger picture would alias
        picture = cv2.blur(picture, (2, 2)) if zoom * out_w / width > 0.5 else cv2.blur(picture, (3, 3))
    placed = cv2.warpAffine(picture, centred, size_wh, flags=cv2.INTER_LINEAR, borderValue=fill)
    return placed, _move(people, matrix, (width, height), size_wh, mirrored)


def _move(
    people: People, matrix: NDArray[np.float64], from_wh: tuple[int, int], to_wh: tuple[int, int], mirrored: bool
) -> People:
    gain = (np.array([matrix[0, 0], matrix[1, 1]]) * from_wh / to_wh).astype(np.float32)
    offset = (matrix[:, 2] / to_wh).astype(np.float32)

    def boxes(old: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        corners = old.reshape(-1, 2, 2) * gain + offset
        whole = np.concatenate([corners.min(1), corners.max(1)], 1)
        clipped = whole.clip(0.0, 1.0)
        return clipped, _area(clipped) / _area(whole).clip(_LOST_AREA)

    body_box, body_left = boxes(people.body_box)
    head_box, head_left = boxes(people.head_box)
    face_box, face_left = boxes(people.face_box)
    target = people.target_point * gain + offset
    inside = ((target >= 0.0) & (target < 1.0)).all(1)
    sign = np.array([-1, 1, 1, -1, 1, 1], np.float32) if mirrored else np.ones(6, np.float32)
    return People(
        body_box,
        head_box,
        people.body_visible * body_left,
        people.head_visible * head_left,
        people.vectors * sign,
        target,
        people.in_frame & inside,
        face_box,
        people.face_visible * np.nan_to_num(face_left),
    )


def _area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def weather(picture: Pictures, rng: np.random.Generator) -> Pictures:
    """Change light, colour, sharpness and compression as cameras differ in them; the content stays where it is."""
    levels = np.arange(256, dtype=np.float32) / 255.0
    gamma, gain, lift = np.exp(rng.normal(0.0, 0.25)), rng.uniform(0.7, 1.3), rng.uniform(-0.12, 0.12)
    tint = rng.uniform(0.85, 1.15, 3) if rng.random() < 0.5 else np.ones(3)
    curve = levels[:, None] ** gamma * gain * tint + lift
    picture = cv2.LUT(picture, (curve.clip(0.0, 1.0) * 255).astype(np.uint8)[None])
    if rng.random() < 0.25:
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = 1.0 if rng.random() < 0.4 else float(rng.uniform(0.2, 0.9))
        picture = cv2.addWeighted(grey, share, picture, 1.0 - share, 0.0)
    height, width = picture.shape[:2]
    if rng.random() < 0.25:  # a small picture enlarged, as scaled-down recordings are
        part = float(rng.uniform(0.4, 0.85))
        small = cv2.resize(picture, (int(width * part), int(height * part)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.1:  # oversharpened by the camera
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        amount = float(rng.uniform(0.3, 1.2))
        picture = cv2.addWeighted(picture, 1.0 + amount, soft, -amount, 0.0)
    if rng.random() < 0.35:
        spread = float(rng.uniform(1.0, 10.0))
        y, x = (int(rng.integers(0, _NOISE_PX - size + 1)) for size in (height, width))
        picture = cv2.add(picture, _noise()[y : y + height, x : x + width] * np.float32(spread), dtype=cv2.CV_8U)
    if rng.random() < 0.3:
        quality = int(rng.integers(20, 85))
        packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return picture


@cache
def _noise() -> NDArray[np.float32]:
    """Return unit noise (_NOISE_PX, _NOISE_PX, 3); windows of it are far cheaper than new noise."""
    return np.random.default_rng(0).standard_normal((_NOISE_PX, _NOISE_PX, 3), np.float32)


def cut_out(picture: Pictures, people: People, rng: np.random.Generator) -> tuple[Pictures, People]:
    """Cover up to four rectangles with one colour or a piece of empty picture; what they hide counts as hidden."""
    picture = picture.copy()
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        w, h = int(width * rng.uniform(0.03, 0.2)), int(height * rng.uniform(0.03, 0.3))
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        u, v = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        cover, source = (
            np.array([a / width, b / height, (a + w) / width, (b + h) / height], np.float32)
            for a, b in ((x, y), (u, v))
        )
        if _covered(people.body_box, source).any() or _covered(people.head_box, source).any():
            picture[y : y + h, x : x + w] = rng.integers(0, 255, 3)
        else:
            picture[y : y + h, x : x + w] = picture[v : v + h, u : u + w].copy()
        people = covered_by(people, cover)
    return picture, people


def covered_by(people: People, cover: NDArray[np.float32]) -> People:
    """Return the people with what the box `cover` (4,) hides of them taken off their visible parts."""
    return replace(
        people,
        head_visible=people.head_visible * (1.0 - _covered(people.head_box, cover)),
        body_visible=people.body_visible * (1.0 - _covered(people.body_box, cover)),
        face_visible=people.face_visible * (1.0 - np.nan_to_num(_covered(people.face_box, cover))),
    )


def _covered(boxes: NDArray[np.float32], cover: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the part of each box (N, 4) that `cover` (4,) hides, 0..1."""
    shared = np.concatenate([np.maximum(boxes[:, :2], cover[:2]), np.minimum(boxes[:, 2:], cover[2:])], 1)
    shared[:, 2:] = np.maximum(shared[:, 2:], shared[:, :2])
    return np.asarray(_area(shared) / _area(boxes).clip(_LOST_AREA))
