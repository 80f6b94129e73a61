"""Draw on a picture with lines and letters that fit its size: legible at 480 lines and at 2160."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from nodes.ops.colours import BLACK, Colour, ink

Point = tuple[float, float]
Rect = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels; x2 and y2 lie outside."""
Part = tuple[str, Colour]
"""A text and the colour of the paper under it."""

UNICODE = int(cv2.__version__.split(".", 1)[0]) >= 5
"""OpenCV 4 brings fonts for ASCII only."""
LONGEST = 28
FONT = cv2.FONT_HERSHEY_SIMPLEX


class Canvas:
    """A picture, (H, W, 3) u8 BGR, that is drawn into. Points are fractions of the picture; what leaves it is cut off.

    Sizes follow the shorter side: one unit is a line at 480.
    """

    def __init__(self, image: np.ndarray, scale: float = 1.0, line_width: float = 1.0) -> None:
        self.image = image
        self.height, self.width = image.shape[:2]
        unit = min(self.width, self.height) / 480 * scale
        self.line = max(1, round(1.5 * unit * line_width))
        self._font_scale = max(0.38, 0.42 * unit)
        self._weight = max(1, round(0.6 * unit))
        self._pad = max(2, round(3 * unit))
        self._taken: list[Rect] = []

    def px(self, point: Point) -> tuple[int, int]:
        """Return the pixel of a point, kept within a picture's width and height around the picture."""
        return (
            round(min(max(point[0], -1.0), 2.0) * self.width),
            round(min(max(point[1], -1.0), 2.0) * self.height),
        )

    def path(self, points: Sequence[Point], colour: Colour, width: float = 1.0, closed: bool = False) -> None:
        """Draw a line over points with a dark edge, `width` times the width of lines."""
        corners = np.array([self.px(point) for point in points], np.int32)[None]
        thick = max(1, round(self.line * width))
        cv2.polylines(self.image, list(corners), closed, BLACK, thick + max(2, self.line), cv2.LINE_AA)
        cv2.polylines(self.image, list(corners), closed, colour, thick, cv2.LINE_AA)

    def brackets(self, box: Sequence[float], colour: Colour, width: float = 1.0) -> None:
        """Draw the corners of a box."""
        x1, y1, x2, y2 = *self.px((box[0], box[1])), *self.px((box[2], box[3]))
        side = round(0.22 * min(x2 - x1, y2 - y1))
        corners = ((x1, y1, side, side), (x2, y1, -side, side), (x2, y2, -side, -side), (x1, y2, side, -side))
        bars = [bar for x, y, dx, dy in corners for bar in ((x, y, x + dx, y), (x, y, x, y + dy))]
        self._bars(bars, colour, width)

    def box(self, box: Sequence[float], colour: Colour, width: float = 1.0) -> None:
        """Draw the outline of a box."""
        x1, y1, x2, y2 = *self.px((box[0], box[1])), *self.px((box[2], box[3]))
        self._bars([(x1, y1, x2, y1), (x2, y1, x2, y2), (x1, y2, x2, y2), (x1, y1, x1, y2)], colour, width)

    def _bars(self, bars: Sequence[Rect], colour: Colour, width: float) -> None:
        """Draw level and upright lines with a dark edge: filled, which is far cheaper than smooth lines."""
        thick = max(1, round(self.line * width))
        edge = max(1, self.line // 2)
        for shade, grow in ((BLACK, thick // 2 + edge), (colour, thick // 2)):
            for x1, y1, x2, y2 in bars:
                left, right = min(x1, x2) - grow, max(x1, x2) + grow + thick % 2
                top, bottom = min(y1, y2) - grow, max(y1, y2) + grow + thick % 2
                self.image[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = shade

    def arrow(self, centre: Point, direction: Point, inner_px: float, outer_px: float, colour: Colour) -> None:
        """Draw an arrow away from a point, between two distances from it given in pixels."""
        x, y = self.px(centre)
        start, end = ((round(x + r * direction[0]), round(y + r * direction[1])) for r in (inner_px, outer_px))
        tip = min(0.9, 4 * self.line / max(outer_px - inner_px, 1.0))
        for shade, thick in ((BLACK, self.line + max(2, self.line)), (colour, self.line)):
            cv2.arrowedLine(self.image, start, end, shade, thick, cv2.LINE_AA, tipLength=tip)

    def dot(self, point: Point, colour: Colour, radius: float = 1.0) -> None:
        """Draw a ring with a dot in it, `radius` times its usual size."""
        size = max(3, round(4 * self.line * radius))
        centre = self.px(point)
        cv2.circle(self.image, centre, size, BLACK, 2 * self.line + 1, cv2.LINE_AA)
        cv2.circle(self.image, centre, size, colour, self.line, cv2.LINE_AA)
        cv2.circle(self.image, centre, max(1, size // 3), colour, cv2.FILLED, cv2.LINE_AA)

    def spot(self, point: Point, colour: Colour) -> None:
        """Draw a small filled dot with a dark edge."""
        radius = max(2, 2 * self.line)
        cv2.circle(self.image, self.px(point), radius + max(1, self.line // 2), BLACK, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(self.image, self.px(point), radius, colour, cv2.FILLED, cv2.LINE_AA)

    def wash(self, rings: Sequence[Sequence[Point]], colour: Colour, share: float) -> None:
        """Tint what lies inside an outline and outside its holes; `share` 1 covers it."""
        corners = [np.array([self.px(point) for point in ring], np.int32) for ring in rings]
        x1, y1 = np.maximum(corners[0].min(axis=0), 0)
        x2, y2 = np.minimum(corners[0].max(axis=0) + 1, (self.width, self.height))
        if x1 < x2 and y1 < y2:
            region = self.image[y1:y2, x1:x2]
            tinted = region.copy()
            cv2.fillPoly(tinted, [ring - [x1, y1] for ring in corners], colour)
            cv2.addWeighted(tinted, share, region, 1 - share, 0, dst=region)

    def label(self, at: Point, parts: Sequence[Part], above: bool = True) -> Rect:
        """Write texts side by side, each on its paper, above or below a point, and return where.

        A label is moved up or down until it covers no earlier one, and never leaves the picture.
        """
        sizes = [text_size(text, self._font_scale, self._weight) for text, _ in parts]
        tall = max(size[1] + base for size, base in sizes) + 2 * self._pad
        wide = sum(size[0] + 2 * self._pad for size, _ in sizes)
        x, y = self.px(at)
        place = self._place((x, y - tall, x + wide, y) if above else (x, y, x + wide, y + tall))
        x1, y1, _, y2 = place
        for (text, paper), ((width, _), _) in zip(parts, sizes, strict=True):
            right = min(x1 + width + 2 * self._pad, self.width)
            self.image[y1:y2, x1:right] = paper
            base = y2 - self._pad - max(base for _, base in sizes)
            self._write(text, (x1 + self._pad, base), ink(paper))
            x1 = right
        return place

    def caption(self, text: str) -> None:
        """Write a text into the lower left corner."""
        self.label((0.0, 1.0), [(text, BLACK)])

    def _write(self, text: str, at: tuple[int, int], colour: Colour) -> None:
        cv2.putText(self.image, printable(text), at, FONT, self._font_scale, colour, self._weight, cv2.LINE_AA)

    def _place(self, wanted: Rect) -> Rect:
        """Return the place for a label nearest to the wanted one that is free, in steps of its height."""
        x1, y1, x2, y2 = wanted
        tall = y2 - y1
        x1 = max(0, min(x1, self.width - (x2 - x1)))
        x2 = min(x1 + x2 - wanted[0], self.width)
        places = []
        for step in (0, -1, 1, -2, 2, -3, 3):
            top = max(0, min(y1 + step * (tall + 1), self.height - tall))
            places.append((x1, top, x2, min(top + tall, self.height)))
        free = next((place for place in places if not any(overlaps(place, other) for other in self._taken)), places[0])
        self._taken.append(free)
        return free


@lru_cache(maxsize=1024)
def text_size(text: str, font_scale: float, weight: int) -> tuple[tuple[int, int], int]:
    """Return width and height of a text and its depth below the line, pixels; measuring costs more than drawing."""
    (width, height), base = cv2.getTextSize(printable(text), FONT, font_scale, weight)
    return (int(width), int(height)), int(base)


def overlaps(one: Rect, other: Rect) -> bool:
    """Tell whether two rectangles share a pixel."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def printable(text: str) -> str:
    """Return a text as the font can draw it: shortened, and in ASCII where the font has nothing else.

    Accents are dropped then; any other letter becomes "?", so that its lack is seen.
    """
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    if UNICODE:
        return text
    plain = unicodedata.normalize("NFKD", text.replace("→", "->").replace("ß", "ss"))
    return "".join(c if c.isascii() else "?" for c in plain if not unicodedata.combining(c))
