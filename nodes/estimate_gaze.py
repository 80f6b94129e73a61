"""Estimate what heads look at: one map of the frame per head, in each frame or on a budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from nodes.adapters.gaze_models import open_gaze_model
from nodes.ops.gaze_schedule import Answer, GazeSchedule, Heads, Rules, moved
from nodes.types import GazeMaps, Tracks
from pipeline.cards import card_problems
from pipeline.frames import FrameBatch
from pipeline.namespaces import namespace
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str = Field(default="gaze-shop-480", json_schema_extra={"card": True})
    """Card of a gaze model of the family `gazelle`, with or without an in/out output: a name in configs/models, with
    `:prepared` after it for the file that `models prepare` made of it, or a path to a card or .onnx file."""
    heads_per_call: int | None = Field(default=None, ge=1)
    """Models that take many pictures a call, such as the one that ships and prepared ones: frames of a tick go into one
    call as far as they have no more heads than this together. None: 1 on a CPU, where more cost the same or more, 32
    on a GPU. Raise where memory is plentiful, lower where it is short."""
    min_head_score: float = Field(default=0.3, ge=0, le=1, json_schema_extra=LIVE)
    """Heads with a lower score are not asked about. Raise to save time on doubtful heads."""
    schedule: Literal["every_frame", "adaptive"] = Field(default="every_frame", json_schema_extra=LIVE)
    """`every_frame`: all heads are asked about in each frame. `adaptive`: a head is asked about when its last map has
    gone stale, which stands in until then; the values below say when that is, and what may be spent."""
    max_heads: int = Field(default=32, ge=1, json_schema_extra=LIVE)
    """Heads asked about in one frame, those with the stalest maps first and of equals those with the best scores; each
    costs the decoder once more. Lower to bound the time of a crowded frame."""
    heads_per_s: float = Field(default=60.0, gt=0, json_schema_extra=LIVE)
    """Adaptive: heads asked about per second of a stream, over time. Lower to bound the cost of a crowd: the maps of
    each head are then older."""
    rest_s: float = Field(default=0.1, ge=0, json_schema_extra=LIVE)
    """Adaptive: least time between two frames that are given to the model, seconds, unless somebody new appears. Raise
    to save on what a frame costs whatever the number of its heads; looks then start and end that much less exactly."""
    max_age_s: float = Field(default=0.2, gt=0, json_schema_extra=LIVE)
    """Adaptive: a head that keeps still is asked about again after this time, seconds. Raise to save on calm heads."""
    max_move: float = Field(default=0.3, gt=0, json_schema_extra=LIVE)
    """Adaptive: a head is asked about again when it has moved or grown by this share of its size. Lower to follow
    people who walk."""
    max_turn: float = Field(default=0.4, gt=0, le=1, json_schema_extra=LIVE)
    """Adaptive: a head is asked about again when this share of its direction scores has moved to other directions.
    Lower to notice smaller turns."""
    unsettled: float = Field(default=5.0, ge=0, json_schema_extra=LIVE)
    """Adaptive: a head whose last two maps have nothing in common is asked about again so many times sooner than a calm
    one. Raise to follow gaze that wanders while the head keeps still."""
    hold_s: float = Field(default=2.0, ge=0, json_schema_extra=LIVE)
    """A map stands in for newer ones for this long, seconds; then its head has none until it is asked about. Raise
    where a small budget has to do for a crowd."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": card_problems(self.model, root, ("gazelle",))}


