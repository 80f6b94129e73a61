"""The vocabulary of the edges: what nodes say to each other.

Boxes are `x1, y1, x2, y2` and points `x, y`, in fractions of the upright frame. `frame_row` is the row of the tick's
`FrameBatch`; `track_id` is unique in its (stream, generation). Rows are ordered by (frame_row, track_id) unless said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.values import Value, column, names


@dataclass(frozen=True, eq=False)
class Detections(Value):
    """People found in single frames: a head, a body, or both of one person. Ordered by (frame_row, score falling)."""

    frame_row: np.ndarray = column(np.int64)
    head_box: np.ndarray = column(np.float32, 4)
    """Whole head with hair; NaN when only the body was seen."""
    head_score: np.ndarray = column(np.float32)
    """0 when no head was seen."""
    body_box: np.ndarray = column(np.float32, 4)
    """Visible body; NaN when only the head was seen."""
    body_score: np.ndarray = column(np.float32)
    """0 when no body was seen."""
    direction_scores: np.ndarray = column(np.float32, 8)
    """Score of each head direction: 0 front, then by 45° over image-right (2), back (4), image-left (6); 0 unseen."""


@dataclass(frozen=True, eq=False)
class Tracks(Value):
    """People with an identity over time. A track may be predicted where it was not detected."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    """From 1, never reused within a (stream, generation)."""
    head_box: np.ndarray = column(np.float32, 4)
    """NaN when no head was seen in this frame."""
    head_score: np.ndarray = column(np.float32)
    body_box: np.ndarray = column(np.float32, 4)
    """NaN when neither seen nor predicted."""
    body_score: np.ndarray = column(np.float32)
    direction_scores: np.ndarray = column(np.float32, 8)
    observed: np.ndarray = column(np.bool_)
    """False where the boxes are predicted, because no detection was matched in this frame."""


@dataclass(frozen=True, eq=False)
class HeadPoses(Value):
    """Where heads point. Rows only for tracks whose head was seen."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    yaw_pitch_roll_deg: np.ndarray = column(np.float32, 3)
    """Yaw: 0 to the camera, +90 nose to image-right, ±180 away. Pitch: up positive; NaN unknown. Roll: clockwise
    in the image positive; NaN unknown."""
    score: np.ndarray = column(np.float32)
    """0 to 1: how much the evidence agrees on the yaw."""


@dataclass(frozen=True, eq=False)
class GazeMaps(Value):
    """Raw output of the gaze model, one map per head."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    head_box: np.ndarray = column(np.float32, 4)
    """The head the model was asked about."""
    heatmap: np.ndarray = column(np.float32, None, None)
    """(h, w) likelihood over the whole frame that this cell is looked at, 0 to 1, not summing to 1."""
    in_frame_prob: np.ndarray = column(np.float32)
    """Probability that what the head looks at is inside the picture ("in/out" in papers)."""


@dataclass(frozen=True, eq=False)
class GazePoints(Value):
    """Where heads look, as one point each."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    head_point: np.ndarray = column(np.float32, 2)
    """Centre of the head: where the gaze starts."""
    point: np.ndarray = column(np.float32, 2)
    """What is looked at; meaningful only as far as `in_frame_prob` says so."""
    in_frame_prob: np.ndarray = column(np.float32)
    peak: np.ndarray = column(np.float32)
    """Height of the heat map at the point, 0 to 1."""


@dataclass(frozen=True, eq=False)
class AoiHits(Value):
    """What each head looks at in each frame.

    One row per head and frame, plus one row more per further target hit (AOIs may overlap); a head that looks at
    nothing named has one row with target "".
    """

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    target: tuple[str, ...] = names()
    """AOI name, `person:<track_id>`, `grid:<row>-<column>`, or "" for nothing."""
    score: np.ndarray = column(np.float32)
    """0 to 1: belief that the head looks at the target in this frame."""


@dataclass(frozen=True, eq=False)
class Visits(Value):
    """Looked-at events, in the order they became known. Not tied to frames: rows carry their own stream and times."""

    id: tuple[str, ...] = names()
    """Deterministic: made of stream, generation, track, target, kind and first pts."""
    kind: tuple[str, ...] = names()
    """`started`, `updated`, `ended` or `retracted`."""
    stream_id: tuple[str, ...] = names()
    generation: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    target: tuple[str, ...] = names()
    sequence: np.ndarray = column(np.int64)
    """From 0, without gaps, per (stream, generation)."""
    start_ns: np.ndarray = column(np.int64)
    """pts of the first look of the visit."""
    end_ns: np.ndarray = column(np.int64)
    """pts of the last look so far."""
    known_ns: np.ndarray = column(np.int64)
    """pts at which the event became known; never before `end_ns`."""
    dwell_ns: np.ndarray = column(np.int64)
    """Time within the visit that was really spent looking, gaps left out."""
    score: np.ndarray = column(np.float32)
    """Mean score of the hits of the visit so far."""
    start_time_ns: np.ndarray = column(np.int64)
    """Wall-clock time of pts 0 of the stream, ns since 1970-01-01T00:00:00Z."""
