"""What a drawing has to remember from picture to picture: visits that are open, and where heads were."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Shown:
    """What is remembered of one generation of a stream."""

    visits: dict[tuple[int, str], int] = field(default_factory=dict)
    """(track, target) -> pts of the first look, ns."""
    heads: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)
    """track -> pts and box of the head when it was last seen."""

    def note_heads(self, track_ids: np.ndarray, head_boxes: np.ndarray, pts_ns: int, hold_s: float) -> None:
        """Keep where heads (N, 4) are, NaN where none was seen: from one frame to the next they may have to be hidden.

        Args:
            track_ids: (N,) whose they are.
            head_boxes: (N, 4).
            pts_ns: of the frame.
            hold_s: for how long a head that is no longer seen is kept, seconds.
        """
        for track_id, box in zip(track_ids.tolist(), head_boxes, strict=True):
            if not np.isnan(box).any():
                self.heads[track_id] = (pts_ns, box)
        hold_ns = round(hold_s * 1e9)
        self.heads = {track_id: head for track_id, head in self.heads.items() if pts_ns - head[0] <= hold_ns}

    def take_up(self, kind: str, track_id: int, target: str, start_ns: int) -> None:
        """Follow one event of a visit."""
        if kind in ("ended", "retracted"):
            self.visits.pop((track_id, target), None)
        else:
            self.visits[track_id, target] = start_ns

    def open_visits(self, pts_ns: int) -> dict[int, dict[str, str]]:
        """Return for how long each track has looked at what, the longest visit first: track -> target -> words."""
        looking: dict[int, dict[str, str]] = {}
        for (track_id, target), start_ns in sorted(self.visits.items(), key=lambda visit: (visit[1], visit[0])):
            looking.setdefault(track_id, {})[target] = f"{(pts_ns - start_ns) / 1e9:.1f} s"
        return looking