class EstimateGaze(Node[Config]):
    """Run the gaze model on frames with heads to ask about, once for all heads of a frame, or of the whole tick.

    Files as others release them take one frame a call. The file that ships, and those made by `models prepare`, take
    frames of many streams: all heads of a tick are asked about together, but for those of a later frame of a stream
    where the adaptive schedule first waits for what the model says of the frame before it.

    By the adaptive schedule a head is asked about at once when it appears, then when it has moved or turned, when its
    gaze wanders, and at the latest after `max_age_s`, as far as the budget goes; a frame in which nobody is due costs
    nothing. A head that is not asked about keeps its last map, with the time from which that is (`asked_ns`) and the
    box that it has now; without one it has no row. Time is that of the stream, so the number of calls does not rise
    with the frame rate.

    Maps stay on the device of the model; how likely they are in the frame, and what the schedule wants to know of them,
    a few numbers a head, come back in one copy.

    How small heads are kept from being ignored, maps with left-out cells are evened out, and files without an in/out
    output tell the in-frame probability, is said in docs/gaze_models.md; reported boxes stay those that came in.

    State: the last map of each head in sight within `hold_s`, per (stream, generation); where the tracker corrects an
    identity, the map goes with the person.
    Empty: a frame without heads costs nothing and has no rows.
    Ref: Ryan et al., "Gaze-LLE", CVPR 2025; file format of Gaze-LLE-DINOv3 (MIT). The schedule is ours, see
    `ops.gaze_schedule`.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        config = self.config
        self._model = open_gaze_model(self.context, config.model, "estimate_gaze.model", config.heads_per_call)
        self._streams: dict[str, tuple[int, GazeSchedule]] = {}
        self.reconfigured()

    def reconfigured(self) -> None:
        config = self.config
        if config.schedule == "every_frame":
            self._rules = Rules.every_frame(config.max_heads, config.hold_s)
            return
        self._rules = Rules(
            max_age_s=config.max_age_s,
            max_move=config.max_move,
            max_turn=config.max_turn,
            unsettled=config.unsettled,
            rest_s=config.rest_s,
            hold_s=config.hold_s,
            heads_per_s=config.heads_per_s,
            max_heads=config.max_heads,
        )

    def process(self, frames: FrameBatch, tracks: Tracks) -> GazeMaps:
        rows = np.unique(tracks.frame_row).tolist()
        looks: list[_Look] = []
        for together in self._rounds(frames, rows):
            chosen = [self._choose(frames, row, tracks.take(tracks.frame_row == row)) for row in together]
            self._ask(frames, chosen)
            looks += chosen
        parts = [look.maps() for look in sorted(looks, key=lambda look: look.row)]
        parts = [part for part in parts if len(part)]
        return concat(parts) if parts else GazeMaps.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def close(self) -> None:
        self._model.close()

    def _rounds(self, frames: FrameBatch, rows: Iterable[int]) -> list[list[int]]:
        """Return the rows of frames, rising, that can be asked about together, one list after another.

        All of them, unless what the model says of a frame has a part in who is asked about in the next of its stream.
        """
        rounds: list[list[int]] = []
        before: Counter[str] = Counter()
        for row in rows:
            stream_id = frames.stream_id[row]
            place = before[stream_id] if self._rules.heeds_answers else 0
            rounds += [[] for _ in range(place + 1 - len(rounds))]
            rounds[place].append(row)
            before[stream_id] += 1
        return rounds

    def _choose(self, frames: FrameBatch, row: int, tracks: Tracks) -> _Look:
        """Choose whom to ask about in one frame."""
        schedule = self._schedule(frames.stream_id[row], int(frames.generation[row]))
        corrected = tracks.take(tracks.taken_from > 0)
        taken = (corrected.track_id, corrected.taken_from, corrected.taken_since_ns)
        schedule.correct(zip(*(column.tolist() for column in taken), strict=True))
        tracks = tracks.take(~np.isnan(tracks.head_box[:, 0]) & (tracks.head_score >= self.config.min_head_score))
        heads = Heads(tracks.track_id, tracks.head_box, tracks.direction_scores, tracks.head_score)
        asked = schedule.choose(int(frames.pts_ns[row]), heads, self._rules)
        answers = [schedule.answer(track_id) for track_id in tracks.track_id.tolist()]
        return _Look(row, tracks, answers, np.flatnonzero(asked))

    def _schedule(self, stream_id: str, generation: int) -> GazeSchedule:
        held, schedule = self._streams.get(stream_id, (generation, GazeSchedule()))
        if held != generation:
            schedule = GazeSchedule()
        self._streams[stream_id] = generation, schedule
        return schedule

    def _ask(self, frames: FrameBatch, looks: list[_Look]) -> None:
        """Ask the model about all heads that were chosen in some frames, and hear what it says."""
        asked = [look.tracks.take(look.asked) for look in looks]
        heads = concat(asked) if asked else Tracks.empty()
        if not len(heads):
            return
        answers = [answer for look in looks for row in look.asked.tolist() if (answer := look.answers[row])]
        heeds, device = self._rules.heeds_answers, self.context.device
        try:
            maps, in_frame = self._model.look(frames, heads.frame_row, heads.head_box)
            in_frame_prob, *turned = device.all_to_host(in_frame, *([moved(answers, maps)] if heeds else []))
        except Exception:
            for look in looks:
                self._streams[frames.stream_id[look.row]][1].forget_unheard()
            raise
        far = turned[0] if turned else np.zeros(len(answers))
        for row, (answer, prob, by) in enumerate(zip(answers, in_frame_prob.tolist(), far.tolist(), strict=True)):
            answer.hear(maps[row, ...], prob, by)


@dataclass(frozen=True)
class _Look:
    """The heads of one frame, and what the model says of them or was asked."""

    row: int
    """Of the frame."""
    tracks: Tracks
    answers: list[Answer | None]
    """Of each head the last one that stands in; none where nothing was ever asked."""
    asked: np.ndarray[Any, np.dtype[np.int64]]
    """Rows of the heads that are asked about now."""

    def maps(self) -> GazeMaps:
        """Return the maps of all heads that have one."""
        known = [answer for answer in self.answers if answer is not None]
        if not known:
            return GazeMaps.empty()
        shown = self.tracks.take(np.array([answer is not None for answer in self.answers]))
        return GazeMaps(
            frame_row=shown.frame_row,
            track_id=shown.track_id,
            head_box=shown.head_box,
            heatmap=namespace(known[0].heatmap).stack([answer.heatmap for answer in known]),
            in_frame_prob=np.array([answer.in_frame_prob for answer in known], np.float32),
            asked_ns=np.array([answer.asked_ns for answer in known], np.int64),
        )
