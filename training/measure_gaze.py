"""Figures of a gaze model on held-out stills, VideoAttentionTarget definition (64x64 cells, rectangle, argmax)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gaze_scores import average_precision, centroid_distance, gaze_auc, peak_distance
from training.augment import People, Pictures
from training.batches import judged_heads, still
from training.data import Rows
from training.export import one_thread_session

Feed = dict[str, NDArray[Any]]
Answer = Callable[[Feed, NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Takes what the file is fed and the true vectors (M, 6) of its heads; returns maps (M, 64, 64) and in-frame (M,)."""


def measure_gaze(path: Path, rows: Rows) -> dict[str, float]:
    """Run the file on the true head boxes of the rows and return its figures."""
    session = one_thread_session(path)

    def answer(feed: Feed, _: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        maps, inout = session.run(["heatmap", "inout"], feed)
        return maps, inout

    return gaze_figures(answer, rows)


def gaze_figures(answer: Answer, rows: Rows) -> dict[str, float]:
    """Ask about the heads of the rows, one picture at a time, and return the figures of what is answered."""
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
        maps, inout = answer(feed_of(picture, people, judged), people.vectors[judged])
        in_frame.extend(people.in_frame[judged])
        probability.extend(inout)
        for heat, target, inside in zip(maps, people.target_point[judged], people.in_frame[judged], strict=True):
            if not inside:
                continue
            areas.append(gaze_auc(heat, target))
            distances.append(peak_distance(heat, target))
            centroids.append(centroid_distance(heat, target))
    return {
        "heads": len(in_frame),
        "in_frame": int(np.sum(in_frame)),
        "gaze_auc": round(float(np.mean(areas)), 4),
        "gaze_l2": round(float(np.mean(distances)), 4),
        "gaze_l2_centroid": round(float(np.mean(centroids)), 4),
        "inout_ap": round(average_precision(np.array(in_frame), np.array(probability)), 4),
    }


def feed_of(picture: Pictures, people: People, asked: NDArray[np.bool_]) -> Feed:
    """Return what the file is fed to ask about some heads of one picture."""
    return {
        "image_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32),
        "bboxes_x1y1x2y2": people.head_box[asked][None],
    }
