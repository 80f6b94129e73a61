"""Where a direction leads in a picture: a cone from the head, over all distances that targets have.

One picture does not tell how far off a target is, so the target is somewhere along the direction, by a prior: its
distance from the head is log-normal, its direction a von Mises-Fisher distribution about the one told. A head's own
place in space follows from the height of its box, a pinhole camera and the usual height of heads. Each cell of the map
holds the probability of all points of space that it shows: a sum over depths of what the prior gives them. Sideways
the cone is a wedge in the picture; the more it points at the camera the wider and the nearer to the camera it is, and
what lies beside or behind the camera is no cell's, nor is what would have to stand between the camera and the head. The
sum over all cells is the probability that the target is inside the picture.

Ref: Fisher, "Dispersion on a sphere", Proc. R. Soc. A 1953. The model as a whole is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

DEPTHS = 25
"""Depths at which a cell's line of sight is looked at."""
FINEST_M = 0.5
"""About the depth of the head they are this far apart times 0.3, farther off as far as a tenth of a log-normal wide."""
NEAREST_M = 0.05
"""What is nearer to the camera than this is not in the picture."""
LONGEST = 2.5
"""Targets are looked for as far from the head as this many standard deviations beyond the usual distance."""


@dataclass(frozen=True)
class Prior:
    """What is known before a picture is seen; lengths in metres."""

    head_m: float
    """Height of a head with hair."""
    distance_m: float
    """Median distance from a head to what it looks at."""
    distance_spread: float
    """Standard deviation of the logarithm of that."""
    clear: float
    """Share of the way from the camera to a head within which there is mostly nothing to look at: the camera would not
    see the head. Of points at a share s of that way, `1 - exp(-(s / clear)^4)` can be targets."""


@dataclass(frozen=True)
class Looks:
    """N heads that look somewhere."""

    head_box: Array
    """(N, 4) fractions of the frame."""
    direction: Array
    """(N, 3) unit vectors as `ops.directions`, about the line from the camera to the head: (0, 0, -1) is into it."""
    spread_deg: Array
    """(N,) how far the true direction is off, a standard deviation along each axis."""
    inverse: Array
    """(N, 3, 3) inverse of the lens of each frame's camera: from (u, v, 1), fractions of the frame, to what is seen
    there at a depth of 1."""


def cone_maps(looks: Looks, map_wh: tuple[int, int], prior: Prior) -> Array:
    """Return the probability (N, h, w) float32 that each cell of the picture shows what a head looks at.

    Its sum is the probability that the target is in the picture, at most 1.
    """
    sight = _sight(map_wh, looks.inverse)  # (N, C, 3)
    middle = (looks.head_box[:, :2] + looks.head_box[:, 2:]) / 2
    seen = np.einsum("nij,nj->ni", looks.inverse, np.concatenate([middle, np.ones((len(middle), 1))], axis=1))
    tall = (looks.head_box[:, 3] - looks.head_box[:, 1]) * looks.inverse[:, 1, 1]
    head = seen * (prior.head_m / np.maximum(tall, 1e-6))[:, None]  # (N, 3) metres
    toward = _in_camera(looks.direction, head)
    depth, step = _depths(head[:, 2], prior)  # (N, K) both
    # Of the point at each depth on each line of sight, all (N, K, C): how far from the head, and how far off the way.
    square = (sight * sight).sum(axis=2)[:, None] * depth[:, :, None] ** 2
    square -= 2 * depth[:, :, None] * np.einsum("nci,ni->nc", sight, head)[:, None]
    square += (head * head).sum(axis=1)[:, None, None]
    square = np.maximum(square, 1e-6)
    along = depth[:, :, None] * np.einsum("nci,ni->nc", sight, toward)[:, None]
    along -= (head * toward).sum(axis=1)[:, None, None]
    log_distance = np.log(square) / 2
    sharp = 1 / np.radians(looks.spread_deg) ** 2
    weight = sharp[:, None, None] * (along / np.sqrt(square) - 1)
    weight -= (log_distance - np.log(prior.distance_m)) ** 2 / (2 * prior.distance_spread**2)
    weight -= 3 * log_distance  # a log-normal over a distance, spread over a sphere of that radius
    there = -np.expm1(-((depth / (prior.clear * head[:, 2:])) ** 4))
    density = np.einsum("nkc,nk->nc", np.exp(weight), depth**2 * step * there)
    whole = sharp / (2 * np.pi * -np.expm1(-2 * sharp)) / (prior.distance_spread * np.sqrt(2 * np.pi))
    cell = looks.inverse[:, 0, 0] * looks.inverse[:, 1, 1] / (map_wh[0] * map_wh[1])  # of the picture at a depth of 1
    maps = (density * (whole * cell)[:, None]).reshape(-1, map_wh[1], map_wh[0])
    total = np.maximum(maps.sum(axis=(1, 2), keepdims=True), 1.0)  # sums over few depths are a little off
    return np.asarray(maps / total, np.float32)


def _sight(map_wh: tuple[int, int], inverse: Array) -> Array:
    """Return what the centres of cells see at a depth of 1: (N, cells, 3)."""
    across, down = ((np.arange(count) + 0.5) / count for count in map_wh)
    y, x = (grid.reshape(-1) for grid in np.meshgrid(down, across, indexing="ij"))
    return np.asarray(np.stack([x, y, np.ones_like(x)], axis=1) @ np.swapaxes(inverse, 1, 2))


def _depths(head_m: Array, prior: Prior) -> tuple[Array, Array]:
    """Return depths (N, K), metres from the camera, dense about that of each head, and the length that each stands for.

    Depths that are none have the length 0.
    """
    longest = prior.distance_m * np.exp(LONGEST * prior.distance_spread)
    u, gap = np.linspace(-np.arcsinh(longest / FINEST_M), np.arcsinh(longest / FINEST_M), DEPTHS, retstep=True)
    depth = head_m[:, None] + FINEST_M * np.sinh(u)
    ahead = depth >= NEAREST_M
    return np.where(ahead, depth, 1.0), np.where(ahead, FINEST_M * np.cosh(u) * gap, 0.0)


def _in_camera(direction: Array, head: Array) -> Array:
    """Return directions (N, 3) about the lines to heads (N, 3) as directions about the camera's own axis."""
    away = head / np.linalg.norm(head, axis=1, keepdims=True)
    level = np.hypot(away[:, 2], away[:, 0])
    right = np.stack([away[:, 2], np.zeros(len(away)), -away[:, 0]], axis=1) / level[:, None]
    down = np.cross(away, right)
    return np.asarray(direction[:, :1] * right + direction[:, 1:2] * down + direction[:, 2:] * away)
