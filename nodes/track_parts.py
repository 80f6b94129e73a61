"""Tell of each part of a body whose it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.assignment import assign
from nodes.ops.boxes import iou
from nodes.ops.part_fit import People, aids_of, owners
from nodes.ops.skeleton import isotropic
from nodes.ops.wholebody import BODY, CRUTCHES, HEAD, WHEELCHAIR
from nodes.types import Parts, TrackedParts, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import items

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    min_overlap: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Overlap with the box of a track from which a body or a head can be that person's. Raise when bodies of people
    without a number yet are given to neighbours, lower when fast people lose theirs."""
    min_aid_fit: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """How well a wheelchair, or crutches, must fit a body (overlap times share of the body within). Raise when those
    who push one are taken for who sits in it."""
    min_fit: float = Field(default=0.05, ge=0, le=1, json_schema_extra=LIVE)
    """How well faces, eyes, hands, feet and joints must fit somebody. Raise for fewer parts on wrong people, lower for
    people in unusual poses, or seen from far above."""


class TrackParts(Node[Config]):
    """Give each part the number of the person it belongs to, or 0.

    Per frame, all one to one or up to what a person has of a kind, so that the fit is best in total: bodies and heads
    go to the tracks whose boxes they overlap, wheelchairs and crutches to the bodies in them, faces, eyes, noses,
    mouths and ears to heads, hands, feet and joints to bodies (`ops.part_fit`): a part within two bodies goes to the
    one on which it is better placed, of a better size, and nearer to what it hangs on. Bodies and heads without a
    track hold on to their parts, too, which are then nobody's, rather than those of who stands near. Tracks that were
    not seen in a frame have no parts in it.

    State: none.
    Empty: no parts, no rows; without tracks all parts are nobody's.
    Ref: ours; nothing but attributes is joined upstream, and joints go to the first body that holds them.
    """

    def process(self, frames: FrameBatch, tracks: Tracks, parts: Parts) -> TrackedParts:
        track_id = np.zeros(len(parts), np.int64)
        for row in np.unique(parts.frame_row).tolist():
            rows = np.flatnonzero(parts.frame_row == row)
            seen = tracks.take((tracks.frame_row == row) & tracks.observed)
            width, height = frames.size_wh[row].tolist()
            track_id[rows] = self._whose(seen, parts.label[rows], parts.box[rows], width / height)
        return TrackedParts(track_id=track_id, **dict(items(parts)))

    def _whose(self, seen: Tracks, label: Array, box: Array, aspect: float) -> Array:
        """Return the track ids (N,) of the parts of one frame, 0 for nobody."""
        config = self.config
        boxes = isotropic(box, np.full(len(box), aspect))
        tracked = [isotropic(each, np.full(len(seen), aspect)) for each in (seen.head_box, seen.body_box)]
        owner = np.full(len(label), -1, np.int64)
        sides = []
        for side, (whole, of_track) in enumerate(zip((HEAD, BODY), tracked, strict=True)):
            found = np.flatnonzero(label == whole)
            which, whose = assign(iou(boxes[found], of_track) - config.min_overlap)
            owner[found[which]] = whose
            of_track[whose] = boxes[found[which]]
            free = np.setdiff1d(np.arange(len(found)), which)
            others = np.full((2, len(free), 4), np.nan)  # heads and bodies of those without a track
            others[side] = boxes[found[free]]
            sides.append(others)
        heads, bodies = (np.concatenate([tracked[side], sides[0][side], sides[1][side]]) for side in (0, 1))
        for aid in (WHEELCHAIR, CRUTCHES):
            found = np.flatnonzero(label == aid)
            which, whose = aids_of(boxes[found], bodies, config.min_aid_fit)
            owner[found[which]] = whose
        of_parts = owners(label, boxes, People.of(heads, bodies), config.min_fit)
        owner = np.where(of_parts >= 0, of_parts, owner)
        ids = np.concatenate([seen.track_id, np.zeros(len(heads) - len(seen) + 1, np.int64)])  # the last: nobody
        return np.asarray(ids[owner])
