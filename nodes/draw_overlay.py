"""Draw people, where they look, and who looks at what into the pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nodes.ops.body_drawing import PartBox, draw_bones, draw_parts
from nodes.ops.canvas import Canvas
from nodes.ops.heat import hottest, lay_heat
from nodes.ops.overlay import Person, draw_areas, draw_people, label_areas
from nodes.ops.pixelate import pixelate_ellipses, top_of_body
from nodes.ops.shown import Shown
from nodes.ops.wholebody import FACE, NAMES
from nodes.ops.words import words_of
from nodes.types import (
    AoiHits,
    Attributes,
    Bones,
    Detections,
    Distances,
    GazeDirections,
    GazeMaps,
    GazePoints,
    HeadPoses,
    TrackedParts,
    Tracks,
    Visits,
)
from pipeline.frames import FrameBatch, Picture
from pipeline.namespaces import namespace
from pipeline.node import Node, NodeConfig

LIVE: dict[str, Any] = {"live": True}
Looking = dict[int, dict[str, str]]
"""track -> target -> for how long, or ""."""


class Config(NodeConfig):
    scale: float = Field(default=1.0, gt=0, le=8, json_schema_extra=LIVE)
    """Size of lines and letters; 1 suits pictures of any size. Raise for a screen seen from afar."""
    line_width: float = Field(default=1.0, gt=0, le=8, json_schema_extra=LIVE)
    """Width of lines, in usual ones. Raise where boxes drown in the picture."""
    caption: bool = Field(default=True, json_schema_extra=LIVE)
    """Write the stream and its time into the lower left corner."""
    areas: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw areas of interest and who looks at them."""
    boxes: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw the boxes of heads and bodies."""
    ids: bool = Field(default=True, json_schema_extra=LIVE)
    """Write the number of each track."""
    head_poses: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw where heads point; needs the `poses` input."""
    eye_directions: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw where eyes look as a yellow arrow; needs the `directions` input."""
    rays: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw a ray from each head to what it looks at; needs the `points` input."""
    min_in_frame: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """Gaze rays with a lower in-frame probability are left out: they would show nothing that is looked at."""
    heat_map: bool = Field(default=False, json_schema_extra=LIVE)
    """Lay the gaze maps of all heads over the picture; needs the `gaze` input."""
    heat_alpha: float = Field(default=0.7, ge=0, le=1, json_schema_extra=LIVE)
    """How far the hottest spot of the maps covers the picture. Raise to see the map, lower to see the picture."""
    skeleton: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw lines between joints; needs the `bones` input."""
    part_boxes: bool = Field(default=True, json_schema_extra=LIVE)
    """Draw parts of bodies, each class in its colour; needs the `parts` input."""
    joints: Literal["dot", "box", "both", "none"] = Field(default="dot", json_schema_extra=LIVE)
    """How joints are drawn, among the parts."""
    hands: bool = Field(default=True, json_schema_extra=LIVE)
    """Write L or R at hands whose side is known, among the parts."""
    hide_classes: tuple[str, ...] = Field(default=(), json_schema_extra=LIVE)
    """Classes of parts that are not drawn, by name: `[eye, ear]`; `explain detect_parts` tells the names."""
    attributes: bool = Field(default=True, json_schema_extra=LIVE)
    """Write adult or child, male or female, wheelchair and crutches; needs the `attributes` input."""
    distance: bool = Field(default=True, json_schema_extra=LIVE)
    """Write how far people are from the camera, metres; needs the `distances` input."""
    blur_heads: bool = Field(default=True, json_schema_extra=LIVE)
    """Make heads unrecognisable before anything is drawn; with the `people` input also those without a track yet. Turn
    it off only where all who are seen agree."""
    blur_faces: bool = Field(default=False, json_schema_extra=LIVE)
    """Make the faces among the parts unrecognisable, where whole heads are not; needs the `parts` input."""
    blur_scale: float = Field(default=1.5, ge=1, json_schema_extra=LIVE)
    """Size of what is hidden, in boxes; 1.42 covers the corners of the box. Raise where heads move fast."""
    blur_hold_s: float = Field(default=1.0, ge=0, json_schema_extra=LIVE)
    """How long the place of a head that is no longer found stays hidden, seconds. Raise where heads are often lost."""

    @field_validator("hide_classes")
    @classmethod
    def _known(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        for name in classes:
            if name not in NAMES:
                raise ValueError(f"expected classes among {', '.join(NAMES)}, got {name!r}")
        return classes


@dataclass(frozen=True)
class _Seen:
    """What is known of one frame: the values of all inputs that are connected, without the rows of other frames."""

    tracks: Tracks
    poses: HeadPoses | None
    points: GazePoints | None
    hits: AoiHits | None
    people: Detections | None
    parts: TrackedParts | None
    bones: Bones | None
    attributes: Attributes | None
    distances: Distances | None
    directions: GazeDirections | None


class DrawOverlay(Node[Config]):
    """Draw into a copy of each picture: heat map, areas, parts, bones, bodies, gaze rays, heads, labels, in this order.

    Heads are made unrecognisable before anything is drawn, unless that is turned off.

    Every track has a colour of its own, that of its box, ray and labels. Areas that are looked at take the colour of
    who looks. With `looks`, labels tell the visits that are open and for how long they last; without, the `hits` of the
    frame. Where pitch and roll of a head are known, its axes are drawn as the camera sees them: ears red, crown
    green, nose white. Where the yaw alone is, an arrow shows it as if drawn on the floor: down is toward the camera.

    State: open visits, and where heads were last seen; both dropped when the stream ends.
    Empty: pictures come back with their areas drawn; no frames, no pictures.
    Ref: colours of Okabe and Ito, "Color Universal Design", 2008.
    """

    reads_pictures = True
    reads_on_device = frozenset({"gaze"})

    def open(self) -> None:
        self._shown: dict[tuple[str, int], Shown] = {}

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
        parts: TrackedParts | None = None,
        bones: Bones | None = None,
        attributes: Attributes | None = None,
        distances: Distances | None = None,
        directions: GazeDirections | None = None,
    ) -> FrameBatch:
        untold = _by_stream(looks)
        heat = self._heat(gaze) if self.config.heat_map else {}
        values = (tracks, poses, points, hits, people, parts, bones, attributes, distances, directions)
        pictures = []
        for row, key in enumerate(zip(frames.stream_id, frames.generation.tolist(), strict=True)):
            shown = self._shown.setdefault(key, Shown())
            _take_up(shown, looks, untold.get(key), int(frames.pts_ns[row]))
            seen = _Seen(*(_of(row, value) for value in values))
            image = self._drawn(frames, row, shown, seen, heat.get(row), with_looks=looks is not None)
            pictures.append(Picture((image,), "bgr"))
        for key, rows in untold.items():
            _take_up(self._shown.setdefault(key, Shown()), looks, rows)
        return replace(frames, pictures=tuple(pictures))

    def stream_ended(self, stream_id: str) -> None:
        self._shown = {key: shown for key, shown in self._shown.items() if key[0] != stream_id}

    def _heat(self, gaze: GazeMaps | None) -> dict[int, np.ndarray]:
        """Return one map (h, w) for each frame with maps, by its row; made where the maps are."""
        if gaze is None:
            return {}
        rows = np.unique(gaze.frame_row).tolist()
        parts = [gaze.take(gaze.frame_row == row) for row in rows]
        merged = [hottest(part.heatmap, namespace(part.heatmap).asarray(part.in_frame_prob)) for part in parts]
        return dict(zip(rows, self.context.device.all_to_host(*merged), strict=True))

    def _drawn(
        self, frames: FrameBatch, row: int, shown: Shown, seen: _Seen, heat: np.ndarray | None, with_looks: bool
    ) -> np.ndarray:
        """Return the picture of a frame, (H, W, 3) u8, with everything drawn that is asked for."""
        config, pts_ns = self.config, int(frames.pts_ns[row])
        image = frames.bgr(row).copy()
        shown.note_heads(seen.tracks.track_id, seen.tracks.head_box, pts_ns, config.blur_hold_s)
        self._hide(image, shown, seen)
        if heat is not None:
            lay_heat(image, heat, config.heat_alpha)
        canvas = Canvas(image, config.scale, config.line_width)
        hit = _hit(seen.hits)
        told = shown.open_visits(pts_ns) if with_looks else hit
        aois = frames.stream(row).config.aois if config.areas else {}
        areas = {name: (area.polygon, *area.holes) for name, area in aois.items()}
        draw_areas(canvas, areas, hit, told)
        if seen.parts is not None and config.part_boxes:
            draw_parts(canvas, _part_boxes(seen.parts), config.hide_classes, config.joints, config.hands)
        if seen.bones is not None and config.skeleton:
            draw_bones(canvas, seen.bones.track_id.tolist(), seen.bones.points)
        draw_people(canvas, self._people(seen), told)
        label_areas(canvas, areas, told)
        if config.caption:
            canvas.caption(f"{frames.stream_id[row]}  {pts_ns / 1e9:.2f} s")
        return image

    def _hide(self, image: np.ndarray, shown: Shown, seen: _Seen) -> None:
        """Hide the heads of this frame, where heads were not long ago, and the tops of bodies without a head."""
        boxes: list[np.ndarray] = []
        if self.config.blur_heads:
            boxes += [box for _, box in shown.heads.values()]
            boxes += [top_of_body(body) for body in seen.tracks.body_box[np.isnan(seen.tracks.head_box).any(axis=1)]]
            boxes += [] if seen.people is None else list(seen.people.head_box)
        if self.config.blur_faces and seen.parts is not None:
            boxes += list(seen.parts.box[seen.parts.label == FACE])
        pixelate_ellipses(image, np.array(boxes, np.float32).reshape(-1, 4), self.config.blur_scale)

    def _people(self, seen: _Seen) -> list[Person]:
        config, tracks = self.config, seen.tracks
        poses = _by_track(seen.poses, "yaw_pitch_roll_deg", config.head_poses)
        eyes = _by_track(seen.directions, "yaw_pitch_deg", config.eye_directions)
        gaze = _rays(seen.points if config.rays else None, config.min_in_frame)
        words = _words(seen.attributes if config.attributes else None, seen.distances if config.distance else None)
        return [
            Person(
                track_id=track_id,
                head=_known(tracks.head_box[row]),
                body=_known(tracks.body_box[row]),
                observed=bool(tracks.observed[row]),
                pose_deg=tuple(poses[track_id]) if track_id in poses else None,
                gaze=gaze[track_id][0] if track_id in gaze else None,
                gaze_share=gaze[track_id][1] if track_id in gaze else 0.0,
                eyes_deg=tuple(eyes[track_id]) if track_id in eyes else None,
                words=tuple(words.get(track_id, ())),
                outlined=config.boxes,
                numbered=config.ids,
            )
            for row, track_id in enumerate(tracks.track_id.tolist())
        ]


def _take_up(shown: Shown, looks: Visits | None, untold: deque[int] | None, until_ns: int | None = None) -> None:
    """Follow the events, from the front of those not told yet, that became known by a pts."""
    while looks is not None and untold and (until_ns is None or looks.known_ns[untold[0]] <= until_ns):
        row = untold.popleft()
        shown.take_up(looks.kind[row], int(looks.track_id[row]), looks.target[row], int(looks.start_ns[row]))


def _by_stream(looks: Visits | None) -> dict[tuple[str, int], deque[int]]:
    untold: dict[tuple[str, int], deque[int]] = {}
    if looks is not None:
        for row, key in enumerate(zip(looks.stream_id, looks.generation.tolist(), strict=True)):
            untold.setdefault(key, deque()).append(row)
    return untold


def _of(row: int, value: Any) -> Any:
    return None if value is None else value.take(value.frame_row == row)


def _by_track(value: Any, column: str, wanted: bool) -> dict[int, Any]:
    """Return a column of a value by track, as plain numbers."""
    if value is None or not wanted:
        return {}
    return dict(zip(value.track_id.tolist(), getattr(value, column).tolist(), strict=True))


def _rays(points: GazePoints | None, least: float) -> dict[int, tuple[Any, float]]:
    """Return by track the ray of its gaze and how sure it is, where it is at least so probably in the frame."""
    rays: dict[int, tuple[Any, float]] = {}
    if points is not None:
        for row in np.flatnonzero((points.in_frame_prob >= least) & np.isfinite(points.point).all(axis=1)):
            share = (float(points.in_frame_prob[row]) - least) / max(1 - least, 1e-6)
            ray = (tuple(points.head_point[row].tolist()), tuple(points.point[row].tolist()))
            rays[int(points.track_id[row])] = (ray, share)
    return rays


def _words(attributes: Attributes | None, distances: Distances | None) -> dict[int, list[str]]:
    columns = {"child/adult": "child_prob", "female/male": "female_prob"}
    columns |= {"wheelchair": "wheelchair_prob", "crutches": "crutches_prob"}
    probabilities = {names: _by_track(attributes, column, True) for names, column in columns.items()}
    return words_of(probabilities, _by_track(distances, "distance_m", True))


def _part_boxes(parts: TrackedParts) -> list[PartBox]:
    columns = (parts.label, parts.box, parts.attribute_scores, parts.track_id)
    return [PartBox(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _hit(hits: AoiHits | None) -> Looking:
    looking: Looking = {}
    if hits is not None:
        for track_id, target in zip(hits.track_id.tolist(), hits.target, strict=True):
            if target:
                looking.setdefault(track_id, {})[target] = ""
    return looking


def _known(box: np.ndarray) -> list[float] | None:
    return None if np.isnan(box).any() else box.tolist()
