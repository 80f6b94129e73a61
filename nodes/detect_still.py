"""Tell people from things that a detector takes for people, by what never moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.backdrop import Backdrop, places
from nodes.ops.boxes import crops_around
from nodes.ops.spots import SIDE, Spots
from nodes.types import Detections
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

HEAD, BODY = 0, 1
LOOK_NS = 500_000_000
"""Pictures are looked at this seldom: nothing is recognised that lasts for less."""
AROUND = 1.25
"""What is looked at, in sides of the box: the edge between a head and what is behind it moves most."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    still_s: float = Field(default=15.0, gt=0, json_schema_extra=LIVE)
    """Seconds for which a detection must not have moved at all to be a thing. Raise where people doze or are far from
    the camera, lower where false ones must go sooner. Tune first."""
    max_motion: float = Field(default=0.0125, gt=0, lt=1, json_schema_extra=LIVE)
    """What a thing may seem to move, fractions of the height of its box: noise and compression look like motion. Raise
    where things are not recognised because the picture is noisy; too high, and people who sit still are things."""


class DetectStill(Node[Config]):
    """Leave out heads and bodies whose picture has not changed for long: posters, mannequins, crockery.

    Where something is detected, a small grey picture of the place is kept, and held against the same place from then
    on. A thing on a shelf looks the same, pixel for pixel, for as long as it stands there; people sway, breathe and
    turn, by more than noise within seconds. What has not changed for `still_s` is a thing, and left out from then on,
    while the place looks as it did: also when somebody who passed has hidden it. Anything else that is detected there
    is told at once. A place at which something moved has to be still for as long again, up to 5 minutes.

    Heads are judged by themselves, and their bodies with them: a body whose head is somebody is somebody; one whose
    head is a thing, or was not seen, is judged alone. A row is left out when nothing of it is left. What was told of a
    thing before it was known for one stands: its track ends as that of somebody who has left.

    State: places per stream, on the host, 2.4 kB each: 128, those of one frame more, and 24 that tell how noisy the
    picture is; anew with each generation, dropped when the stream ends. A place without detections is forgotten after
    20 s, a thing after an hour.
    Empty: a frame without people is told as it is, and places are kept.
    Ref: motion after Lucas and Kanade 1981, without its direction; see `ops.patches` and docs/still.md.
    """

    reads_pictures = True

    def open(self) -> None:
        self._streams: dict[str, tuple[int, _Watch]] = {}

    def process(self, frames: FrameBatch, people: Detections) -> Detections:
        streams = dict(self._streams)
        kept = []
        for row, stream_id in enumerate(frames.stream_id):
            generation = int(frames.generation[row])
            held, watch = streams.get(stream_id, (generation, _Watch()))
            if held != generation:
                watch = _Watch()
            found = people if len(frames) == 1 else people.take(people.frame_row == row)
            if len(found):
                watch, found = self._step(watch, frames, row, found)
            streams[stream_id] = generation, watch
            kept.append(found)
        self._streams = streams  # not before: a tick on which something fails is run again
        return concat(kept) if kept else Detections.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def _step(self, watch: _Watch, frames: FrameBatch, row: int, people: Detections) -> tuple[_Watch, Detections]:
        """Look at one frame; return what is known after it, and who is left of the people."""
        config, pts_ns, spots = self.config, int(frames.pts_ns[row]), watch.spots
        looks = watch.backdrop is None or pts_ns - watch.backdrop.looked_ns >= LOOK_NS
        if not looks and not watch.things:
            return watch, people
        boxes = np.stack([people.head_box, people.body_box])
        part, which = (~np.isnan(boxes[:, :, 0])).nonzero()
        box = boxes[part, which]
        if looks:
            spots = spots.remembered(pts_ns)
        place = spots.at(part, box, only=None if looks else spots.thing)
        met = np.unique(place[place >= 0])
        # In between only what hides a thing is looked at, so that the thing is not told when it comes out again.
        due = met if looks else met[~spots.same[met]]
        new = np.flatnonzero(place < 0) if looks else due[:0]
        back = watch.backdrop
        everywhere = places(frames.size_wh[row, 0] / frames.size_wh[row, 1]) if looks else np.empty((0, 4))
        if looks or len(due):
            around = crops_around(np.concatenate([spots.box[due], box[new]]), np.ones(len(due) + len(new)), AROUND)
            patches = self._patches(frames, row, np.concatenate([around, everywhere]))
            known, begun, behind = np.split(patches, [len(due), len(around)])
            if looks:
                back = back.looked_at(behind, pts_ns) if back else Backdrop(behind, pts_ns, pts_ns, 0.0)
            noise = back.noise if back else 0.0
            most, still_ns = config.max_motion / AROUND, round(config.still_s * 1e9)
            spots = spots.looked_at(due, known, pts_ns, noise, most, still_ns).begun(part[new], box[new], begun, pts_ns)
        is_thing = np.zeros(boxes.shape[:2], np.bool_)
        is_thing[part, which] = (place >= 0) & (spots.thing & spots.same)[place]
        watch = _Watch(back, spots, bool(spots.thing.any()))
        return watch, _without(people, is_thing) if is_thing.any() else people

    def _patches(self, frames: FrameBatch, row: int, boxes: Array) -> Array:
        """Return grey pictures (K, SIDE, SIDE) float32 of boxes of a frame."""
        device, rows = self.context.device, np.full(len(boxes), row, np.int64)
        return device.to_host(device.crops(frames, rows, boxes, (SIDE, SIDE), colour="grey"))[:, 0]


@dataclass(frozen=True)
class _Watch:
    """What is known of one stream."""

    backdrop: Backdrop | None = None
    """None before the first look."""
    spots: Spots = field(default_factory=Spots.none)
    things: bool = False
    """Whether any of them is a thing."""


def _without(people: Detections, is_thing: Array) -> Detections:
    """Return people without the heads and bodies (2, N) that are things, best first."""
    no_head = is_thing[HEAD] | np.isnan(people.head_box[:, 0])
    no_body = (is_thing[BODY] & no_head) | np.isnan(people.body_box[:, 0])
    head_score = np.where(no_head, np.float32(0), people.head_score)
    body_score = np.where(no_body, np.float32(0), people.body_score)
    order = np.argsort(-np.maximum(head_score, body_score), kind="stable")
    left = order[~(no_head & no_body)[order]]
    gap = np.float32(np.nan)
    return Detections(
        frame_row=people.frame_row[left],
        head_box=np.where(no_head[:, None], gap, people.head_box)[left],
        head_score=head_score[left],
        body_box=np.where(no_body[:, None], gap, people.body_box)[left],
        body_score=body_score[left],
        direction_scores=np.where(no_head[:, None], np.float32(0), people.direction_scores)[left],
        appearance=people.appearance[left],
    )
