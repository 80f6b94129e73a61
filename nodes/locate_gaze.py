"""Locate what a head looks at: one point of its gaze map, finer than the map's cells."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from nodes.ops.boxes import centres
from nodes.ops.heatmap import cell_centres, hills, peaks, refined_peaks
from nodes.types import GazeMaps, GazePoints
from pipeline.node import Node, NodeConfig

LIVE: dict[str, Any] = {"live": True}


class Config(NodeConfig):
    how: Literal["hill", "refined", "peak"] = "hill"
    """`hill`: the centre of weight of the high cells; calm, but between two targets where a map has two hills alike.
    `refined`: the peak, placed between the cells by its neighbours. `peak`: the centre of the highest cell."""
    hill_floor: float = Field(default=0.5, ge=0, le=1, json_schema_extra=LIVE)
    """Height, as a share of the peak, from which cells belong to the hill. Raise to come closer to the peak, lower to
    average over more of the map."""
    source_cells_wh: tuple[int, int] | None = None
    """Columns and rows of the map inside the model, where the model itself shrinks it by leaving cells out, as upstream
    Gaze-LLE files do: `[80, 80]` for a map of 64 from a 640 px model, `[52, 52]` for 48 from 416, `[40, 40]` for 32
    from 320. None: the cells are even."""


class LocateGaze(Node[Config]):
    """Take the point of each map that is most looked at.

    On rendered clips kept apart from training, the centre of the hill is 6 % nearer to the true target than the peak
    with the shipped model, whose maps are broad; with sharp maps the two are the same. Whichever is taken, the spread
    is that of the hill.

    State: none.
    Empty: no rows in, no rows out.
    Ref: sub-cell peak by a parabola through logarithms, usual for heat maps of key points (Zhang et al., "DARK", CVPR
    2020, in one step); the cells of shrunk maps as measured on upstream's files.
    """

    def process(self, gaze: GazeMaps) -> GazePoints:
        if not len(gaze):
            return GazePoints.empty()
        maps = gaze.heatmap
        source_w, source_h = self.config.source_cells_wh or (None, None)
        x, y = cell_centres(maps.shape[2], source_w), cell_centres(maps.shape[1], source_h)
        row, column, height = peaks(maps)
        hill, spread = hills(maps, x, y, self.config.hill_floor)
        if self.config.how == "refined":
            point = refined_peaks(maps, x, y)
        elif self.config.how == "hill":
            point = hill
        else:
            point = np.stack([x[column], y[row]], axis=1)
        return GazePoints(
            frame_row=gaze.frame_row,
            track_id=gaze.track_id,
            head_point=centres(gaze.head_box),
            point=point.astype(np.float32),
            in_frame_prob=gaze.in_frame_prob,
            peak=height,
            spread=spread.astype(np.float32),
            asked_ns=gaze.asked_ns,
        )
