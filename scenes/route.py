"""Walks between spots of a place: a way around the furniture, then a position for every moment."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.place import Place

Floats = NDArray[np.float64]
Spot = tuple[float, float]
"""x and z on the floor in metres."""

_CELL_M = 0.3
_BEHIND_CAMERA_M = -1.2


class Floor:
    """The cells of a place's floor on which a person can stand."""

    def __init__(self, place: Place) -> None:
        """Mark the free cells."""
        room = place.room
        self.origin = (room.left, _BEHIND_CAMERA_M)
        self.columns = max(1, int((room.right - room.left) / _CELL_M))
        self.rows = max(1, int((room.back - _BEHIND_CAMERA_M) / _CELL_M))
        self.open = np.array(
            [[place.free(*self.spot((c, r)), margin=0.24) for c in range(self.columns)] for r in range(self.rows)]
        )

    def spot(self, cell: tuple[int, int]) -> Spot:
        """Return the middle of a (column, row) cell."""
        return self.origin[0] + (cell[0] + 0.5) * _CELL_M, self.origin[1] + (cell[1] + 0.5) * _CELL_M

    def cell(self, spot: Spot) -> tuple[int, int]:
        """Return the cell of a spot, the nearest one if it lies outside."""
        column, row = (int((spot[k] - self.origin[k]) / _CELL_M) for k in (0, 1))
        return min(max(column, 0), self.columns - 1), min(max(row, 0), self.rows - 1)

    def way(self, start: Spot, goal: Spot) -> list[Spot] | None:
        """Return the corners of a short way, both ends included, or None if there is none."""
        first, last = self.cell(start), self.cell(goal)
        came: dict[tuple[int, int], tuple[int, int]] = {last: last}
        queue = deque([last])
        while queue and first not in came:
            column, row = cell = queue.popleft()
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                other = (column + step[0], row + step[1])
                if other not in came and self._passable(other, first):
                    came[other] = cell
                    queue.append(other)
        if first not in came:
            return None
        cells = [first]
        while cells[-1] != last:
            cells.append(came[cells[-1]])
        return self._pulled_straight([start, *(self.spot(cell) for cell in cells[1:-1]), goal])

    def _passable(self, cell: tuple[int, int], start: tuple[int, int]) -> bool:
        column, row = cell
        return 0 <= column < self.columns and 0 <= row < self.rows and (bool(self.open[row, column]) or cell == start)

    def _pulled_straight(self, way: list[Spot]) -> list[Spot]:
        kept = [way[0]]
        at = 0
        while at < len(way) - 1:
            ahead = len(way) - 1
            while ahead > at + 1 and not self._line_free(way[at], way[ahead]):
                ahead -= 1
            kept.append(way[ahead])
            at = ahead
        return kept

    def _line_free(self, a: Spot, b: Spot) -> bool:
        steps = max(2, int(math.hypot(b[0] - a[0], b[1] - a[1]) / 0.15))
        for k in range(1, steps):
            column, row = self.cell((a[0] + (b[0] - a[0]) * k / steps, a[1] + (b[1] - a[1]) * k / steps))
            if not self.open[row, column]:
                return False
        return True


@dataclass(frozen=True)
class Route:
    """Where a person is at what time: straight legs at constant speed and stops, softened at the corners."""

    times_s: Floats
    """(K,) rising."""
    spots: Floats
    """(K, 2) x and z at those times."""

    def position(self, at_s: float) -> Floats:
        """Return the (3,) ground point at a time; the ends hold before and after."""
        x, z = self._softened(at_s)
        return np.array([x, 0.0, z])

    def velocity(self, at_s: float) -> Floats:
        """Return the (2,) velocity in x and z, metres per second."""
        step = 0.04
        before, after = self._softened(at_s - step), self._softened(at_s + step)
        velocity: Floats = (np.array(after) - np.array(before)) / (2 * step)
        return velocity

    def walked_m(self, at_s: float) -> float:
        """Return the length of the way covered so far."""
        lengths = np.hypot(*np.diff(self.spots, axis=0).T)
        total = np.concatenate([[0.0], np.cumsum(lengths)])
        return float(np.interp(at_s, self.times_s, total))

    def _softened(self, at_s: float) -> tuple[float, float]:
        """Average the exact way over 0.3 s: nobody starts, stops or turns at once."""
        moments = at_s + np.linspace(-0.15, 0.15, 7)
        x = np.interp(moments, self.times_s, self.spots[:, 0])
        z = np.interp(moments, self.times_s, self.spots[:, 1])
        return float(x.mean()), float(z.mean())
