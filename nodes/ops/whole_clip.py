"""Tracks of whole clips: gathered tick by tick, linked once all is known, and given back tick by tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from nodes.ops.linking import Rows, link

Array = np.ndarray[Any, np.dtype[Any]]
Columns = dict[str, Array]
Key = tuple[str, int]
"""Stream and generation: nothing is linked beyond one."""

_LINKED = tuple(spec.name for spec in fields(Rows))
_BLOCK = 1000
_TAKEN = ("taken_from", "taken_since_ns")


@dataclass
class _Clip:
    """One generation of a stream."""

    aspect: float
    frames_ns: list[int] = field(default_factory=list)
    blocks: list[Columns] = field(default_factory=list)
    """Rows of many frames each: an array a frame would take more memory than what is in it."""
    parts: list[Columns] = field(default_factory=list)
    """Rows of the frames after those, one by one."""
    columns: Columns = field(default_factory=dict)
    """Those of all frames, by (pts, track), once they are linked."""

    def add(self, part: Columns) -> None:
        """Take in the rows of the next frame."""
        self.parts.append(part)
        if len(self.parts) == _BLOCK:
            self.blocks.append(_joined(self.parts))
            self.parts.clear()

    def gathered(self) -> Columns:
        """Hand out all rows and keep none."""
        columns = _joined([*self.blocks, *self.parts])
        self.blocks.clear()
        self.parts.clear()
        return columns


class WholeClips:
    """All tracks of some streams. Holds every row until the end: some 100 bytes for each person in each frame."""

    def __init__(self) -> None:
        self._clips: dict[Key, _Clip] = {}

    def add(self, keys: Sequence[Key], pts_ns: Array, size_wh: Array, tracks: Mapping[str, Array]) -> None:
        """Take in one tick.

        Args:
            keys: stream and generation of its B frames.
            pts_ns: (B,) int64, rising from tick to tick within a key.
            size_wh: (B, 2) of the frames.
            tracks: columns of `Tracks` with `frame_row` among them, ordered by it.
        """
        start = np.searchsorted(tracks["frame_row"], np.arange(len(keys) + 1))
        for row, key in enumerate(keys):
            clip = self._clips.get(key)
            if clip is None:
                clip = self._clips[key] = _Clip(float(size_wh[row, 0] / size_wh[row, 1]))
            clip.frames_ns.append(int(pts_ns[row]))
            part = {name: column[start[row] : start[row + 1]] for name, column in tracks.items()}
            part["pts_ns"] = np.full(start[row + 1] - start[row], pts_ns[row], np.int64)
            clip.add(part)

    def link(self, min_seen_s: float) -> None:
        """Correct identities, link what is one person's, fill gaps, and number anew; nothing is added after that.

        Args:
            min_seen_s: who was seen for less in all is left out.
        """
        for clip in self._clips.values():
            frames_ns = np.array(clip.frames_ns, np.int64)
            clip.columns = _numbered(_filled(_once(_corrected(clip.gathered())), frames_ns, clip.aspect, min_seen_s))

    def tick(self, keys: Sequence[Key], pts_ns: Array) -> Columns | None:
        """Return the columns of `Tracks` for the frames of a tick as it was added; None where there are no frames."""
        parts = []
        for row, key in enumerate(keys):
            columns = self._clips[key].columns
            span = slice(*np.searchsorted(columns["pts_ns"], [pts_ns[row], pts_ns[row] + 1]))
            part = {name: column[span] for name, column in columns.items() if name != "pts_ns"}
            parts.append({**part, "frame_row": np.full(len(part["track_id"]), row, np.int64)})
        return _joined(parts) if parts else None


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _corrected(columns: Columns) -> Columns:
    """Give rows to whom the tracker later found them to belong to; then nobody has been taken for somebody else."""
    track_id, pts_ns = columns["track_id"].copy(), columns["pts_ns"]
    taken = np.flatnonzero(columns["taken_from"])
    for now_ns in np.unique(pts_ns[taken]):
        rows = taken[pts_ns[taken] == now_ns]
        rows = rows[np.argsort(columns["taken_since_ns"][rows], kind="stable")]  # of several, the latest counts
        before = track_id.copy()
        for row in rows.tolist():
            since = pts_ns >= columns["taken_since_ns"][row]
            track_id[since & (pts_ns < now_ns) & (before == columns["taken_from"][row])] = track_id[row]
    return {**columns, "track_id": track_id, **{name: np.zeros_like(columns[name]) for name in _TAKEN}}


def _once(columns: Columns) -> Columns:
    """Keep one row for each track and pts: of several one that was observed, then the one with the best score."""
    score = np.maximum(columns["head_score"], columns["body_score"])
    order = np.lexsort((-score, ~columns["observed"], columns["track_id"], columns["pts_ns"]))
    pts_ns, track_id = columns["pts_ns"][order], columns["track_id"][order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(pts_ns) != 0) | (np.diff(track_id) != 0)
    return {name: column[order[first]] for name, column in columns.items()}


def _filled(columns: Columns, frames_ns: Array, aspect: float, min_seen_s: float) -> Columns:
    """Return the rows after linking, and then those that fill gaps; what these lack is 0."""
    linked = link(Rows(**{name: columns[name] for name in _LINKED}), frames_ns, aspect, min_seen_s)
    track_id, filled = linked.track_id, linked.filled
    kept = track_id != 0
    made = {}
    for name, column in {**columns, "track_id": track_id, "body_box": linked.body_box}.items():
        more = getattr(filled, name, None)
        lacking = np.zeros((len(filled), *column.shape[1:]), column.dtype)
        made[name] = np.concatenate([column[kept], lacking if more is None else more.astype(column.dtype)])
    return made


def _numbered(columns: Columns) -> Columns:
    """Number tracks from 1 in the order in which they first appear; of those that do at once, by their old numbers."""
    known, first, track = np.unique(columns["track_id"], return_index=True, return_inverse=True)
    new_id = np.empty(len(known), np.int64)
    new_id[np.argsort(first, kind="stable")] = np.arange(1, len(known) + 1)
    columns = {**columns, "track_id": new_id[track]}
    return {name: column[np.lexsort((columns["track_id"], columns["pts_ns"]))] for name, column in columns.items()}
