"""What the event layer is given in place of what models say: the truth, or the bare peak of each gaze map."""

from __future__ import annotations

import numpy as np

from nodes.ops.heatmap import cell_centres, peaks
from nodes.ops.polygon import inside
from nodes.types import AoiHits, GazeMaps, Tracks
from pipeline.streams import Area
from scenes.truth import PeopleTruth

CELLS = 128
"""Side of the true gaze maps: twice that of upstream's largest."""
SURE = 0.98
"""In-frame probability of somebody who truly looks at something in the picture; of others one minus that."""


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


def true_gaze(truth: PeopleTruth, areas: dict[str, Area] | None) -> GazeMaps:
    """Return maps in which one cell stands out, where each person truly looks; none if that is not in the picture.

    A map is flat: it cannot tell a thing in the hand, or a spot in the air, from the area or the head behind it in the
    picture. With `areas`, who looks at something in front of one of these looks at nothing in the picture, so that the
    event layer is not charged with what no map can say.
    """
    in_frame = truth.in_frame.copy()
    if areas is not None:
        behind = [inside(truth.target_point, np.array(area.polygon)) for area in areas.values()]
        point, head = truth.target_point[:, None], truth.head_box
        on_head = ((point >= head[:, :2]) & (point <= head[:, 2:])).all(axis=2)
        behind.append((on_head & ~np.eye(len(truth), dtype=bool)).any(axis=1))
        in_frame &= ~(np.any(behind, axis=0) & (np.array(truth.looked_at, object) == ""))
    heatmap = np.zeros((len(truth), CELLS, CELLS), np.float32)
    looking = np.flatnonzero(in_frame)
    column, row = np.minimum((truth.target_point[looking] * CELLS).astype(np.int64), CELLS - 1).T
    heatmap[looking, row, column] = 1
    return GazeMaps(
        frame_row=np.zeros(len(truth), np.int64),
        track_id=truth.person_id,
        head_box=truth.head_box.astype(np.float32),
        heatmap=heatmap,
        in_frame_prob=np.where(in_frame, SURE, 1 - SURE).astype(np.float32),
    )


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
