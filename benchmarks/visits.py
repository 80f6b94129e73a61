"""Visits as the script of a scene has them against visits as the graph tells them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nodes.ops.assignment import assign
from nodes.ops.boxes import iou
from nodes.types import Tracks, Visits
from scenes.truth import Fixation, PeopleTruth

LEAST_S = 0.3
LEAST_OVERLAP = 0.5
NOBODY = -1


@dataclass(frozen=True)
class Visit:
    """One person looks at one target for a while."""

    person: int
    """True person, or `NOBODY`."""
    target: str
    """AOI, or `person:<true person>`."""
    start_s: float
    end_s: float


def true_visits(fixations: Iterable[Fixation]) -> list[Visit]:
    """Return the fixations of a script that are long enough and rest on a named area or a person."""
    return [
        Visit(each.person_id, each.target, each.start_s, each.end_s)
        for each in fixations
        if each.target not in ("", "camera") and each.end_s - each.start_s >= LEAST_S - 1e-9
    ]


def told_rows(looks: Visits) -> list[int]:
    """Return the rows that end the visits which the graph told and did not take back.

    Cells of the grid that stands in for areas are left out: nobody looks at them by name.
    """
    taken_back = {visit for visit, kind in zip(looks.visit, looks.kind, strict=True) if kind == "retracted"}
    rows = enumerate(zip(looks.visit, looks.kind, looks.target, strict=True))
    return [
        row
        for row, (visit, kind, target) in rows
        if kind == "ended" and visit not in taken_back and not target.startswith("grid:")
    ]


def told_visits(looks: Visits, owners: dict[int, int]) -> list[Visit]:
    """Return the visits of `told_rows`, of true people as far as the tracks of the graph are of them."""
    told = []
    for row in told_rows(looks):
        kind, _, track_id = looks.target[row].partition(":")
        target = f"person:{owners.get(int(track_id), NOBODY)}" if kind == "person" else looks.target[row]
        person = owners.get(int(looks.track_id[row]), NOBODY)
        told.append(Visit(person, target, looks.start_ns[row] / 1e9, looks.end_ns[row] / 1e9))
    return told


def owners_of(tracks: Sequence[Tracks], truth: Sequence[PeopleTruth]) -> dict[int, int]:
    """Return the true person of each track that overlaps any: the one with the most overlap over all frames.

    Overlap is the IoU of the heads and that of the bodies, added up.

    Args:
        tracks: of each frame.
        truth: of each frame.
    """
    overlap: dict[int, dict[int, float]] = {}
    for seen, people in zip(tracks, truth, strict=True):
        shared = iou(seen.head_box, people.head_box) + iou(seen.body_box, people.body_box)
        for row, column in np.argwhere(shared > 0).tolist():
            sums = overlap.setdefault(int(seen.track_id[row]), {})
            person = int(people.person_id[column])
            sums[person] = sums.get(person, 0.0) + float(shared[row, column])
    return {track_id: max(sorted(sums), key=lambda person: sums[person]) for track_id, sums in overlap.items()}


def right_visits(told: Sequence[Visit], true: Sequence[Visit]) -> list[tuple[int, int]]:
    """Return the told visits that are right with the true ones they tell: (row of told, row of true).

    Person and target agree and so does the time, by an IoU of 0.5, one to one.
    """
    overlap = np.array([[_overlap(a, b) for b in true] for a in told], np.float64).reshape(len(told), len(true))
    rows, columns = assign(np.where(overlap >= LEAST_OVERLAP, overlap, 0.0))
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _overlap(a: Visit, b: Visit) -> float:
    """Return the IoU of the times of two visits of one person to one target, 0 for others."""
    if a.person == NOBODY or (a.person, a.target) != (b.person, b.target):
        return 0.0
    both = min(a.end_s, b.end_s) - max(a.start_s, b.start_s)
    return max(both, 0.0) / max(max(a.end_s, b.end_s) - min(a.start_s, b.start_s), 1e-9)
