"""Measure attention in windows of time: who came by, looked at what, how long, what next."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from nodes.ops.audience import Audience, Look, Rules, Taken
from nodes.ops.windows import Report
from nodes.types import Measures, Tracks, Visits
from pipeline.epoch import epoch_ns
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.values import concat

logger = logging.getLogger(__name__)

SHORTEST_S = 0.1


def _window(seconds: float) -> float:
    if 0 < seconds < SHORTEST_S:
        raise ValueError(f"a window is {SHORTEST_S} s or longer, or 0 for none, got {seconds!r}")
    return seconds


class Config(NodeConfig):
    window_s: Annotated[float, AfterValidator(_window)] = Field(default=60.0, ge=0)
    """Length of the windows that are measured, seconds; they begin at its multiples on the wall clock of the stream
    (60: at full minutes). Raise for fewer reports; 0 for the whole stream only."""
    longest_s: float = Field(default=86400.0, ge=60)
    """The whole stream is measured as well, at its end; one that runs for longer than this, seconds, is measured in
    parts of this length. Raise for fewer parts; a part needs little memory, but some for everybody who looks."""
    settle_s: float = Field(default=2.0, ge=0)
    """Time from the end of a window to its report, seconds, in which looks that began in it become known. Lower for
    earlier reports, of which more are revised."""
    min_presence_s: float = Field(default=1.0, ge=0)
    """Time in view that is an opportunity to see, seconds; whoever looks had one in any case. Raise to leave out those
    who just pass by. Tune first."""
    max_gap_s: float = Field(default=2.0, gt=0)
    """Gaps in sight up to this long, seconds, are presence. Raise where people are hidden for longer, but not above the
    time for which the tracker remembers them. Of longer gaps between frames nothing is known."""
    repair_s: float = Field(default=30.0, ge=0)
    """For how long visits that ended and people who left may be corrected, seconds: at least as long as the tracker
    and the visits need. Raising it costs memory."""


class MeasureAttention(Node[Config]):
    """Add visits and presence up to the measures of docs/events.md, one report a window.

    A visit counts in the window in which it began, whole. So a window is reported at the first frame `settle_s` after
    its end at which none of its visits is open, and those still due at the stream's end or discontinuity. A window
    whose figures a later repair of an identity changes is reported again, with the next revision. Areas of the stream
    are reported even when nobody looked, other targets when somebody did.

    State: per stream, the visits and the presence of people of the last `repair_s` and since the first visit still
    open, sums of each window that is not final, and all times to a first look in the whole stream.
    Empty: frames without people move time on; no frames, no reports.
    Ref: terms of Quividi's glossary and of eye tracking, as docs/events.md says of each.
    """

    def open(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def process(self, frames: FrameBatch, tracks: Tracks, looks: Visits) -> Measures:
        told, seen = _told(looks), _seen(frames, tracks)
        made: list[Measures] = []
        for row, (stream_id, generation, pts_ns) in enumerate(
            zip(frames.stream_id, frames.generation.tolist(), frames.pts_ns.tolist(), strict=True)
        ):
            config = frames.stream(row).config
            held = self._streams.get(stream_id)
            if held is not None and held.generation != generation:
                held.audience.tell(told.pop((stream_id, held.generation), ()))
                made += held.tables(held.audience.end())
                held = None
            if held is None:
                start_time_ns = epoch_ns(config.start_time)
                audience = Audience(self._rules(), start_time_ns)
                held = self._streams[stream_id] = _Stream(stream_id, generation, start_time_ns, audience)
            known, left = [], told.get((stream_id, generation), deque())
            while left and left[0].known_ns <= pts_ns:
                known.append(left.popleft())
            made += held.tables(held.audience.frame(pts_ns, *seen[row], known, config.aois))
        for (stream_id, generation), left in told.items():  # of an end: known when the last frame is over
            held = self._streams.get(stream_id)
            if held is not None and held.generation == generation:
                held.audience.tell(left)
        return concat([*made, Measures.empty()])

    def stream_ended(self, stream_id: str) -> Measures:
        held = self._streams.pop(stream_id, None)
        return Measures.empty() if held is None else concat([*held.tables(held.audience.end()), Measures.empty()])

    def _rules(self) -> Rules:
        config = self.config
        return Rules(
            window_ns=round(config.window_s * 1e9),
            whole_ns=round(config.longest_s * 1e9),
            settle_ns=round(config.settle_s * 1e9),
            min_presence_ns=round(config.min_presence_s * 1e9),
            max_gap_ns=round(config.max_gap_s * 1e9),
            repair_ns=round(config.repair_s * 1e9),
        )


@dataclass
class _Stream:
    """What is held for one generation of a stream."""

    id: str
    generation: int
    start_time_ns: int
    audience: Audience
    sequence: int = 0
    warned: bool = False

    def tables(self, reports: Iterable[Report]) -> list[Measures]:
        """Return reports as rows, numbered on; say once that something came too late for its window."""
        if self.audience.late and not self.warned:
            self.warned = True
            logger.warning(
                "stream %s: %s became known more than repair_s after its time: measures of windows that were reported "
                "stay as they were; raise repair_s of measure_attention above that of what reads the tracks",
                self.id,
                self.audience.late[0],
            )
        self.audience.late.clear()
        return [self._table(report) for report in reports]

    def _table(self, report: Report) -> Measures:
        count = len(report.figures)
        self.sequence += 1

        def column(number: int) -> np.ndarray:
            return np.full(count, number, np.int64)

        return Measures(
            stream_id=(self.id,) * count,
            generation=column(self.generation),
            sequence=column(self.sequence - 1),
            span=(report.span,) * count,
            window_start_ns=column(report.start_ns),
            window_end_ns=column(report.end_ns),
            revision=column(report.revision),
            known_ns=column(report.known_ns),
            measure=tuple(figure.measure for figure in report.figures),
            target=tuple(figure.target for figure in report.figures),
            to=tuple(figure.to for figure in report.figures),
            value=np.array([figure.value for figure in report.figures], np.float64),
            start_time_ns=column(self.start_time_ns),
        )


def _told(looks: Visits) -> dict[tuple[str, int], deque[Look]]:
    """Return visits by stream and generation, in the order in which they became known."""
    told: dict[tuple[str, int], deque[Look]] = {}
    numbers = ("track_id", "start_ns", "end_ns", "known_ns", "dwell_ns", "fixations", "fixation_ns")
    columns = {name: getattr(looks, name).tolist() for name in numbers}
    for row, owner in enumerate(zip(looks.stream_id, looks.generation.tolist(), strict=True)):
        times = {name: content[row] for name, content in columns.items()}
        look = Look(visit=looks.visit[row], kind=looks.kind[row], target=looks.target[row], **times)
        told.setdefault(owner, deque()).append(look)
    return told


def _seen(frames: FrameBatch, tracks: Tracks) -> list[tuple[list[int], list[Taken]]]:
    """Return, of each frame, the tracks that are seen in it and the repairs that became known in it."""
    made: list[tuple[list[int], list[Taken]]] = [([], []) for _ in range(len(frames))]
    for frame_row, track_id, observed, taken_from, since_ns in zip(
        tracks.frame_row.tolist(),
        tracks.track_id.tolist(),
        tracks.observed.tolist(),
        tracks.taken_from.tolist(),
        tracks.taken_since_ns.tolist(),
        strict=True,
    ):
        if observed:
            made[frame_row][0].append(track_id)
        if taken_from:
            made[frame_row][1].append(Taken(track_id, taken_from, since_ns))
    return made
