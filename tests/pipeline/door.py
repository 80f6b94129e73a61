"""The door of a graph, with all it needs, for tests."""

from __future__ import annotations

from typing import Any

from pipeline.admission import Admission
from pipeline.frames import Stream
from pipeline.ledger import Ledger
from pipeline.settings import EngineConfig
from pipeline.transit import Transit
from tests.pipeline.rig import FakeClock, frame, stream


class Door:
    """An admission with all it needs, and its takings in short."""

    def __init__(self, *streams: Stream, began_s: int = 0, **settings: Any) -> None:
        self.clock, self.ledger = FakeClock(), Ledger()
        self.transit = Transit(self.clock)
        engine = EngineConfig(**settings)
        self.admission = Admission(streams, engine, self.clock, self.transit, self.ledger, "frames", began_s)

    def passed(self, time_ns: int) -> None:
        """Let a tick go through the graph in so long, with none before it."""
        self.transit.entered()
        self.transit.left(time_ns)

    def offer(self, stream_id: str, *indices: int) -> None:
        for index in indices:
            assert self.admission.offer(stream_id, frame(index))

    def end(self, *stream_ids: str) -> None:
        for stream_id in stream_ids:
            self.admission.end(stream_id)

    def take(self) -> Any:
        """Return a tick as [(stream, frame index)], a mark as 'kind stream', the end as None."""
        taken = self.admission.take()
        if isinstance(taken, list):
            return [(one.stream.id, one.frame_index) for one in taken]
        return f"{taken.mark.kind} {taken.mark.stream_id}" if taken else None

    def all(self) -> list[Any]:
        return list(iter(self.take, None))

    @property
    def drops(self) -> dict[str, int]:
        return self.ledger.drops()


def live(id: str = "cam", **config: Any) -> Stream:
    return stream(id, live=True, **config)
