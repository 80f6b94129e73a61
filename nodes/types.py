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
    appearance: np.ndarray = column(np.float32, None)
    """(D,) unit vector of what the person looks like: the more alike two people look, the larger its dot product. D = 0
    where nobody describes people, a row of zeros for a person who is not described. Comparable within one stream only.
    """


@dataclass(frozen=True, eq=False)
class Parts(Value):
    """What a whole-body detector finds, each thing by itself. Ordered by (frame_row, label, score falling)."""

    frame_row: np.ndarray = column(np.int64)
    label: np.ndarray = column(np.int64)
    """Class, numbered as in `ops.wholebody.NAMES`; never one of an attribute."""
    box: np.ndarray = column(np.float32, 4)
    """Inside the frame; of a joint, a small box about it."""
    score: np.ndarray = column(np.float32)
    attribute_scores: np.ndarray = column(np.float32, 14)
    """Score of each of `ops.wholebody.ATTRIBUTES`, 0 unseen: adult, child, male, female of a body, eight directions of
    a head, left and right of a hand."""


@dataclass(frozen=True, eq=False)
class TrackedParts(Value):
    """Parts with the person they belong to. Ordered by (frame_row, label, score falling)."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    """0 where the part is nobody's."""
    label: np.ndarray = column(np.int64)
    box: np.ndarray = column(np.float32, 4)
    score: np.ndarray = column(np.float32)
    attribute_scores: np.ndarray = column(np.float32, 14)


@dataclass(frozen=True, eq=False)
class CameraMotion(Value):
    """How the picture as a whole moved since the frame before of the same stream. One row a frame, in their order."""

    frame_row: np.ndarray = column(np.int64)
    affine: np.ndarray = column(np.float64, 2, 3)
    """Where the frame before has a point (x, y) that stands still in the world, this frame has it at
    `affine @ (x, y, 1)`, both in fractions of the frame. Identity for the first frame of a (stream, generation)."""


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
    taken_from: np.ndarray = column(np.int64)
    """0, or the track whose rows from `taken_since_ns` until now were of this person: the tracker corrects itself. All
    of a track when it turns out to be an older one (merge), its last part when two people were one track (split)."""
    taken_since_ns: np.ndarray = column(np.int64)
    """pts from which the rows of `taken_from` are this track's; 0 where nothing is taken."""


@dataclass(frozen=True, eq=False)
class Objects(Value):
    """Things one can look at and that move: what a detector finds besides people. Ordered by (frame_row, object_id)."""

    frame_row: np.ndarray = column(np.int64)
    object_id: np.ndarray = column(np.int64)
    """From 1, never reused within a (stream, generation)."""
    label: tuple[str, ...] = names()
    """Class of the thing, without a colon: `bottle`."""
    box: np.ndarray = column(np.float32, 4)
    score: np.ndarray = column(np.float32)


@dataclass(frozen=True, eq=False)
class HeadPoses(Value):
    """Where heads point. Rows only for tracks whose head was seen."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    yaw_pitch_roll_deg: np.ndarray = column(np.float32, 3)
    """Yaw: 0 to the camera, +90 nose to image-right, ±180 away. Pitch: nose up positive. Roll: about the nose,
    clockwise in the image positive where it points to the camera. Pitch and roll are both NaN where only the yaw is
    known. How they make a rotation: `ops.rotations`."""
    score: np.ndarray = column(np.float32)
    """0 to 1: how much the evidence agrees on the yaw."""


@dataclass(frozen=True, eq=False)
class GazeDirections(Value):
    """Where eyes look, as a direction. Rows only for tracks whose face was seen."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    yaw_pitch_deg: np.ndarray = column(np.float32, 2)
    """Yaw: 0 to the camera, +90 to image-right, ±180 away. Pitch: up positive. As those of `HeadPoses`."""
    score: np.ndarray = column(np.float32)
    """0 to 1: how sure it is."""


@dataclass(frozen=True, eq=False)
class Attributes(Value):
    """What is told of people as such, steadied over time."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    child_prob: np.ndarray = column(np.float32)
    """NaN where nothing is known; else 0 adult to 1 child."""
    female_prob: np.ndarray = column(np.float32)
    """NaN where nothing is known; else 0 male to 1 female."""
    wheelchair_prob: np.ndarray = column(np.float32)
    crutches_prob: np.ndarray = column(np.float32)


@dataclass(frozen=True, eq=False)
class Bones(Value):
    """Lines between the joints of one person. Ordered by (frame_row, track_id)."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    labels: np.ndarray = column(np.int64, 2)
    """Classes of the two joints, numbered as in `ops.wholebody.NAMES`."""
    points: np.ndarray = column(np.float32, 2, 2)
    """The two joints."""
    score: np.ndarray = column(np.float32)
    """That of the less sure joint."""


@dataclass(frozen=True, eq=False)
class Distances(Value):
    """How far heads are from the camera. Rows only for tracks whose head was seen and whose camera is known."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    distance_m: np.ndarray = column(np.float32)
    """From the camera to the head, metres."""
    point_m: np.ndarray = column(np.float32, 3)
    """Where the head is as seen by the camera, metres to image-right, down and away from it."""


@dataclass(frozen=True, eq=False)
class GazeMaps(Value):
    """Raw output of the gaze model, one map per head."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    head_box: np.ndarray = column(np.float32, 4)
    """The head the model was asked about."""
    heatmap: np.ndarray = column(np.float32, None, None, on_device=True)
    """(h, w) likelihood over the whole frame that this cell is looked at, 0 to 1, not summing to 1."""
    in_frame_prob: np.ndarray = column(np.float32)
    """Probability that what the head looks at is inside the picture ("in/out" in papers)."""
    asked_ns: np.ndarray = column(np.int64)
    """pts of the frame whose picture the map was made of: earlier than the row's own frame where an older map stands
    in, because the call for this frame was spared. `head_box` is always the head of the row's own frame."""


