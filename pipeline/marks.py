"""Marks: what happens to a stream between its frames. They travel in ticks, in order, never beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MarkKind = Literal["begun", "discontinuity", "stalled", "lost", "ended", "configured"]


@dataclass(frozen=True)
class Mark:
    """One thing that happened to a stream at a point of its time.

    `begun`: first frames follow. `discontinuity`: what follows is a new generation; nodes hand out and drop what
    they hold, as at the end. `stalled`, `lost`: no frames since `pts_ns`. `ended`: no frames will follow; nodes hand
    out what they hold. `configured`: values of the configuration changed, those in `values`.
    """

    kind: MarkKind
    stream_id: str
    """Empty where a mark is about the whole run: the values of a node."""
    generation: int = 0
    pts_ns: int = 0
    """Last pts of the stream at the mark, nanoseconds."""
    values: str = ""
    """What changed, as JSON, of `configured`: `{"streams": {id: {all its values}}, "nodes": {name: {field: value}}}`;
    empty for all other kinds."""
