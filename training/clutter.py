"""Cover part of a picture with heaps of round things: bowls, jars and fruit are what small detectors take for heads."""

from __future__ import annotations

import cv2
import numpy as np

from training.augment import People, Pictures, covered_by

_SHARE_OF_WIDTH, _SHARE_OF_HEIGHT = (0.15, 0.7), (0.12, 0.5)


def heap(picture: Pictures, people: People, rng: np.random.Generator) -> tuple[Pictures, People]:
    """Draw rows of shaded round things over a rectangle, larger towards the bottom; what they hide counts as hidden.

    Args:
        picture: (H, W, 3) u8.
        people: its people.
        rng: source of chance.

    Returns:
        The new picture, and the people with less of them visible.
    """
    picture = picture.copy()
    height, width = picture.shape[:2]
    w, h = int(width * rng.uniform(*_SHARE_OF_WIDTH)), int(height * rng.uniform(*_SHARE_OF_HEIGHT))
    left, top = int(rng.integers(0, width - w)), int(rng.integers(0, height - h // 3))  # may go on below the picture
    picture[top : top + h, left : left + w] = rng.integers(20, 255, 3)
    colours = _palette(rng)
    shape = float(rng.uniform(0.45, 1.3))  # height against width
    near, growth = height * np.exp(rng.uniform(np.log(0.02), np.log(0.14))), rng.uniform(1.0, 2.5)
    y = float(top)
    while y < top + h:
        radius = near / growth * (1 + (growth - 1) * (y - top) / h)
        for x in np.arange(left + radius, left + w, 2 * radius * rng.uniform(0.8, 1.6)):
            _draw(picture, x, y, radius * rng.uniform(0.7, 1.2), shape, colours[rng.integers(len(colours))], rng)
        y += radius * shape * rng.uniform(0.7, 1.6)
    reach = near * 1.2
    box = np.array([(left - reach) / width, (top - reach) / height, (left + w + reach) / width, (y + reach) / height])
    return picture, covered_by(people, box.clip(0, 1).astype(np.float32))


def _palette(rng: np.random.Generator) -> list[np.ndarray]:
    """Return some colours: crockery white, one pale or brown family as goods of one kind have, or any colours."""
    kind = rng.random()
    if kind < 0.2:
        return list(rng.uniform(0, 255, (5, 3)))
    if kind < 0.55:
        return list((rng.uniform(150, 250) + rng.normal(0, 8, (4, 3))).clip(0, 255))
    middle = rng.uniform(60, 245) * np.array([rng.uniform(0.6, 1.05), rng.uniform(0.8, 1.0), 1.0])
    return list((middle + rng.normal(0, 14, (int(rng.integers(2, 7)), 3))).clip(0, 255))


def _draw(
    picture: Pictures, x: float, y: float, radius: float, shape: float, colour: np.ndarray, rng: np.random.Generator
) -> None:
    """Draw one thing: a dark edge, the body, a light spot, and half of the time a mouth as bowls and jars have."""
    sixteenths = 4  # OpenCV's binary places for parts of a pixel

    def ellipse(dx: float, dy: float, part: float, squash: float, shade: float) -> None:
        centre = (int((x + dx * radius) * 16), int((y + dy * radius * shape) * 16))
        axes = (max(8, int(radius * part * 16)), max(8, int(radius * part * shape * squash * 16)))
        value = tuple(float(v) for v in (colour * shade).clip(0, 255))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, value, -1, cv2.LINE_AA, sixteenths)

    side = float(rng.uniform(-0.3, 0.3))
    ellipse(0.0, 0.0, 1.0, 1.0, float(rng.uniform(0.35, 0.7)))
    ellipse(side * 0.3, -0.1, 0.9, 0.9, 1.0)
    ellipse(side, -0.3, 0.45, 0.5, float(rng.uniform(1.05, 1.3)))
    if rng.random() < 0.5:
        ellipse(0.0, -0.55, 0.7, 0.35, float(rng.uniform(0.4, 0.8)))
