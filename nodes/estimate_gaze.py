"""Estimate what heads look at: one map over the frame per head, in each frame or on a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from nodes.ops.boxes import held_by_cells
from nodes.ops.gaze_schedule import GazeSchedule, Heads, Rules
from nodes.types import GazeMaps, Tracks
from pipeline.cards import card_problems
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.session import Session
from pipeline.values import concat

Array = np.ndarray[Any, np.dtype[Any]]

USUAL_CELL_PX = 16
"""Side of the cells on which models of this family mark the head, in pixels of their input; cards may say otherwise."""

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    model: str = Field(default="gaze-shop-480", json_schema_extra={"card": True})
    """Card of a gaze model of the family `gazelle` with an in/out output: a name in configs/models, or a path to a
    card or .onnx file."""
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
        return {"model": card_problems(self.model, root)}


class EstimateGaze(Node[Config]):
    """Run the gaze model on frames with heads to ask about, once per frame for all of them.

    By the adaptive schedule a head is asked about at once when it appears, then when it has moved or turned, when its
    gaze wanders, and at the latest after `max_age_s`, as far as the budget goes; a frame in which nobody is due costs
    nothing. A head that is not asked about keeps its last map, with the time from which that is (`asked_ns`) and the
    box that it has now; without one it has no row. Time is that of the stream, so the number of calls does not rise
    with the frame rate.

    Models of this family mark a head on a grid of 16 px cells of their input and round its edges to that grid. A head
    so small that it would round to nothing, and so be ignored, is widened to just over one cell about its centre; the
    reported box stays the one that came in. Where the card says that a model does not round, boxes go in as they are.

    State: the last map of each head in sight within `hold_s`, per (stream, generation); where the tracker corrects an
    identity, the map goes with the person.
    Empty: a frame without heads costs nothing and has no rows.
    Ref: Ryan et al., "Gaze-LLE", CVPR 2025; file format of Gaze-LLE-DINOv3 (MIT). The schedule is ours, see
    `ops.gaze_schedule`.
    """

    begins_stage = True
    reads_pictures = True

    def open(self) -> None:
        self._session: Session = self.context.open_session(self.config.model)
        card = self._session.card
        if card.family != "gazelle" or card.input_size_wh is None or "inout" not in self._session.outputs:
            raise ModelError(
                f"estimate_gaze.model: expected a card of the family 'gazelle' with input_size_wh and a model with the "
                f"output 'inout', got {self.config.model!r} of {card.family!r} with {sorted(self._session.outputs)}; "
                f"choose a gaze model with in/out"
            )
        self._size_wh: tuple[int, int] = card.input_size_wh
        self._cell_px = USUAL_CELL_PX if card.box_cell_px is None else card.box_cell_px
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
        parts = []
        for row in np.unique(tracks.frame_row).tolist():
            generation, stream_id = int(frames.generation[row]), frames.stream_id[row]
            held, schedule = self._streams.get(stream_id, (generation, GazeSchedule()))
            if held != generation:
                schedule = GazeSchedule()
            self._streams[stream_id] = generation, schedule
            parts.append(self._step(schedule, frames.take([row]), tracks.take(tracks.frame_row == row)))
        parts = [part for part in parts if len(part)]
        return concat(parts) if parts else GazeMaps.empty()

    def stream_ended(self, stream_id: str) -> None:
        self._streams.pop(stream_id, None)

    def close(self) -> None:
        self._session.close()

    def _step(self, schedule: GazeSchedule, frame: FrameBatch, tracks: Tracks) -> GazeMaps:
        """Ask about the heads of one frame that are due, and return the maps of all that have one."""
        pts_ns = int(frame.pts_ns[0])
        corrected = tracks.take(tracks.taken_from > 0)
        taken = (corrected.track_id, corrected.taken_from, corrected.taken_since_ns)
        schedule.correct(zip(*(column.tolist() for column in taken), strict=True))
        tracks = tracks.take(~np.isnan(tracks.head_box[:, 0]) & (tracks.head_score >= self.config.min_head_score))
        heads = _heads(tracks)
        asked = tracks.take(schedule.choose(pts_ns, heads, self._rules))
        if len(asked):
            schedule.hear(pts_ns, _heads(asked), *self._ask(frame, asked.head_box))
        answers = [schedule.answer(track_id) for track_id in tracks.track_id.tolist()]
        known = [answer for answer in answers if answer is not None]
        if not known:
            return GazeMaps.empty()
        shown = tracks.take(np.array([answer is not None for answer in answers]))
        return GazeMaps(
            frame_row=shown.frame_row,
            track_id=shown.track_id,
            head_box=shown.head_box,
            heatmap=np.stack([answer.heatmap for answer in known]),
            in_frame_prob=np.array([answer.in_frame_prob for answer in known], np.float32),
            asked_ns=np.array([answer.asked_ns for answer in known], np.int64),
        )

    def _ask(self, frame: FrameBatch, boxes: Array) -> tuple[Array, Array]:
        """Run the model on one frame; return maps (N, h, w) and in-frame probabilities (N,) of heads (N, 4)."""
        device = self.context.device
        image = device.model_input(frame, self._size_wh)
        if self._cell_px:
            boxes = held_by_cells(boxes, (self._size_wh[0] // self._cell_px, self._size_wh[1] // self._cell_px))
        answer = self._session.run({"image_bgr": image, "bboxes_x1y1x2y2": device.xp.asarray(boxes[None])})
        return device.to_host(answer["heatmap"]), device.to_host(answer["inout"])


def _heads(tracks: Tracks) -> Heads:
    return Heads(tracks.track_id, tracks.head_box, tracks.direction_scores, tracks.head_score)
