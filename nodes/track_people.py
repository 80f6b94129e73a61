"""Follow people from frame to frame, so that each keeps one number while it stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.assignment import assign
from nodes.ops.boxes import clip_to_frame, sizes, to_anchored
from nodes.ops.likeness import likeness
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.roster import Roster
from nodes.ops.whole_clip import WholeClips
from nodes.types import Detections, Tracks
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat, items

Array = np.ndarray[Any, np.dtype[Any]]

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    high_score: float = Field(default=0.35, ge=0, le=1, json_schema_extra=LIVE)
    """Detections from this score on are matched first, weaker ones only to people seen just before. Raise when false
    detections pull tracks away, lower when people fade in and out."""
    new_score: float = Field(default=0.4, ge=0, le=1, json_schema_extra=LIVE)
    """Score from which a detection that fits nobody is a new person. Raise for fewer false tracks. Tune first."""
    min_likeness: float = Field(default=0.2, ge=0, le=1, json_schema_extra=LIVE)
    """Overlap with where a person is expected from which a detection can be that person. Raise when people swap
    numbers, lower when fast ones lose theirs."""
    min_likeness_weak: float = Field(default=0.4, ge=0, le=1, json_schema_extra=LIVE)
    """The same for detections below `high_score`."""
    confirm_s: float = Field(default=0.2, ge=0, json_schema_extra=LIVE)
    """Seconds a person must be seen before it is a track; whoever is there in the first frame of a stream is one at
    once. Raise for fewer false tracks, at the price of later ones."""
    max_lost_s: float = Field(default=2.0, ge=0, json_schema_extra=LIVE)
    """Seconds after which a person out of sight is forgotten. Raise for longer occlusions, at the price of newcomers
    who get the number of somebody gone."""
    coast_s: float = Field(default=0.5, ge=0, json_schema_extra=LIVE)
    """Seconds for which a body out of sight is still reported where it is expected. Raise to bridge gaps, lower for
    boxes that are all seen."""
    speed: float = Field(default=0.5, gt=0, json_schema_extra=LIVE)
    """Spread of the speeds of people, their body heights per second (walking is 0.8). Raise for running people, and
    for low cameras that people pass close by."""
    persistence_s: float = Field(default=1.0, gt=0, json_schema_extra=LIVE)
    """Seconds for which people keep speed and direction. Raise for corridors, lower for people who browse."""
    offline: bool = Field(default=False, json_schema_extra={"second_pass": True})
    """Run files in two passes: once a file is known to its end, fragments of tracks are linked and gaps are filled, and
    all that follows sees only that. Streams that are live are run in one pass all the same."""


class TrackPeople(Node[Config]):
    """Give people numbers by where their heads and bodies are expected.

    Per frame: everybody is moved on to the frame's pts; detections are matched to people by likeness of place
    (`ops.likeness`) and Hungarian assignment: strong ones to people seen just before, then to people lost, weak ones
    to people seen just before, the rest to people not confirmed yet; half a person (a head that found no body, or a
    body that found no head) completes a match that lacks it; what is left begins new people. A track is reported from
    the frame that confirms it, under a number from 1 in the order of confirmation.

    State: per stream, people with filters and ages; new with each generation, dropped when the stream ends.
    Empty: a frame without people ages those known, and reports them while they coast.
    Ref: Kalman 1960; strong and weak rounds after Zhang et al., "ByteTrack", ECCV 2022, the recently seen first after
    Wojke et al., "Deep SORT", ICIP 2017.
    """

    def open(self) -> None:
        self._rosters: dict[str, tuple[int, Roster]] = {}

    def process(self, frames: FrameBatch, people: Detections) -> Tracks:
        rows = []
        for row, stream_id in enumerate(frames.stream_id):
            generation = int(frames.generation[row])
            held, roster = self._rosters.get(stream_id, (generation, Roster()))
            if held != generation:
                roster = Roster()
            self._rosters[stream_id] = generation, roster
            found = people.take(people.frame_row == row)
            width, height = (int(side) for side in frames.size_wh[row])
            rows.append(self._step(roster, row, int(frames.pts_ns[row]), width / height, found))
        return concat(rows) if rows else Tracks.empty()

    def revised(self, ticks: Iterable[tuple[FrameBatch, Tracks]]) -> Iterator[Tracks]:
        clips = WholeClips()
        for frames, tracks in ticks:
            clips.add(_keys(frames), frames.pts_ns, frames.size_wh, dict(items(tracks)))
        clips.link()
        for frames, _ in ticks:
            columns = clips.tick(_keys(frames), frames.pts_ns)
            yield Tracks.empty() if columns is None else Tracks(**columns)

    def stream_ended(self, stream_id: str) -> None:
        self._rosters.pop(stream_id, None)

    def _step(self, roster: Roster, frame_row: int, pts_ns: int, aspect: float, found: Detections) -> Tracks:
        """Follow the people of one stream through one frame."""
        config = self.config
        pace = Pace(config.speed, config.persistence_s)
        wide = np.array([aspect, 1.0, aspect, 1.0])
        nowhere = np.full((1, 2, 4), np.nan)  # what row -1 stands for
        boxes = np.concatenate([np.stack([found.head_box, found.body_box], axis=1) * wide, nowhere])  # (M + 1, 2, 4)
        scores = np.maximum(found.head_score, found.body_score)
        roster.advance(pts_ns, config.max_lost_s, pace)
        match = self._match(roster, boxes, scores)
        anchored = to_anchored(boxes)
        roster.see(anchored[match, [HEAD, BODY]], match >= 0, pace)
        match = match[roster.forget(config.confirm_s, aspect)]
        new = scores >= config.new_score
        new[match[match >= 0]] = False
        new = np.flatnonzero(new)
        seen = ~np.isnan(boxes[new, :, 0])
        roster.add(anchored[new], seen, pace)
        match = np.concatenate([match, np.where(seen, new[:, None], -1)])
        roster.confirm(config.confirm_s)
        return self._report(roster, frame_row, wide, match, found)

    def _match(self, roster: Roster, boxes: Array, scores: Array) -> Array:
        """Match people with detections.

        Args:
            roster: the N people, moved on to this frame.
            boxes: (M + 1, 2, 4) head and body of each detection, NaN unseen; the last row is all NaN.
            scores: (M,) of the detections.

        Returns:
            The rows of the detections of each person's head and body: (N, 2) int64, -1 unseen.
        """
        config = self.config
        alike = likeness(roster.motion.boxes(), roster.motion.spread(), boxes[:-1])
        person, found = np.full(len(roster), -1), np.full(len(scores), -1)
        strong = scores >= config.high_score
        known, just_seen = roster.track_id > 0, roster.just_seen()
        rounds = (
            (known & just_seen, strong, config.min_likeness),
            (known, strong, config.min_likeness),
            (known & just_seen, ~strong, config.min_likeness_weak),
            (~known, np.ones_like(strong), config.min_likeness),
        )
        for who, which, least in rounds:
            rows, columns = _paired(alike - least, who & (person < 0), which & (found < 0))
            person[rows], found[columns] = columns, rows
        unseen = np.isnan(boxes[:, :, 0])  # (M + 1, 2)
        match = np.where(unseen[person], -1, person[:, None])
        for part in (HEAD, BODY):
            halves, lacking = (found < 0) & unseen[:-1, 1 - part], (person >= 0) & (match[:, part] < 0)
            rows, columns = _paired(alike - config.min_likeness_weak, lacking, halves)
            match[rows, part] = columns
        return match

    def _report(self, roster: Roster, frame_row: int, wide: Array, match: Array, found: Detections) -> Tracks:
        """Return the rows of confirmed people who are seen, or whose body is still expected somewhere in the frame."""
        expected = clip_to_frame(roster.motion.boxes()[:, BODY] / wide).astype(np.float32)
        gone = (roster.lost_ns()[:, BODY] > self.config.coast_s * 1e9) | ~(sizes(expected) > 0).all(axis=1)
        expected[gone] = np.nan
        observed = np.asarray((match >= 0).any(axis=1))
        order = np.argsort(roster.track_id, kind="stable")
        shown = order[((roster.track_id > 0) & (observed | ~gone))[order]]
        head, body = match[shown].T
        return Tracks(
            frame_row=np.full(len(shown), frame_row, np.int64),
            track_id=roster.track_id[shown],
            head_box=_rows(found.head_box, head, np.nan),
            head_score=_rows(found.head_score, head, 0),
            body_box=np.where((body >= 0)[:, None], _rows(found.body_box, body, np.nan), expected[shown]),
            body_score=_rows(found.body_score, body, 0),
            direction_scores=_rows(found.direction_scores, head, 0),
            observed=observed[shown],
            taken_from=np.zeros(len(shown), np.int64),
            taken_since_ns=np.zeros(len(shown), np.int64),
        )


def _paired(gain: Array, who: Array, which: Array) -> tuple[Array, Array]:
    """Assign detections `which` (M,) bool to people `who` (N,) bool; return the rows and columns of `gain` (N, M)."""
    rows, columns = np.flatnonzero(who), np.flatnonzero(which)
    if not len(rows) or not len(columns):
        return rows[:0], columns[:0]
    a, b = assign(gain[rows[:, None], columns])
    return rows[a], columns[b]


def _rows(column: Array, rows: Array, nothing: float) -> Array:
    """Return the picked rows of a column, and `nothing` for row -1."""
    last = np.full((1, *column.shape[1:]), nothing, column.dtype)
    return np.asarray(np.concatenate([column, last])[rows])


def _keys(frames: FrameBatch) -> list[tuple[str, int]]:
    return list(zip(frames.stream_id, frames.generation.tolist(), strict=True))
