"""Make skeletons: which joints of a person a bone joins."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.anatomy import HEAD_HEIGHTS
from nodes.ops.boxes import centres
from nodes.ops.skeleton import bones_between, isotropic, reach_of
from nodes.ops.wholebody import CRUTCHES, HEAD, JOINTS, WHEELCHAIR
from nodes.types import Bones, TrackedParts
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Joints with a lower score are left out. Raise for fewer false bones, lower for more whole skeletons."""
    reach: float = Field(default=2.0, gt=0, json_schema_extra=LIVE)
    """Longest bone, in the length that it has in a person who is as large as what is seen of this one. Raise when limbs
    of people who are half hidden are missing, lower when bones cross to a wrong joint."""


class EstimateSkeleton(Node[Config]):
    """Join the joints of each person: collarbone, shoulders, elbows, wrists, plexus, abdomen, hips, knees, ankles.

    Of all pairs of joints of one person that a bone may join, the shortest are joined first; each joint hangs on one
    other of a kind. What is too long for a body of this size is no bone: the size is the diagonal of all parts of the
    person, or seven heights of the head where that is more. Joints that are nobody's are not joined.

    State: none.
    Empty: no joints, no bones.
    Ref: edges of the demo of DEIMv2-Wholebody34; lengths in `ops.anatomy`.
    """

    def process(self, frames: FrameBatch, parts: TrackedParts) -> Bones:
        own = parts.take((parts.track_id > 0) & (parts.label != WHEELCHAIR) & (parts.label != CRUTCHES))
        size = frames.size_wh[own.frame_row]
        boxes = isotropic(own.box, size[:, 0] / size[:, 1])
        who = np.stack([own.frame_row, own.track_id], axis=1)
        people, person = np.unique(who, axis=0, return_inverse=True)
        stature = reach_of(boxes, own.label == HEAD, person, len(people), HEAD_HEIGHTS)
        joints = np.flatnonzero(np.isin(own.label, JOINTS) & (own.score >= self.config.min_score))
        ends = bones_between(own.label[joints], centres(boxes)[joints], person[joints], stature * self.config.reach)
        pairs = joints[np.stack(ends, axis=1)]
        return Bones(
            frame_row=own.frame_row[pairs[:, 0]],
            track_id=own.track_id[pairs[:, 0]],
            labels=own.label[pairs],
            points=centres(own.box)[pairs],
            score=own.score[pairs].min(axis=1, initial=1),
        )
