"""People who walk through made-up frames, and the tracks that become of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.track_people import TrackPeople
from nodes.types import Detections, Tracks
from tests.helpers import frames, make_node, table

NONE = [np.nan] * 4
FRAME_S = 0.1
Person = dict[str, Any]


def person(x: float, y: float = 0.2, head: bool = True, body: bool = True, score: float = 0.8) -> Person:
    """Return somebody whose middle line is at x and whose crown is at y, 0.6 of the frame high."""
    return {
        "head_box": [x - 0.025, y, x + 0.025, y + 0.08] if head else NONE,
        "head_score": score * head,
        "body_box": [x - 0.06, y, x + 0.06, y + 0.6] if body else NONE,
        "body_score": score * body,
        "direction_scores": [x, 0, 0, 0, 0, 0, 0, 0],
    }


def found(*people: Person) -> Detections:
    names = person(0).keys()
    return table(Detections, frame_row=[0] * len(people), **{name: [p[name] for p in people] for name in names})


def follow(*frames_of_people: list[Person], step_s: float = FRAME_S, **config: Any) -> list[Tracks]:
    """Return the tracks of each frame of one stream."""
    node = make_node(TrackPeople, **config)
    node.open()
    return [
        node.process(frames(1, start_s=step_s * k, step_s=step_s), found(*people))
        for k, people in enumerate(frames_of_people)
    ]


def ids(tracks: list[Tracks]) -> list[list[int]]:
    return [frame.track_id.tolist() for frame in tracks]
