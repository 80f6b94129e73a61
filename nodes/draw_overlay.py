"""Draw people, where they look, and who looks at what into the pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from pydantic import Field

from nodes.ops.canvas import Canvas
from nodes.ops.heat import lay_heat
from nodes.ops.overlay import Person, draw_areas, draw_people, label_areas
from nodes.ops.pixelate import pixelate_ellipses
from nodes.types import AoiHits, Detections, GazeMaps, GazePoints, HeadPoses, Tracks, Visits
from pipeline.frames import FrameBatch, Picture
from pipeline.node import Node, NodeConfig

LIVE: dict[str, Any] = {"live": True}
HEAT_SHARE = 0.7
V = TypeVar("V", HeadPoses, GazePoints, GazeMaps, AoiHits, Detections)
Looking = dict[int, dict[str, str]]
"""track -> target -> for how long, or ""."""


class Config(NodeConfig):
    scale: float = Field(default=1.0, gt=0, le=8, json_schema_extra=LIVE)
    """Size of lines and letters; 1 suits pictures of any size. Raise for a screen seen from afar."""
    caption: bool = Field(default=True, json_schema_extra=LIVE)
    """Write the stream and its time into the lower left corner."""
    min_in_frame: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """Gaze rays with a lower in-frame probability are left out: they would show nothing that is looked at."""
    heat_map: bool = Field(default=False, json_schema_extra=LIVE)
    """Lay the gaze maps of all heads over the picture; needs the `gaze` input."""
    blur_heads: bool = Field(default=False, json_schema_extra=LIVE)
    """Make heads unrecognisable before anything is drawn; with the `people` input also those without a track yet."""
    blur_scale: float = Field(default=1.5, ge=1, json_schema_extra=LIVE)
    """Size of what is hidden, in head boxes; 1.42 covers the corners of the box. Raise where heads move fast."""
    blur_hold_s: float = Field(default=1.0, ge=0, json_schema_extra=LIVE)
    """How long the place of a head that is no longer found stays hidden, seconds. Raise where heads are often lost."""


class DrawOverlay(Node[Config]):
    """Draw into a copy of each picture: heat map, areas, bodies, gaze rays, heads, labels, in this order.

    Every track has a colour of its own, that of its box, ray and labels. Areas that are looked at take the colour of
    who looks. With `looks`, labels tell the visits that are open and for how long they last; without, the `hits` of the
    frame. Where pitch and roll of a head are known, its axes are drawn as the camera sees them: ears red, crown
    green, nose white. Where the yaw alone is, an arrow shows it as if drawn on the floor: down is toward the camera.

    State: open visits, and where heads were last seen; both dropped when the stream ends.
    Empty: pictures come back with their areas drawn; no frames, no pictures.
    Ref: colours of Okabe and Ito, "Color Universal Design", 2008.
    """

    reads_pictures = True

    def open(self) -> None:
        self._held: dict[tuple[str, int], _Held] = {}

    def process(
        self,
        frames: FrameBatch,
        tracks: Tracks,
        poses: HeadPoses | None = None,
        points: GazePoints | None = None,
        gaze: GazeMaps | None = None,
        hits: AoiHits | None = None,
        looks: Visits | None = None,
        people: Detections | None = None,
    ) -> FrameBatch:
        untold = _by_stream(looks)
        pictures = []
        for row, key in enumerate(zip(frames.stream_id, frames.generation.tolist(), strict=True)):
            pts_ns = int(frames.pts_ns[row])
            held = self._held.setdefault(key, _Held())
            held.take_up(looks, untold.get(key), pts_ns)
            seen = tracks.take(tracks.frame_row == row)
            image = frames.bgr(row).copy()
            held.note_heads(seen, pts_ns, self.config.blur_hold_s)
            if self.config.blur_heads:
                self._hide_heads(image, held, seen, _of(row, people))
            if self.config.heat_map:
                _draw_heat(image, _of(row, gaze))
            hit = _hit(_of(row, hits))
            told = hit if looks is None else held.open_visits(pts_ns)
            aois = frames.stream(row).config.aois
            areas = {name: (area.polygon, *area.holes) for name, area in aois.items()}
            canvas = Canvas(image, self.config.scale)
            draw_areas(canvas, areas, hit, told)
            draw_people(canvas, self._people(seen, _of(row, poses), _of(row, points)), told)
            label_areas(canvas, areas, told)
            if self.config.caption:
                canvas.caption(f"{key[0]}  {pts_ns / 1e9:.2f} s")
            pictures.append(Picture((image,), "bgr"))
        for key, rows in untold.items():
            self._held.setdefault(key, _Held()).take_up(looks, rows)
        return replace(frames, pictures=tuple(pictures))

    def stream_ended(self, stream_id: str) -> None:
        self._held = {key: held for key, held in self._held.items() if key[0] != stream_id}

    def _hide_heads(self, image: np.ndarray, held: _Held, seen: Tracks, people: Detections | None) -> None:
        """Hide the heads of this frame, where heads were not long ago, and the tops of bodies without a head."""
        boxes = [box for _, box in held.heads.values()]
        boxes += [_top(body) for body in seen.body_box[np.isnan(seen.head_box).any(axis=1)]]
        if people is not None:
            boxes += list(people.head_box)
        pixelate_ellipses(image, np.array(boxes, np.float32).reshape(-1, 4), self.config.blur_scale)

    def _people(self, seen: Tracks, poses: HeadPoses | None, points: GazePoints | None) -> list[Person]:
        pose = (
            {} if poses is None else dict(zip(poses.track_id.tolist(), poses.yaw_pitch_roll_deg.tolist(), strict=True))
        )
        least, gaze = self.config.min_in_frame, {}
        if points is not None:
            for row in np.flatnonzero((points.in_frame_prob >= least) & np.isfinite(points.point).all(axis=1)):
                share = (float(points.in_frame_prob[row]) - least) / max(1 - least, 1e-6)
                ray = (tuple(points.head_point[row].tolist()), tuple(points.point[row].tolist()))
                gaze[int(points.track_id[row])] = (ray, share)
        return [
            Person(
                track_id=track_id,
                head=_known(seen.head_box[row]),
                body=_known(seen.body_box[row]),
                observed=bool(seen.observed[row]),
                pose_deg=tuple(pose[track_id]) if track_id in pose else None,
                gaze=gaze[track_id][0] if track_id in gaze else None,
                gaze_share=gaze[track_id][1] if track_id in gaze else 0.0,
            )
            for row, track_id in enumerate(seen.track_id.tolist())
        ]


@dataclass
class _Held:
    """What is held for one generation of a stream."""

    visits: dict[tuple[int, str], int] = field(default_factory=dict)
    """(track, target) -> pts of the first look, ns."""
    heads: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)
    """track -> pts and box of the head when it was last seen."""

    def note_heads(self, seen: Tracks, pts_ns: int, hold_s: float) -> None:
        """Keep where heads are, hidden or not: from one frame to the next they may have to be."""
        for track_id, box in zip(seen.track_id.tolist(), seen.head_box, strict=True):
            if not np.isnan(box).any():
                self.heads[track_id] = (pts_ns, box)
        hold_ns = round(hold_s * 1e9)
        self.heads = {track_id: head for track_id, head in self.heads.items() if pts_ns - head[0] <= hold_ns}

    def take_up(self, looks: Visits | None, untold: deque[int] | None, until_ns: int | None = None) -> None:
        """Follow the events, from the front of those not told yet, that became known by a pts."""
        while looks is not None and untold and (until_ns is None or looks.known_ns[untold[0]] <= until_ns):
            row = untold.popleft()
            visit = int(looks.track_id[row]), looks.target[row]
            if looks.kind[row] in ("ended", "retracted"):
                self.visits.pop(visit, None)
            else:
                self.visits[visit] = int(looks.start_ns[row])

    def open_visits(self, pts_ns: int) -> Looking:
        """Return what each track looks at, the longest visit first."""
        looking: Looking = {}
        for (track_id, target), start_ns in sorted(self.visits.items(), key=lambda visit: (visit[1], visit[0])):
            looking.setdefault(track_id, {})[target] = f"{(pts_ns - start_ns) / 1e9:.1f} s"
        return looking


def _by_stream(looks: Visits | None) -> dict[tuple[str, int], deque[int]]:
    untold: dict[tuple[str, int], deque[int]] = {}
    if looks is not None:
        for row, key in enumerate(zip(looks.stream_id, looks.generation.tolist(), strict=True)):
            untold.setdefault(key, deque()).append(row)
    return untold


def _of(row: int, value: V | None) -> V | None:
    return None if value is None else value.take(value.frame_row == row)


def _hit(hits: AoiHits | None) -> Looking:
    looking: Looking = {}
    if hits is not None:
        for track_id, target in zip(hits.track_id.tolist(), hits.target, strict=True):
            if target:
                looking.setdefault(track_id, {})[target] = ""
    return looking


def _known(box: np.ndarray) -> list[float] | None:
    return None if np.isnan(box).any() else box.tolist()


def _top(body: np.ndarray) -> np.ndarray:
    """Return where the head of a visible body is, generously."""
    x1, y1, x2, y2 = body
    aside = 0.15 * (x2 - x1)
    return np.array([x1 + aside, y1, x2 - aside, y1 + 0.25 * (y2 - y1)])


def _draw_heat(image: np.ndarray, gaze: GazeMaps | None) -> None:
    if gaze is not None and len(gaze):
        lay_heat(image, (gaze.heatmap * gaze.in_frame_prob[:, None, None]).max(axis=0), HEAT_SHARE)
