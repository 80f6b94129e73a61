"""Figures of a gaze file on held-out stills, VideoAttentionTarget definition (64x64 cells, rectangle, argmax)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.gaze_scores import average_precision
from training.batches import judged_heads, still
from training.data import Rows
from training.export import one_thread_session
from training.gaze_net import MAP_CELLS

Floats = NDArray[np.float64]


def measure_gaze(path: Path, rows: Rows) -> dict[str, float]:
    """Run the file on the true head boxes of the rows and return its figures."""
    session = one_thread_session(path)
    areas: list[float] = []
    distances: list[float] = []
    centroids: list[float] = []
    in_frame: list[bool] = []
    probability: list[float] = []
    for index in rows.ready():
        picture, people = still(rows, int(index))
        judged = judged_heads(people, picture.shape[0])
        if not judged.any():
            continue
        feed = {
            "image_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32),
            "bboxes_x1y1x2y2": people.head_box[judged][None],
        }
        maps, inout = session.run(["heatmap", "inout"], feed)
        in_frame.extend(people.in_frame[judged])
        probability.extend(inout)
        for heat, target, inside in zip(maps, people.target_point[judged], people.in_frame[judged], strict=True):
            if not inside:
                continue
            areas.append(auc(heat, target))
            row, column = np.unravel_index(int(heat.argmax()), heat.shape)
            distances.append(np.hypot(column / MAP_CELLS - target[0], row / MAP_CELLS - target[1]))
            cells = (np.arange(MAP_CELLS) + 0.5) / MAP_CELLS
            mass = heat / heat.sum()
            centroids.append(np.hypot(mass.sum(0) @ cells - target[0], mass.sum(1) @ cells - target[1]))
    return {
        "heads": len(in_frame),
        "in_frame": int(np.sum(in_frame)),
        "gaze_auc": round(float(np.mean(areas)), 4),
        "gaze_l2": round(float(np.mean(distances)), 4),
        "gaze_l2_centroid": round(float(np.mean(centroids)), 4),
        "inout_ap": round(average_precision(np.array(in_frame), np.array(probability)), 4),
    }


def auc(heat: NDArray[np.float32], target: NDArray[np.float32]) -> float:
    """Return the area under the ROC curve of a map (64, 64) against the square of cells about a target."""
    wanted = np.zeros((MAP_CELLS, MAP_CELLS), bool)
    x, y = (MAP_CELLS * float(v) for v in target)
    wanted[
        max(0, int(y - 9)) : min(int(y + 10), MAP_CELLS - 1), max(0, int(x - 9)) : min(int(x + 10), MAP_CELLS - 1)
    ] = True
    order = heat.ravel().argsort(kind="stable")
    values, first, count = np.unique(heat.ravel()[order], return_index=True, return_counts=True)
    rank_of_value = first + (count + 1) / 2  # ties share the mean of their ranks
    rank = rank_of_value[np.searchsorted(values, heat.ravel())]
    positive = wanted.ravel()
    hits, misses = positive.sum(), (~positive).sum()
    return float((rank[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))
