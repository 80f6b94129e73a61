"""People as they are seen, made by hand: ten pictures a second, twice as wide as high; lengths in their height."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from nodes.ops.boxes import from_anchored
from nodes.ops.fragments import Fragments, camera_path, fragments_of, places
from nodes.ops.linking import Rows

ASPECT = 2.0
STEP_S = 0.1
STEP_NS = 100_000_000


def sight(
    track: int,
    when: Iterable[int],
    x: float = 1.0,
    y: float = 0.3,
    *,
    speed: tuple[float, float] = (0, 0),
    tall: float = 0.3,
    pan: tuple[float, float] = (0, 0),
    head_only: bool = False,
    observed: bool = True,
) -> Rows:
    """Return the rows of somebody a third as wide as tall.

    Args:
        track: number.
        when: frames in which it is seen.
        x: middle of the body at frame 0, or where it would have been.
        y: top of the body at frame 0.
        speed: of x, y per second.
        tall: height of the body.
        pan: how far the camera moves all that is seen, x, y per second.
        head_only: the body is not known.
        observed: False for what is predicted.
    """
    when = np.array(list(when))
    at_s = (when * STEP_S)[:, None]
    top = np.array([x, y]) + at_s * (np.array(speed) + pan)
    head, body = (
        from_anchored(np.column_stack([top, np.tile(size_wh, (len(when), 1))])) / [ASPECT, 1, ASPECT, 1]
        for size_wh in ((tall / 6, tall / 6), (tall / 3, tall))
    )
    nobody = np.full_like(body, np.nan)
    score = np.full(len(when), 0.8, np.float32)
    return Rows(
        pts_ns=when * STEP_NS,
        track_id=np.full(len(when), track),
        head_box=(head if head_only else nobody).astype(np.float32),
        head_score=score * head_only,
        body_box=(nobody if head_only else body).astype(np.float32),
        body_score=score * (not head_only),
        observed=np.full(len(when), observed),
    )


def together(*sights: Rows) -> Rows:
    """Return the rows of all, by (pts, track)."""
    columns = {spec.name: np.concatenate([getattr(each, spec.name) for each in sights]) for spec in fields(Rows)}
    order = np.lexsort((columns["track_id"], columns["pts_ns"]))
    return Rows(**{name: column[order] for name, column in columns.items()})


def path_of(rows: Rows, frames: int = 100) -> np.ndarray:
    """Return how far the camera has moved until each frame."""
    place = places(rows.head_box, rows.body_box, ASPECT)
    return camera_path(rows.pts_ns // STEP_NS, rows.track_id, place, frames)


def pieces_of(*sights: Rows) -> Fragments:
    """Return the fragments of people who are seen in a hundred frames."""
    rows = together(*sights)
    place = places(rows.head_box, rows.body_box, ASPECT)
    path = path_of(rows)[rows.pts_ns // STEP_NS]
    return fragments_of(rows.pts_ns, rows.track_id, rows.body_box, place, path, ASPECT)
