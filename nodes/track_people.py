"""Follow people from frame to frame, so that each keeps one number while it stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.assignment import Solver, load
from nodes.ops.boxes import clip_to_frame
from nodes.ops.doubts import settle
from nodes.ops.matching import Found, Rules, match
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.reunion import reunite
from nodes.ops.roster import Roster
from nodes.ops.whole_clip import WholeClips
from nodes.types import CameraMotion, Detections, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat, items

Array = np.ndarray[Any, np.dtype[Any]]

_PARTS = np.array([HEAD, BODY])

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    high_score: float = Field(default=0.6, ge=0, le=1, json_schema_extra=LIVE)
    """Detections from this score on are matched with everybody, weaker ones only to people seen just before. Raise when
    false detections pull tracks away, lower when people fade in and out. Goes by the scale of the detector's scores."""
    new_score: float = Field(default=0.6, ge=0, le=1, json_schema_extra=LIVE)
    """Score from which a detection that fits nobody is a new person. Raise for fewer false tracks. Tune first."""
    min_likeness: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Overlap with where a person is expected from which a detection can be that person. Raise when people swap
    numbers, lower when fast ones lose theirs."""
    min_likeness_weak: float = Field(default=0.4, ge=0, le=1, json_schema_extra=LIVE)
    """The same for detections below `high_score`."""
    min_resemblance: float = Field(default=0.6, ge=0, le=1, json_schema_extra=LIVE)
    """Where people are described (`estimate_appearance`): cosine from which a detection can be somebody lost who may
    have walked there. Raise when people who look alike swap numbers, lower to find more of the lost again."""
    confirm_s: float = Field(default=0.1, ge=0, json_schema_extra=LIVE)
    """Seconds a person must be seen before it is a track; whoever is there in the first frame of a stream is one at
    once. Raise for fewer false tracks, at the price of later ones."""
    max_lost_s: float = Field(default=4.0, ge=0, json_schema_extra=LIVE)
    """Seconds after which a person out of sight is forgotten. Raise for longer occlusions, at the price of newcomers
    who get the number of somebody gone."""
    coast_s: float = Field(default=1.0, ge=0, json_schema_extra=LIVE)
    """Seconds for which a body out of sight is still reported where it is expected. Raise to bridge gaps, lower for
    boxes that are all seen."""
    coast_spread: float = Field(default=0.2, ge=0, json_schema_extra=LIVE)
    """How uncertain such a place may be, its standard deviation over the side of a square as large as the body. Raise
    to report longer, at the price of boxes that miss."""
    speed: float = Field(default=0.8, gt=0, json_schema_extra=LIVE)
    """Spread of the speeds of people, their body heights per second (walking is 0.8). Raise for running people, and
    for low cameras that people pass close by."""
    persistence_s: float = Field(default=1.5, gt=0, json_schema_extra=LIVE)
    """Seconds for which people keep speed and direction. Raise for corridors, lower for people who browse."""
    solver: Solver = "scipy"
    """Library that pairs people with detections: `scipy`, or `lap` (an extra to install), which is faster for hundreds
    of people in a picture."""
    offline: bool = Field(default=False, json_schema_extra={"second_pass": True})
    """Run files in two passes: once a file is known to its end, fragments of tracks are linked and gaps are filled, and
    all that follows sees only that. Streams that are live are run in one pass all the same."""
    min_seen_s: float = Field(default=0.5, ge=0)
    """With `offline`: people seen for fewer seconds in all are left out. Raise for fewer false tracks."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        if self.solver == "scipy" or find_spec(self.solver):
            return {}
        return {"solver": [f"expected the package {self.solver} beside ours, got none; type pip install {self.solver}"]}


