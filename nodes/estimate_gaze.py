"""Estimate what heads look at: one map over the frame per head, all heads of a frame in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from nodes.ops.boxes import held_by_cells
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
    max_heads: int = Field(default=32, ge=1, json_schema_extra=LIVE)
    """Heads asked about per frame, best scores first. Each costs the decoder once more: lower to bound the time of a
    crowded frame."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": card_problems(self.model, root)}


class EstimateGaze(Node[Config]):
    """Run the gaze model once per frame, for all its heads that were seen.

    Models of this family mark a head on a grid of 16 px cells of their input and round its edges to that grid. A head
    so small that it would round to nothing, and so be ignored, is widened to just over one cell about its centre; the
    reported box stays the one that came in. Where the card says that a model does not round, boxes go in as they are.

    State: none.
    Empty: a frame without heads costs nothing and has no rows.
    Ref: Ryan et al., "Gaze-LLE", CVPR 2025; file format of Gaze-LLE-DINOv3 (MIT).
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

    def process(self, frames: FrameBatch, tracks: Tracks) -> GazeMaps:
        tracks = tracks.take(~np.isnan(tracks.head_box[:, 0]) & (tracks.head_score >= self.config.min_head_score))
        asked = [(row, self._best(tracks.take(tracks.frame_row == row))) for row in np.unique(tracks.frame_row)]
        if not asked:
            return GazeMaps.empty()
        images = self.context.device.model_input(frames.take([row for row, _ in asked]), self._size_wh)
        parts = enumerate(asked)
        return concat([self._maps(images[k : k + 1], heads, int(frames.pts_ns[row])) for k, (row, heads) in parts])

    def close(self) -> None:
        self._session.close()

    def _best(self, heads: Tracks) -> Tracks:
        """Return the `max_heads` heads of one frame with the best scores, in their order."""
        best = np.argsort(-heads.head_score, kind="stable")[: self.config.max_heads]
        return heads.take(np.sort(best))

    def _maps(self, image: Any, heads: Tracks, pts_ns: int) -> GazeMaps:
        """Ask about all heads of one frame.

        Args:
            image: (1, 3, H, W) f32 on the device.
            heads: one row or more, of one frame.
            pts_ns: of the frame.
        """
        boxes = heads.head_box
        if self._cell_px:
            boxes = held_by_cells(boxes, (self._size_wh[0] // self._cell_px, self._size_wh[1] // self._cell_px))
        device = self.context.device
        answer = self._session.run({"image_bgr": image, "bboxes_x1y1x2y2": device.xp.asarray(boxes[None])})
        return GazeMaps(
            frame_row=heads.frame_row,
            track_id=heads.track_id,
            head_box=heads.head_box,
            heatmap=device.to_host(answer["heatmap"]),
            in_frame_prob=device.to_host(answer["inout"]),
            asked_ns=np.full(len(heads), pts_ns, np.int64),
        )