@dataclass(frozen=True, eq=False)
class GazePoints(Value):
    """Where heads look, as one point each."""

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    head_point: np.ndarray = column(np.float32, 2)
    """Centre of the head: where the gaze starts."""
    point: np.ndarray = column(np.float32, 2, on_device=True)
    """What is looked at; meaningful only as far as `in_frame_prob` says so."""
    in_frame_prob: np.ndarray = column(np.float32)
    peak: np.ndarray = column(np.float32, on_device=True)
    """Height of the heat map at the point, 0 to 1."""
    spread: np.ndarray = column(np.float32, 2, on_device=True)
    """Standard deviation of where the point may be, along x and y: that of the map's own hill."""
    asked_ns: np.ndarray = column(np.int64)
    """pts of the frame whose picture the map was made of: earlier than the row's own frame where an older map stands
    in."""


@dataclass(frozen=True, eq=False)
class AoiHits(Value):
    """What each head looks at in each frame.

    One row per head and frame, plus one row more per further target hit (AOIs may overlap); a head that looks at
    nothing named has one row with target "".
    """

    frame_row: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    target: tuple[str, ...] = names()
    """AOI name, `person:<track_id>`, `object:<label>:<object_id>`, `grid:<row>-<column>`, or "" for nothing."""
    score: np.ndarray = column(np.float32)
    """0 to 1: probability that the head looks at the target in this frame."""


@dataclass(frozen=True, eq=False)
class Visits(Value):
    """Looked-at events, in the order they became known. Not tied to frames: rows carry their own stream and times."""

    id: tuple[str, ...] = names()
    """Of the event, deterministic: `<visit>/<kind>`, with `/<n>` for the n-th update."""
    visit: tuple[str, ...] = names()
    """Of the visit: `<stream>/<generation>/<track>/<target>/<first pts>`, with `~<n>` when it is told anew for the n-th
    time after a repair."""
    kind: tuple[str, ...] = names()
    """`started`, `updated`, `ended` or `retracted`."""
    reason: tuple[str, ...] = names()
    """Why it ended or is retracted: `looked_away`, `stream_ended`, `discontinuity`, `interrupted`; `too_short`,
    `identity`. "" for other kinds."""
    replaces: tuple[str, ...] = names()
    """Visits, retracted before, in whose place this one is told, one a line; "" for none."""
    stream_id: tuple[str, ...] = names()
    generation: np.ndarray = column(np.int64)
    track_id: np.ndarray = column(np.int64)
    target: tuple[str, ...] = names()
    sequence: np.ndarray = column(np.int64)
    """From 0, without gaps, per (stream, generation)."""
    start_ns: np.ndarray = column(np.int64)
    """pts of the first look of the visit."""
    end_ns: np.ndarray = column(np.int64)
    """pts at which the last look so far was over: that of its last frame plus what that frame stands for."""
    known_ns: np.ndarray = column(np.int64)
    """pts of the frame that made the event known; at the end of a stream, when what its last frame stands for was over.
    Never before `end_ns`."""
    dwell_ns: np.ndarray = column(np.int64)
    """Time within the visit that was really spent looking, gaps left out."""
    fixations: np.ndarray = column(np.int64)
    """Looks without a gap that were long enough to be fixations; a visit without any is a glance."""
    fixation_ns: np.ndarray = column(np.int64)
    """Time spent in those fixations."""
    score: np.ndarray = column(np.float32)
    """Mean probability of the hits of the visit so far, weighted by time."""
    start_time_ns: np.ndarray = column(np.int64)
    """Wall-clock time of pts 0 of the stream, ns since 1970-01-01T00:00:00Z."""


@dataclass(frozen=True, eq=False)
class Measures(Value):
    """Attention in windows of time, one row a number. Not tied to frames: rows carry their own stream and times."""

    stream_id: tuple[str, ...] = names()
    generation: np.ndarray = column(np.int64)
    sequence: np.ndarray = column(np.int64)
    """Of the report that the row belongs to: from 0, without gaps, per (stream, generation)."""
    span: tuple[str, ...] = names()
    """`window`, one of those that follow each other, or `whole`, all of the stream: never add up both."""
    window_start_ns: np.ndarray = column(np.int64)
    window_end_ns: np.ndarray = column(np.int64)
    """pts; the window holds its start and not its end."""
    revision: np.ndarray = column(np.int64)
    """0, then 1, 2, … when visits of the window were repaired after it had been reported."""
    known_ns: np.ndarray = column(np.int64)
    measure: tuple[str, ...] = names()
    """Formula id: `watchers.1` and others of docs/events.md."""
    target: tuple[str, ...] = names()
    """What was looked at; "" for the whole stream."""
    to: tuple[str, ...] = names()
    """Of a transition, the target looked at next; "" for other measures."""
    value: np.ndarray = column(np.float64)
    start_time_ns: np.ndarray = column(np.int64)
    """Wall-clock time of pts 0 of the stream, ns since 1970-01-01T00:00:00Z."""
