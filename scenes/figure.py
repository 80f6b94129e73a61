"""Draw whole people and state the truth about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenes.body import BodyPainter
from scenes.camera import Camera
from scenes.canvas import Canvas
from scenes.face_box import face_of
from scenes.geometry import looking_along, unit, yaw_pitch_roll_deg
from scenes.head import HeadPainter
from scenes.held import Held, draw_held
from scenes.looks import Looks
from scenes.pose import Pose, body_point, head_centre
from scenes.truth import DIRECTIONS, TARGET_KINDS, PeopleTruth, no_people

Floats = NDArray[np.float64]

_ON_FLOOR = np.array([1.0, 0.0, 1.0])


@dataclass(frozen=True)
class Target:
    """What somebody looks at."""

    point: Floats
    """(3,) world point."""
    kind: str
    """One of `TARGET_KINDS`."""
    name: str = ""
    """AOI, `person:<id>`, or empty."""


@dataclass(frozen=True)
class Figure:
    """One person at one moment."""

    person_id: int
    looks: Looks
    pose: Pose
    target: Target
    held: Held | None = None
    """What is drawn at `Pose.grip`."""

    @property
    def head_centre(self) -> Floats:
        """Return the (3,) world point of the middle of the skull."""
        pose = self.pose
        return head_centre(self.looks, pose.ground, pose.body_yaw_rad, pose.lean, pose.seated)


@dataclass(frozen=True)
class _Drawn:
    """Outlines in pixels, not clipped, and what of the picture the person would cover alone."""

    head_box: Floats
    body_box: Floats
    head_covers: NDArray[np.bool_]
    """Pixels of the window around `body_box` that the head would cover alone."""
    body_pixels: int


def draw_people(canvas: Canvas, figures: list[Figure]) -> PeopleTruth:
    """Draw people on a furnished canvas and return the truth of those in the picture, ordered by id.

    People of whose head not even the outline touches the picture, or of whom no pixel is visible, have no row.
    """
    for figure in figures:
        canvas.floor_shade(figure.pose.ground * _ON_FLOOR, 0.42, 0.45)
    drawn = [_draw(canvas, figure, 2 * row + 1) for row, figure in enumerate(figures)]
    rows = []
    for row, (figure, outline) in enumerate(zip(figures, drawn, strict=True)):
        if outline is not None:
            truth = _truth_of(canvas, figure, outline, 2 * row + 1)
            if truth is not None:
                rows.append(truth)
    return _stacked(sorted(rows, key=lambda truth: int(truth.person_id[0])))


def _draw(canvas: Canvas, figure: Figure, owner: int) -> _Drawn | None:
    """Draw one person as `owner` (body) and `owner + 1` (head)."""
    centre = figure.head_centre
    body = BodyPainter(canvas, figure.looks, figure.pose, owner)
    body.draw()
    head = HeadPainter(canvas, figure.looks, figure.pose, centre, owner + 1)
    head.draw(body_point(figure.looks, figure.pose, 0, 1.38, -0.01))
    if not head.boxes or not body.boxes:
        return None
    head_box = _around(head.boxes)
    body_box = _around([*body.boxes, *head.boxes, *head.loose_boxes])
    here = _window(body_box, canvas.camera)
    covered = canvas.covered[here]
    head_covers = covered == owner + 1
    if figure.held is not None and figure.pose.grip is not None:
        draw_held(canvas, figure.held, figure.pose.grip + body.carried, centre)
    return _Drawn(head_box, body_box, head_covers, int(np.count_nonzero(head_covers | (covered == owner))))


def _truth_of(canvas: Canvas, figure: Figure, outline: _Drawn, owner: int) -> PeopleTruth | None:
    camera = canvas.camera
    size = np.array([*camera.size_wh, *camera.size_wh], np.float64)
    head_box = _clipped(outline.head_box, camera)
    rows_cols = _window(outline.body_box, camera)
    seen = canvas.owner[rows_cols]
    body_seen = (seen == owner) | (seen == owner + 1)
    if _area(head_box) < 1.0 or not body_seen.any():
        return None
    ys, xs = np.nonzero(body_seen)
    x0, y0 = rows_cols[1].start, rows_cols[0].start
    body_box = np.array([xs.min() + x0, ys.min() + y0, xs.max() + 1 + x0, ys.max() + 1 + y0], np.float64)
    # A collar or a hand of the person's own does not hide the head.
    head_share = int((outline.head_covers & body_seen).sum()) / max(1, int(outline.head_covers.sum()))
    body_share = np.count_nonzero(body_seen) / max(1, outline.body_pixels)
    centre = figure.head_centre
    ray_from_world = looking_along(unit(camera.to_camera(centre))).T @ camera.world_from_camera.T
    angles = yaw_pitch_roll_deg(ray_from_world @ figure.pose.head)
    target, in_frame = _seen_target(camera, figure.target)
    face_box, face_visible = face_of(canvas, figure.looks, figure.pose, centre, owner + 1)
    return PeopleTruth(
        person_id=np.array([figure.person_id], np.int64),
        body_box=(body_box / size)[None],
        head_box=(head_box / size)[None],
        head_visible=np.array([min(1.0, head_share) * _area(head_box) / _area(outline.head_box)]),
        body_visible=np.array(
            [min(1.0, body_share) * _area(_clipped(outline.body_box, camera)) / _area(outline.body_box)]
        ),
        yaw_pitch_roll_deg=angles[None],
        direction=np.array([round(angles[0] / (360 / DIRECTIONS)) % DIRECTIONS], np.int64),
        head_vector=(ray_from_world @ figure.pose.head[:, 2])[None],
        gaze_vector=(ray_from_world @ unit(figure.target.point - centre))[None],
        target_point=target[None],
        in_frame=np.array([in_frame]),
        target_kind=np.array([TARGET_KINDS.index(figure.target.kind)], np.int64),
        looked_at=(figure.target.name,),
        face_box=(_clipped(face_box, camera) / size)[None],
        face_visible=np.array([face_visible]),
    )


def _seen_target(camera: Camera, target: Target) -> tuple[Floats, bool]:
    """Return the target in fractions of the frame and whether it counts as inside the picture."""
    pixel, depth = camera.project(target.point)
    point = pixel / np.array(camera.size_wh, np.float64)
    inside = bool(depth > 0.2 and (point >= 0).all() and (point < 1).all())
    return point, inside and target.kind != "camera"


def _stacked(rows: list[PeopleTruth]) -> PeopleTruth:
    if not rows:
        return no_people()
    names = [name for name in PeopleTruth.__dataclass_fields__ if name != "looked_at"]
    arrays = {name: np.concatenate([getattr(row, name) for row in rows]) for name in names}
    return PeopleTruth(**arrays, looked_at=tuple(row.looked_at[0] for row in rows))


def _around(boxes: list[Floats]) -> Floats:
    stacked = np.stack(boxes)
    return np.concatenate([stacked[:, :2].min(axis=0), stacked[:, 2:].max(axis=0)])


def _clipped(box: Floats, camera: Camera) -> Floats:
    width, height = camera.size_wh
    clipped: Floats = np.clip(box, 0, np.array([width, height, width, height], np.float64))
    return clipped


def _window(box: Floats, camera: Camera) -> tuple[slice, slice]:
    """Return the rows and columns of the picture a box touches."""
    clipped = _clipped(box, camera)
    x0, y0 = (int(np.floor(v)) for v in clipped[:2])
    x1, y1 = (int(np.ceil(v)) for v in clipped[2:])
    return slice(y0, y1 + 1), slice(x0, x1 + 1)


def _area(box: Floats) -> float:
    return max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1]))