class TrackPeople(Node[Config]):
    """Give people numbers by where their heads and bodies are expected.

    Per frame: everybody is moved on to the frame's pts, and along with the camera where `camera` tells how it moved;
    detections are matched to people (`ops.matching`), which moves them along, too, when most of them jump together;
    what is left begins new people. A track is reported from the frame that confirms it, under a number from 1 in the
    order of confirmation, with its body box as filtered. A body out of sight is reported where it is expected while
    that is fairly certain. Newcomers whose way shows that they are somebody lost get the old number back
    (`ops.reunion`): `taken_from` tells which number their rows had until then.

    State: per stream, people with filters and ages; new with each generation, dropped when the stream ends.
    Empty: a frame without people ages those known, and reports them while they coast.
    Ref: Kalman 1960; strong and weak detections after Zhang et al., "ByteTrack", ECCV 2022. Settings were chosen on
    rendered crowds (`scenes.crowd`) and TUD-Stadtmitte; see docs/tracking.md.
    """

    def open(self) -> None:
        self._rosters: dict[str, tuple[int, Roster]] = {}
        self.reconfigured()
        load(self.config.solver)

    def reconfigured(self) -> None:
        config = self.config
        self._pace = Pace(config.speed, config.persistence_s)
        self._rules = Rules(
            config.high_score, config.min_likeness, config.min_likeness_weak, config.min_resemblance, config.solver
        )

    def process(self, frames: FrameBatch, people: Detections, camera: CameraMotion | None = None) -> Tracks:
        rows = []
        for row, stream_id in enumerate(frames.stream_id):
            generation = int(frames.generation[row])
            held, roster = self._rosters.get(stream_id, (generation, None))
            if roster is None or held != generation:
                roster = Roster()
                self._rosters[stream_id] = generation, roster
            found = people if len(frames) == 1 else people.take(people.frame_row == row)
            width, height = frames.size_wh[row].tolist()
            aspect = width / height
            moved = None if camera is None else _in_heights(camera, row, aspect)
            rows.append(self._step(roster, row, int(frames.pts_ns[row]), aspect, found, moved))
        return concat(rows) if rows else Tracks.empty()

    def revised(self, ticks: Iterable[tuple[FrameBatch, Tracks]]) -> Iterator[Tracks]:
        clips = WholeClips()
        for frames, tracks in ticks:
            clips.add(_keys(frames), frames.pts_ns, frames.size_wh, dict(items(tracks)))
        clips.link(self.config.min_seen_s)
        for frames, _ in ticks:
            columns = clips.tick(_keys(frames), frames.pts_ns)
            yield Tracks.empty() if columns is None else Tracks(**columns)

    def stream_ended(self, stream_id: str) -> None:
        self._rosters.pop(stream_id, None)

    def _step(
        self, roster: Roster, frame_row: int, pts_ns: int, aspect: float, people: Detections, moved: Array | None
    ) -> Tracks:
        """Follow the people of one stream through one frame."""
        config, pace = self.config, self._pace
        scores = np.maximum(people.head_score, people.body_score)
        found = Found.of(people.head_box, people.body_box, scores, people.appearance, aspect)
        roster.advance(pts_ns, config.max_lost_s, pace, moved)
        pairs, doubts = match(roster, found, self._rules)
        if len(roster):
            looks = _rows(found.looks, np.maximum(*pairs.T), 0) if found.looks.shape[1] else None
            roster.see(found.anchored[pairs, _PARTS], pairs >= 0, looks, pace)
        pairs = pairs[roster.forget(aspect)]
        new = scores >= config.new_score
        new[pairs[pairs >= 0]] = False
        new = new.nonzero()[0]
        if len(new):
            roster.add(found.anchored[new], found.seen[new], found.looks[new], pace)
            pairs = np.concatenate([pairs, np.where(found.seen[new], new[:, None], -1)])
        due = roster.due(config.confirm_s)
        roster.doubts, splits = settle(roster, roster.doubts, due, pace)
        roster.doubts += doubts
        roster.confirm(due)
        # One correction of a person at a time: numbers that a split has just given are not merged in the same frame.
        left, merges = (np.ones(len(roster), np.bool_), []) if splits else reunite(roster, pace, config.solver)
        return self._report(roster, frame_row, aspect, pairs[left], people, splits + merges)

    def _report(
        self,
        roster: Roster,
        frame_row: int,
        aspect: float,
        pairs: Array,
        people: Detections,
        corrections: list[tuple[int, int, int]],
    ) -> Tracks:
        """Return the rows of confirmed people who are seen, or whose body is still expected somewhere in the frame.

        Whoever a correction is about has a row in any case: a correction that is told later would be wrong.
        """
        config, motion = self.config, roster.motion
        seen = pairs >= 0
        observed = seen[:, HEAD] | seen[:, BODY]
        sides = np.maximum(motion.anchored()[:, BODY, 2:], 0)
        variance = np.maximum(*motion.variance()[:, BODY].T)
        certain = variance <= config.coast_spread**2 * sides[:, 0] * sides[:, 1]
        coasts = certain & (roster.seen_ns[:, BODY] >= (roster.pts_ns or 0) - config.coast_s * 1e9)
        body = motion.boxes()[:, BODY]
        body[:, ::2] /= aspect
        unseen = ~seen[:, BODY]
        body[unseen] = clip_to_frame(body[unseen])
        told = np.zeros_like(unseen)
        for _, _, taker in corrections:
            told |= roster.track_id == taker
        coasts = (coasts | told) & (body[:, 2] > body[:, 0]) & (body[:, 3] > body[:, 1])
        body[unseen & ~coasts] = np.nan
        shown = ((roster.track_id > 0) & (observed | coasts | told)).nonzero()[0]
        shown = shown[np.argsort(roster.track_id[shown], kind="stable")]
        track_id, (head, of_body) = roster.track_id[shown], pairs[shown].T
        some = slice(None) if np.count_nonzero(head >= 0) else slice(0)  # most detectors find bodies alone
        taken_from, taken_since_ns = np.zeros((2, len(shown)), np.int64)
        for taken, since_ns, taker in corrections:
            taken_from[track_id == taker], taken_since_ns[track_id == taker] = taken, since_ns
        return Tracks(
            frame_row=np.full(len(shown), frame_row, np.int64),
            track_id=track_id,
            head_box=_rows(people.head_box[some], head, np.nan),
            head_score=_rows(people.head_score[some], head, 0),
            body_box=body[shown].astype(np.float32),
            body_score=_rows(people.body_score, of_body, 0),
            direction_scores=_rows(people.direction_scores[some], head, 0),
            observed=observed[shown],
            taken_from=taken_from,
            taken_since_ns=taken_since_ns,
        )


def _in_heights(camera: CameraMotion, row: int, aspect: float) -> Array | None:
    """Return how the camera moved before a frame (2, 3), in fractions of its height; None when not known or not."""
    which = (camera.frame_row == row).nonzero()[0]
    if not len(which):
        return None
    affine = camera.affine[which[0]] * np.array([[1, aspect, aspect], [1 / aspect, 1, 1]])
    return None if np.array_equal(affine, np.eye(2, 3)) else affine


def _rows(column: Array, rows: Array, nothing: float) -> Array:
    """Return the picked rows of a column, and `nothing` for row -1."""
    if not len(column):
        return np.full((len(rows), *column.shape[1:]), nothing, column.dtype)
    picked = column[rows]
    picked[rows < 0] = nothing
    return picked


def _keys(frames: FrameBatch) -> list[tuple[str, int]]:
    return list(zip(frames.stream_id, frames.generation.tolist(), strict=True))
