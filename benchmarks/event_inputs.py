"""What the event layer is given in place of what models say: the truth, or the bare peak of each gaze map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clips import TrueClip
from benchmarks.graph_runs import write_recording
from nodes.ops.heatmap import cell_centres, peaks
from nodes.ops.polygon import inside
from nodes.types import AoiHits, GazeMaps, Tracks
from pipeline.recording import RecordedTick
from pipeline.streams import Area
from scenes.truth import PeopleTruth

CELLS = 128
"""Side of the true gaze maps: twice that of upstream's largest."""
SURE = 0.98
"""In-frame probability of somebody who truly looks at something in the picture; of others one minus that."""

TRUST = (
    "hits.area_bias=3.21",
    "hits.person_bias=-1.26",
    "hits.mass_weight=2.94",
    "hits.size_weight=-0.58",
    "hits.in_frame_weight=0.48",
    "hits.aside_weight=0.16",
    "hits.facing_weight=-0.52",
    "hits.facing_person_weight=1.93",
    "hits.head_scale=1",
)
"""Overrides for true gaze, which can be trusted more than that of models and is never beside a head that it is at:
`python -m training.hits --truth --seeds 9301-9330`."""


def write_truth(
    clip: TrueClip, areas: dict[str, Area] | None, like: Sequence[RecordedTick], folder: Path
) -> dict[str, list[Any]]:
    """Write true tracks and true gaze as recordings, and return their values for each frame by their edges.

    Args:
        clip: what is true.
        areas: as `true_gaze` takes it.
        like: ticks of a run on the clip.
        folder: where to.
    """
    stamps = [pts_ns for tick in like for pts_ns in tick.frames.pts_ns.tolist()]
    values: dict[str, list[Any]] = {
        "tracks": [true_tracks(truth) for truth in clip.frames],
        "gaze": [true_gaze(*frame, areas) for frame in zip(clip.frames, stamps, strict=True)],
    }
    for edge, column in values.items():
        write_recording(edge, like, column, folder)
    return values


def true_tracks(truth: PeopleTruth) -> Tracks:
    """Return the people of one frame as tracks numbered like them, facing where they do."""
    count = len(truth)
    return Tracks(
        frame_row=np.zeros(count, np.int64),
        track_id=truth.person_id,
        head_box=truth.head_box.astype(np.float32),
        head_score=np.ones(count, np.float32),
        body_box=truth.body_box.astype(np.float32),
        body_score=np.ones(count, np.float32),
        direction_scores=np.eye(8, dtype=np.float32)[truth.direction],
        observed=np.ones(count, np.bool_),
        taken_from=np.zeros(count, np.int64),
        taken_since_ns=np.zeros(count, np.int64),
    )


def true_gaze(truth: PeopleTruth, pts_ns: int, areas: dict[str, Area] | None) -> GazeMaps:
    """Return maps in which one cell stands out, where each person truly looks; none if that is not in the picture.

    There is no map of a head more than half of which the edge of the picture cuts off; fixations in the script leave
    out that time, too.

    A map is flat: it cannot tell a thing in the hand, or a spot in the air, from the area or the head behind it in the
    picture, nor a spot on a shelf from the head before it. With `areas`, the event layer is not charged with what no
    map can say: who looks at something in front of an area or a head looks at nothing in the picture; who looks at a
    spot of an area that a head hides looks at the nearest spot of it that the camera sees.

    Args:
        truth: the people of a frame.
        pts_ns: of the frame.
        areas: the areas of its stream; None charges the event layer with all.
    """
    in_frame, point = truth.in_frame.copy(), truth.target_point.astype(np.float64)
    if areas is not None:
        outlines = {name: np.array(area.polygon) for name, area in areas.items()}
        hidden = _on_heads(point, truth.head_box)
        before = [inside(point, outline) for outline in outlines.values()]
        before.append(np.asarray((hidden & ~np.eye(len(truth), dtype=bool)).any(axis=1)))
        in_frame &= ~(np.any(before, axis=0) & (np.array(truth.looked_at, object) == ""))
        for row in np.flatnonzero(in_frame & hidden.any(axis=1)).tolist():
            if truth.looked_at[row] in outlines:
                seen = _seen(outlines[truth.looked_at[row]], truth.head_box)
                in_frame[row] = len(seen) > 0
                if in_frame[row]:
                    point[row] = seen[np.argmin(np.hypot(*(seen - point[row]).T))]
    heatmap = np.zeros((len(truth), CELLS, CELLS), np.float32)
    looking = np.flatnonzero(in_frame)
    column, row = np.minimum((point[looking] * CELLS).astype(np.int64), CELLS - 1).T
    heatmap[looking, row, column] = 1
    maps = GazeMaps(
        frame_row=np.zeros(len(truth), np.int64),
        track_id=truth.person_id,
        head_box=truth.head_box.astype(np.float32),
        heatmap=heatmap,
        in_frame_prob=np.where(in_frame, SURE, 1 - SURE).astype(np.float32),
        asked_ns=np.full(len(truth), pts_ns, np.int64),
    )
    at_edge = ((truth.head_box <= 0) | (truth.head_box >= 1)).any(axis=1)
    return maps.take(~at_edge | (truth.head_visible >= 0.5))


def _on_heads(points: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Tell which of N points lie in which of M head boxes, (N, M)."""
    at = points[:, None]
    return np.asarray(((at >= heads[:, :2]) & (at <= heads[:, 2:])).all(axis=2))


def _seen(outline: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Return the middles of the cells (K, 2) in which an area is seen."""
    middles = cell_centres(CELLS)
    x, y = np.meshgrid(middles, middles)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    points = points[inside(points, outline)]
    return np.asarray(points[~_on_heads(points, heads).any(axis=1)])


def peak_hits(gaze: GazeMaps, tracks: Tracks, areas: dict[str, Area]) -> AoiHits:
    """Return what the bare peaks of the maps of one frame hit: the baseline that everybody has.

    A head whose in-frame probability is 0.5 or more looks at every area that holds the middle of the highest cell of
    its map; else at the first other person whose head box holds it; else at nothing.
    """
    if not len(gaze):
        return AoiHits.empty()
    row, column, _ = peaks(gaze.heatmap)
    x, y = cell_centres(gaze.heatmap.shape[2])[column], cell_centres(gaze.heatmap.shape[1])[row]
    points = np.stack([x, y], axis=1)
    holds = {name: inside(points, np.array(area.polygon)) for name, area in areas.items()}
    found: list[tuple[int, str]] = []
    for head, track_id in enumerate(gaze.track_id.tolist()):
        targets = [name for name, hit in holds.items() if hit[head]]
        low, high = tracks.head_box[:, :2] <= points[head], tracks.head_box[:, 2:] >= points[head]
        others = tracks.track_id[(low & high).all(axis=1) & (tracks.track_id != track_id)]
        targets = targets or [f"person:{other}" for other in others[:1]]
        if gaze.in_frame_prob[head] < 0.5:
            targets = []
        found += [(track_id, target) for target in targets or [""]]
    return AoiHits(
        frame_row=np.zeros(len(found), np.int64),
        track_id=np.array([track_id for track_id, _ in found], np.int64),
        target=tuple(target for _, target in found),
        score=np.array([1.0 if target else 0.0 for _, target in found], np.float32),
    )
