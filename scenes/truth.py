"""What a rendered frame is known to contain: people, where they look, and for how long they did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TARGET_KINDS = ("object", "surface", "person", "camera", "hand", "elsewhere")
"""What a person can look at. `object`: a thing that stands out; `surface`: a bare spot of shelf, wall or floor;
`hand`: something held or at the feet; `elsewhere`: a point of the room that nothing marks."""

DIRECTIONS = 8
"""Head directions, 45 degrees apart: 0 front, 2 image-right, 4 back, 6 image-left."""


@dataclass(frozen=True)
class PeopleTruth:
    """The N people of one frame, one row each, ordered by `person_id`.

    Boxes are xyxy in fractions of the frame, clipped to it. The camera-ray frame of a head has z along the ray from
    the camera through the head's centre, away from the camera, x to the image's right and y to its bottom: a head
    that faces the camera has its nose at z = -1.
    """

    person_id: Ints
    """(N,) identity, constant over a clip."""
    body_box: Floats
    """(N, 4) extent of what is visible of the person, head included."""
    head_box: Floats
    """(N, 4) whole head with hair and hat, hidden parts included, without hair that hangs down the back."""
    head_visible: Floats
    """(N,) fraction of the head that neither a thing nor another person nor the frame's edge hides, 0 to 1."""
    body_visible: Floats
    """(N,) the same for the whole person."""
    yaw_pitch_roll_deg: Floats
    """(N, 3) in the camera-ray frame. Yaw 0 faces the camera, +90 has the nose to the image's right, 180 shows the
    back; pitch + is up; roll + leans the crown to the person's own right shoulder."""
    direction: Ints
    """(N,) `round(yaw / 45) mod 8`."""
    head_vector: Floats
    """(N, 3) unit vector of the nose, camera-ray frame."""
    gaze_vector: Floats
    """(N, 3) unit vector from the head's centre to the target, camera-ray frame."""
    target_point: Floats
    """(N, 2) the looked-at point in fractions of the frame; may lie outside, nan behind the camera."""
    in_frame: Bools
    """(N,) whether the target lies inside the picture, in front of the camera, and is not the camera itself."""
    target_kind: Ints
    """(N,) index into `TARGET_KINDS`."""
    looked_at: tuple[str, ...]
    """(N,) name of the AOI the target lies in, `person:<id>`, or an empty string."""
    face_box: Floats
    """(N, 4) extent of what faces the camera of the face, forehead to chin, hidden parts included; nan from behind."""
    face_visible: Floats
    """(N,) fraction of the whole face that is seen, 0 to 1; a mask or glasses do not hide it."""

    def __len__(self) -> int:
        """Count the people."""
        return len(self.person_id)


FACES = ("face_box", "face_visible")
"""Columns for training only: neither in the files of clips nor in the fingerprints of sets, which are older."""


def no_people() -> PeopleTruth:
    """Return the truth of an empty frame."""
    return PeopleTruth(
        person_id=np.zeros(0, np.int64),
        body_box=np.zeros((0, 4)),
        head_box=np.zeros((0, 4)),
        head_visible=np.zeros(0),
        body_visible=np.zeros(0),
        yaw_pitch_roll_deg=np.zeros((0, 3)),
        direction=np.zeros(0, np.int64),
        head_vector=np.zeros((0, 3)),
        gaze_vector=np.zeros((0, 3)),
        target_point=np.zeros((0, 2)),
        in_frame=np.zeros(0, np.bool_),
        target_kind=np.zeros(0, np.int64),
        looked_at=(),
        face_box=np.zeros((0, 4)),
        face_visible=np.zeros(0),
    )


@dataclass(frozen=True)
class Fixation:
    """A stretch of time over which one person's gaze rests on one target, or on several spots of one named area."""

    person_id: int
    target: str
    """AOI name, `person:<id>`, `camera`, or an empty string for all else."""
    kind: str
    """One of `TARGET_KINDS`."""
    start_s: float
    """When the gaze has arrived."""
    end_s: float
    """When it leaves."""
