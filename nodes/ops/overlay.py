"""Draw people, their gaze, and areas of interest on a canvas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nodes.ops import colours
from nodes.ops.canvas import Canvas, Part, Point
from nodes.ops.rotations import matrices

Box = Sequence[float]
Areas = Mapping[str, Sequence[Sequence[Point]]]
"""name -> its outline, then the outlines of its holes."""
Looking = Mapping[int, Mapping[str, str]]
"""track -> target -> for how long, in words, or "". Ordered."""

EARS, CROWN, EYES = colours.TRACKS[5], colours.TRACKS[2], colours.TRACKS[4]
"""Vermillion and green: of the axes of a head. Yellow: where its eyes look."""


@dataclass(frozen=True)
class Person:
    """What is drawn of one person. Boxes and points are fractions of the picture."""

    track_id: int
    head: Box | None = None
    body: Box | None = None
    observed: bool = True
    """False where the boxes are predicted: drawn thinner, and without the fine outline."""
    pose_deg: tuple[float, float, float] | None = None
    """Yaw, pitch and roll as in `ops.rotations`; pitch and roll NaN where only the yaw is known."""
    gaze: tuple[Point, Point] | None = None
    """From the head to what is looked at."""
    gaze_share: float = 1.0
    """0 to 1: how sure the gaze is; drawn as width and strength of colour."""
    eyes_deg: tuple[float, float] | None = None
    """Yaw and pitch of where the eyes look, as in `ops.rotations`."""
    words: tuple[str, ...] = ()
    """What is written behind the number: `child`, `3.2 m`."""
    outlined: bool = True
    """Draw the boxes of head and body."""
    numbered: bool = True
    """Write the number of the track."""


def draw_people(canvas: Canvas, people: Sequence[Person], told: Looking) -> None:
    """Draw bodies, then gaze rays, then heads, then labels with what each person looks at."""
    for person in people:
        if person.body is not None and person.outlined:
            canvas.brackets(person.body, colours.of_track(person.track_id), 1.0 if person.observed else 0.5)
    for person in people:
        if person.gaze is not None:
            colour = colours.mix(colours.GREY, colours.of_track(person.track_id), 0.4 + 0.6 * person.gaze_share)
            canvas.path(person.gaze, colour, 0.6 + person.gaze_share)
            canvas.dot(person.gaze[1], colour, 0.7 + 0.3 * person.gaze_share)
    for person in people:
        if person.head is not None:
            _draw_head(canvas, person, person.head)
    for person in people:
        top = person.head or person.body
        if top is not None:
            colour = colours.of_track(person.track_id)
            parts = [(f"#{person.track_id}", colour)] if person.numbered else []
            parts += [(word, colours.WHITE) for word in person.words]
            parts += [(_sentence(*look), colours.BLACK) for look in told.get(person.track_id, {}).items()]
            if parts:
                canvas.label((top[0], top[1]), parts)


def draw_areas(canvas: Canvas, areas: Areas, hit: Looking, told: Looking) -> None:
    """Draw areas; those hit in this frame or told to be looked at are outlined in the colour of who looks."""
    for name, rings in areas.items():
        lookers = _lookers(name, told) or _lookers(name, hit)
        colour, width = (colours.of_track(lookers[0]), 1.0) if lookers else (colours.WHITE, 0.5)
        if lookers:
            canvas.wash(rings, colour, 0.3)
        for ring in rings:
            canvas.path(ring, colour, width, closed=True)


def label_areas(canvas: Canvas, areas: Areas, told: Looking) -> None:
    """Write the names of areas and who looks at them into their corners."""
    for name, (outline, *_) in areas.items():
        parts: list[Part] = [(name, colours.WHITE)]
        parts += [(f"#{track_id}", colours.of_track(track_id)) for track_id in _lookers(name, told)]
        canvas.label(min(outline, key=lambda point: point[0] + point[1]), parts, above=False)


def _draw_head(canvas: Canvas, person: Person, head: Box) -> None:
    colour = colours.of_track(person.track_id)
    if person.outlined:
        canvas.box(head, colour, 1.0 if person.observed else 0.5)
    centre = ((head[0] + head[2]) / 2, (head[1] + head[3]) / 2)
    size = max((head[2] - head[0]) * canvas.width, (head[3] - head[1]) * canvas.height)
    if person.pose_deg is not None:
        if any(map(math.isnan, person.pose_deg)):
            yaw = math.radians(person.pose_deg[0])
            # From above at a slant: what points to the camera points down. It starts where the face is not covered.
            canvas.arrow(centre, (math.sin(yaw), 0.8 * math.cos(yaw)), 0.5 * size, 1.1 * size, colours.WHITE)
        else:
            _draw_axes(canvas, centre, size, person.pose_deg)
    if person.eyes_deg is not None:
        yaw, pitch = map(math.radians, person.eyes_deg)
        canvas.arrow(centre, (math.sin(yaw) * math.cos(pitch), -math.sin(pitch)), 0, 1.5 * size, EYES)


def _draw_axes(canvas: Canvas, centre: Point, size_px: float, pose_deg: tuple[float, float, float]) -> None:
    """Draw the axes of a head as the camera sees them: through the ears, to the crown, to the nose; near ones last.

    The line of the ears goes both ways, so that a mirrored head has a mirrored drawing.
    """
    ear, crown, nose = (matrices(np.array([pose_deg]))[0] * [1, -1, -1]).T
    axes = ((ear, EARS, 0.55), (-ear, EARS, 0.55), (crown, CROWN, 0.75), (nose, colours.WHITE, 1.1))
    for axis, colour, length in sorted(axes, key=lambda each: -each[0][2]):
        reach = size_px * length
        if axis is nose:
            canvas.arrow(centre, (nose[0], nose[1]), 0, reach, colour)
        else:
            end = (centre[0] + axis[0] * reach / canvas.width, centre[1] + axis[1] * reach / canvas.height)
            canvas.path([centre, end], colour, 0.5)


def _sentence(target: str, how_long: str) -> str:
    name = target.replace("person:", "#").replace("grid:", "cell ")
    return f"→ {name} {how_long}".rstrip()


def _lookers(target: str, looking: Looking) -> list[int]:
    return sorted(track_id for track_id, targets in looking.items() if target in targets)
