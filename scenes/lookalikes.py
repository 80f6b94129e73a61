"""Put what detectors take for people into a place: mannequins, faces on posters, packages and screens, round things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Shader, plain
from scenes.colours import grey, random_colour
from scenes.geometry import looking_along
from scenes.mannequins import bust, coats, mannequin
from scenes.place import Place, Thing, open_spot
from scenes.portraits import PORTRAITS, advert, portrait, screen

Floats = NDArray[np.float64]
Colours = NDArray[np.float32]

_NOTHING_SHARE = 0.28


def add_lookalikes(place: Place, rng: np.random.Generator) -> None:
    """Add some look-alikes to a place, or none to about a third of all places."""
    if rng.random() < _NOTHING_SHARE:
        return
    for put, share, most in (
        (mannequin, 0.5, 5),
        (coats, 0.15, 2),
        (_balloons, 0.18, 3),
        (_lamps, 0.18, 3),
    ):
        if rng.random() < share:
            for _ in range(2 * int(rng.integers(1, most))):
                x, z = open_spot(place, rng)
                if place.free(x, z, 0.3):
                    put(place, rng, x, z)
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 6))):
            _wall_picture(place, rng)
    if rng.random() < 0.45:
        _printed_faces(place, rng)
    for display in place.displays:
        if display.name.startswith("screen") and rng.random() < 0.6:
            place.canvas.quad(display.corners + display.normal * 0.03, screen(int(rng.integers(PORTRAITS))))
    for block in place.blocks:
        if 0.5 < block.height < 1.4 and block.half_x > 0.25 and rng.random() < 0.15:
            for _ in range(int(rng.integers(1, 4))):
                along, deep = rng.uniform(-0.8, 0.8) * block.half_x, rng.uniform(-0.6, 0.6) * block.half_z
                bust(place, rng, block.point(along, deep, block.height))


def _on_wall(place: Place, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a point of a wall at head height or above, and the (3,) horizontal direction to its right.

    It is in the picture unless eight tries fail.
    """
    room, camera = place.room, place.canvas.camera
    for _ in range(8):
        up = -rng.uniform(1.0, min(2.3, -room.top - 0.3))
        wall = int(rng.integers(3))
        if wall == 0:
            middle, right = np.array([rng.uniform(room.left, room.right), up, room.back - 0.03]), np.array([1.0, 0, 0])
        else:
            x = room.left + 0.03 if wall == 1 else room.right - 0.03
            middle = np.array([x, up, rng.uniform(1.0, room.back)])
            right = np.array([0.0, 0.0, 1.0 if wall == 1 else -1.0])
        pixel, depth = camera.project(middle)
        if depth > 0.5 and (pixel > 0).all() and (pixel < np.array(camera.size_wh)).all():
            break
    return middle, right


def _wall_picture(place: Place, rng: np.random.Generator) -> None:
    """Hang a poster with faces, a screen that shows people, or a round clock."""
    middle, right = _on_wall(place, rng)
    kind = rng.random()
    if kind < 0.15:
        axes = looking_along(np.array([right[2], 0.0, -right[0]]))
        size = rng.uniform(0.1, 0.22)
        place.canvas.ellipsoid(middle, axes, np.array([size, size, 0.025]), _dial(rng))
        return
    picture = (screen if kind < 0.35 else advert)(int(rng.integers(PORTRAITS)))
    tall = float(np.exp(rng.uniform(np.log(0.3), np.log(1.6))))
    half = tall / 2 * picture.shape[1] / picture.shape[0]
    down = np.array([0.0, tall / 2, 0.0])
    across = right * half
    corners = np.stack([middle - across - down, middle + across - down, middle + across + down, middle - across + down])
    if place.canvas.quad(corners, picture, rng.uniform(0.7, 1.15)):
        place.things.append(Thing(middle))


def _printed_faces(place: Place, rng: np.random.Generator) -> None:
    """Put rows of one package with a face on it onto shelves."""
    for display in place.displays:
        if rng.random() < 0.5:
            continue
        edges = display.corners[1] - display.corners[0], display.corners[3] - display.corners[0]
        length, height = (float(np.linalg.norm(edge)) for edge in edges)
        if length < 0.4 or height < 0.4:
            continue
        number = int(rng.integers(PORTRAITS))
        picture = (advert if rng.random() < 0.6 else portrait)(number)
        wide = rng.uniform(0.1, 0.3)
        tall = min(wide * picture.shape[0] / picture.shape[1], height * 0.5)
        start, low = rng.uniform(0, 0.6) * length, rng.uniform(0.1, 0.5) * height
        for k in range(int(rng.integers(1, 6))):
            left = start + k * wide * 1.08
            if left + wide > length:
                break
            spots = ((left, low), (left + wide, low), (left + wide, low + tall), (left, low + tall))
            corners = np.stack([display.at(a / length, d / height) for a, d in spots]) + display.normal * 0.03
            place.canvas.quad(corners, picture, rng.uniform(0.8, 1.1))


def _balloons(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Tie balloons or hang balls at head height."""
    for _ in range(int(rng.integers(1, 7))):
        size = rng.uniform(0.08, 0.18)
        middle = np.array([x, -rng.uniform(1.2, 2.1), z]) + rng.normal(0, 0.2, 3) * [1, 0.3, 1]
        colour = random_colour(rng, 90) if rng.random() < 0.6 else grey(rng, 150, 255)
        place.canvas.ellipsoid(middle, np.eye(3), np.array([size, size * rng.uniform(1, 1.25), size]), plain(colour))


def _lamps(place: Place, rng: np.random.Generator, x: float, z: float) -> None:
    """Hang a lamp from the ceiling or stand one on a pole."""
    size = rng.uniform(0.09, 0.22)
    up = rng.uniform(1.3, max(1.5, min(2.4, -place.room.top - 0.2)))
    middle = np.array([x, -up, z])
    lit = grey(rng, 200, 300) * np.array([rng.uniform(0.6, 1.0), 0.95, 1.0], np.float32)
    end = place.room.top if rng.random() < 0.6 else 0.0
    pole = np.array([0.012, abs(end + up) / 2, 0.012])
    place.canvas.ellipsoid(np.array([x, (end - up) / 2, z]), np.eye(3), pole, plain(grey(rng, 10, 90)))
    place.canvas.ellipsoid(middle, np.eye(3), np.array([size, size * rng.uniform(0.6, 1.1), size]), plain(lit))


def _dial(rng: np.random.Generator) -> Shader:
    """Return the face of a clock: a rim, a pale disc and two hands."""
    rim, disc = grey(rng, 5, 120), grey(rng, 200, 255)
    angles = rng.uniform(0, 6.28, 2)

    def shade(points: Colours) -> tuple[Colours, None]:
        x, y = points[0], points[1]
        far = np.hypot(x, y)
        colours = np.where((far > 0.85)[:, None], rim[None], disc[None]).astype(np.float32)
        for angle, long in zip(angles, (0.45, 0.7), strict=True):
            along = x * np.sin(angle) - y * np.cos(angle)
            beside = np.abs(x * np.cos(angle) + y * np.sin(angle))
            colours[(along > 0) & (along < long) & (beside < 0.06)] = rim
        return colours, None

    return shade
