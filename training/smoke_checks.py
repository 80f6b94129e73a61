"""What a recipe that works shows after little training, told from chance by ranks long before figures are good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from benchmarks.results import ROOT
from nodes.ops.boxes import iou
from pipeline.device import open_device
from pipeline.graph import Graph
from pipeline.node import Context
from training.batches import judged_heads, still
from training.data import Rows
from training.detector_graph import LABELS
from training.export import one_thread_session
from training.gaze_net import MAP_CELLS

Floats = NDArray[np.float64]

SIDEWAYS = 0.5
"""From this much of a unit vector across the picture, a head clearly looks to one side."""


def together(sets: Sequence[Rows]) -> Rows:
    """Return sets as one, in memory."""
    return Rows(*(np.concatenate([getattr(rows, field.name) for rows in sets]) for field in fields(Rows)))


def mirrored(rows: Rows) -> Rows:
    """Return the mirror image of a set, worked out apart from what mirrors batches."""
    truth = rows.truth.copy()
    for name in truth.dtype.names or ():
        if name.endswith("_box"):
            truth[name][..., 0], truth[name][..., 2] = 1 - rows.truth[name][..., 2], 1 - rows.truth[name][..., 0]
        elif name.endswith("_vector"):
            truth[name][..., 0] *= -1
        elif name == "target_point":
            truth[name][..., 0] = 1 - truth[name][..., 0]
    return replace(rows, pictures=np.ascontiguousarray(rows.pictures[:, :, ::-1]), truth=truth)


def sides_told(told_x: NDArray[Any], true_x: NDArray[Any]) -> float:
    """Return the share of heads turned sideways whose side is told; chance is 0.5."""
    clear = np.abs(true_x) >= SIDEWAYS
    return float((np.sign(told_x[clear]) == np.sign(true_x[clear])).mean())


def rank(own: Floats, others: Floats) -> float:
    """Return how often a value is above one of the others, ties counting half; chance is 0.5."""
    apart = own[:, None] - others[None]
    return float((apart > 0).mean() + 0.5 * (apart == 0).mean())


def people_found(path: Path, rows: Rows, name: str) -> tuple[float, float]:
    """Ask a detector file about the bodies or heads of stills.

    Args:
        path: the file.
        rows: the stills.
        name: `body` or `head`.

    Returns:
        Rank of its scores where bodies, or heads, are over those where they are in the other stills; median IoU of its
        best row in a box with the box.
    """
    session = one_thread_session(path)
    boxes, told = [], []
    for index in rows.ready():
        picture, people = still(rows, int(index))
        boxes.append(getattr(people, f"{name}_box")[judged_heads(people, picture.shape[0])])
        found = session.run(None, {"input_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        told.append(found[found[:, 0] == LABELS[name]])
    own, overlaps = [], []
    others = [np.concatenate([b for j, b in enumerate(boxes) if j != k]) for k in range(len(boxes))]
    for some, found in zip(boxes, told, strict=True):
        scores, best = _at(some, found)
        own.append(scores)
        overlaps += [float(iou(box[None], found[b : b + 1, 1:5])[0, 0]) for box, b in zip(some, best, strict=True)]
    elsewhere = np.concatenate([_at(some, found)[0] for some, found in zip(others, told, strict=True)])
    return rank(np.concatenate(own), elsewhere), float(np.median(overlaps))


def _at(boxes: NDArray[np.float32], found: NDArray[np.float32]) -> tuple[Floats, NDArray[np.int64]]:
    """Return for each box (M, 4) the score and number of the best row (N, 6) whose middle is in it; 0 without one."""
    middle = (found[:, 1:3] + found[:, 3:5]) / 2
    within = ((middle[None] >= boxes[:, None, :2]) & (middle[None] <= boxes[:, None, 2:])).all(2)
    scores = np.where(within, found[None, :, 5], -1.0)
    return scores.max(1).clip(0.0).astype(np.float64), scores.argmax(1)


def targets_found(path: Path, rows: Rows) -> float:
    """Return the rank of a gaze file's maps at what heads look at over the same maps at what the others look at."""
    session = one_thread_session(path)
    maps, points = [], []
    for index in rows.ready():
        picture, people = still(rows, int(index))
        looking = judged_heads(people, picture.shape[0]) & people.in_frame
        if looking.any():
            feed = {
                "image_bgr": picture.transpose(2, 0, 1)[None].astype(np.float32),
                "bboxes_x1y1x2y2": people.head_box[looking][None],
            }
            maps.append(session.run(["heatmap"], feed)[0])
            points.append(people.target_point[looking])
    every = np.concatenate(maps)
    column, row = np.clip(np.concatenate(points) * MAP_CELLS, 0, MAP_CELLS - 1).astype(int).T
    values = every[:, row, column]  # (head, target)
    own = np.eye(len(values), dtype=bool)
    apart = values.diagonal()[:, None] - values
    return float((apart[~own] > 0).mean() + 0.5 * (apart[~own] == 0).mean())


def opened(path: Path, opens: Callable[[Context, str, str], Any]) -> None:
    """Open a file in the engine, under the card that ships but for its checksum.

    Raises:
        ModelError: the file breaks the contract.
    """
    card = yaml.safe_load((ROOT / "configs" / "models" / f"{path.stem}.yaml").read_text(encoding="utf-8"))
    beside = path.with_suffix(".yaml")
    beside.write_text(yaml.safe_dump(card | {"file": path.name, "sha256": None}), encoding="utf-8")
    context = Context("smoke", open_device("cpu"), path.parent, ROOT, Graph("", ()))
    opens(context, str(beside), "training.smoke").close()
