"""The truth of a picture that a lens has bent."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.canvas import Canvas
from scenes.figure import Figure
from scenes.lens import Lens
from scenes.truth import PeopleTruth

Floats = NDArray[np.float64]

_AROUND = np.linspace(0, 2 * np.pi, 96, endpoint=False)


def bent_truth(lens: Lens, canvas: Canvas, figures: list[Figure], people: PeopleTruth) -> PeopleTruth:
    """Return the truth of the bent picture of a canvas; who is not seen in it has no row.

    Bodies are boxed by their pixels, heads and faces by the outline that touches the middles of their boxes' sides.
    Directions refer to the ray through the head, which no lens alters.

    Args:
        lens: whose camera drew the canvas.
        canvas: with the people.
        figures: as given to `draw_people`.
        people: what it returned.
    """
    if not len(people):
        return people
    drawn, size = np.array(canvas.camera.size_wh, np.float64), np.array(lens.size_wh, np.float64)
    owner_of = {figure.person_id: 2 * row + 1 for row, figure in enumerate(figures)}
    owners = np.array([owner_of[int(person)] for person in people.person_id])
    seen = lens.owners(canvas.owner)
    body_box = np.stack([_box_of(seen, int(owner)) for owner in owners]) / np.tile(size, 2)
    inside = np.array([_share_inside(lens, canvas, int(owner)) for owner in owners])
    head_box, head_share = _bent_boxes(lens, people.head_box * np.tile(drawn, 2), size)
    face_box, face_share = _bent_boxes(lens, people.face_box * np.tile(drawn, 2), size)
    target = lens.bent_px(people.target_point * drawn) / size
    within = ((target >= 0) & (target < 1)).all(axis=1)
    bent = replace(
        people,
        body_box=body_box,
        body_visible=people.body_visible * inside,
        head_box=head_box,
        head_visible=people.head_visible * head_share,
        face_box=face_box,
        face_visible=people.face_visible * np.nan_to_num(face_share),
        target_point=target,
        in_frame=people.in_frame & within,
    )
    area = np.prod((head_box[:, 2:] - head_box[:, :2]) * size, axis=1)
    return _rows(bent, np.isfinite(body_box).all(axis=1) & (area >= 1.0))


def _box_of(seen: NDArray[np.int16], owner: int) -> Floats:
    """Return the (4,) box of somebody's pixels, nan if there are none."""
    mine = (seen == owner) | (seen == owner + 1)
    rows, columns = np.flatnonzero(mine.any(axis=1)), np.flatnonzero(mine.any(axis=0))
    if not len(rows):
        return np.full(4, np.nan)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _share_inside(lens: Lens, canvas: Canvas, owner: int) -> float:
    """Return the share of somebody's drawn pixels that the bent picture shows."""
    rows, columns = np.nonzero((canvas.owner == owner) | (canvas.owner == owner + 1))
    bent = lens.bent_px(np.stack([columns, rows], axis=1).astype(np.float64) + 0.5)
    return float(((bent >= 0) & (bent < np.array(lens.size_wh))).all(axis=1).mean()) if len(rows) else 0.0


def _bent_boxes(lens: Lens, boxes_px: Floats, size: Floats) -> tuple[Floats, Floats]:
    """Return (N, 4) bent boxes in fractions of the frame, clipped to it, and the (N,) share of each that is left."""
    middle, half = (
        (boxes_px[:, None, :2] + boxes_px[:, None, 2:]) / 2,
        (boxes_px[:, None, 2:] - boxes_px[:, None, :2]) / 2,
    )
    outline = lens.bent_px(middle + half * np.stack([np.cos(_AROUND), np.sin(_AROUND)], axis=-1)) / size
    whole = np.concatenate([outline.min(axis=1), outline.max(axis=1)], axis=1)
    clipped = np.clip(whole, 0, 1)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (clipped, whole)]
    return clipped, areas[0] / np.maximum(areas[1], 1e-12)


def _rows(people: PeopleTruth, kept: NDArray[np.bool_]) -> PeopleTruth:
    columns: dict[str, Any] = {field.name: getattr(people, field.name) for field in fields(people)}
    names = tuple(name for name, keep in zip(columns.pop("looked_at"), kept, strict=True) if keep)
    return PeopleTruth(**{name: column[kept] for name, column in columns.items()}, looked_at=names)
