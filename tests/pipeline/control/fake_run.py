"""A run that is none: says what it is told to say, and keeps what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.status import AgeHistogram, NodeStatus, QueueStatus, RunStatus, StreamStatus

DOOR = StreamStatus(
    id="door",
    url="rtsp://me:secret@10.0.0.5/live",
    live=True,
    state="live",
    state_s=3.0,
    reason="timeout",
    message="rtsp://me:secret@10.0.0.5/live: expected data within 2 s, got none",
    next_try_s=None,
    connections=2,
    losses={"timeout": 1, "refused": 4},
    generation=7,
    frames_in=100,
    frames_out=80,
    dropped={"not_newest": 15, "error:looks": 2},
    in_flight=3,
    last_out_s=0.25,
    drift_ppm=12.5,
    config={"url": "rtsp://me:secret@10.0.0.5/live", "aois": {}},
)
RUN = RunStatus(
    graph="graphs/retail.yaml",
    running=True,
    failed=None,
    elapsed_s=9.5,
    frames_out=80,
    streams=(DOOR,),
    nodes=(NodeStatus("looks", "measure_looks", ticks=85, frames=84, rows=6, wall_s=0.5, cpu_s=0.25),),
    queues={"looks": QueueStatus(capacity=2, waiting=1, peak=2, spilled=3, failures=4)},
    edges={"looks": {"in": 85, "out": 80, "dropped": {"error:looks": 2}, "in_flight": 3}},
    dropped={"looks": {"error:looks": 2}},
    age=AgeHistogram(bounds_s=(0.1, 0.5), counts=(70, 8, 2), sum_s=6.5),
    removed={"in": 9, "out": 7, "dropped": {"removed": 2}},
)


class FakeRun:
    """Steers nothing. `error` is raised by every change."""

    def __init__(self, status: RunStatus = RUN) -> None:
        self.told = status
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def status(self) -> RunStatus:
        return self.told

    def add(self, stream_id: str, values: Mapping[str, Any]) -> None:
        self._ask("add", stream_id, dict(values))
        self.told = replace(self.told, streams=(*self.told.streams, replace(DOOR, id=stream_id, state="connecting")))

    def remove(self, stream_id: str) -> None:
        self._ask("remove", stream_id)

    def pause(self, stream_id: str) -> None:
        self._ask("pause", stream_id)
        self.told = replace(self.told, streams=(replace(DOOR, state="paused"),))

    def resume(self, stream_id: str) -> None:
        self._ask("resume", stream_id)

    def configure(self, values: Mapping[str, Any]) -> list[str]:
        self._ask("configure", dict(values))
        return list(values)

    def reload(self) -> list[str]:
        self._ask("reload")
        return ["streams.till"]

    def begin_again(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]

    def _ask(self, *asked: Any) -> None:
        if self.error:
            raise self.error
        self.asked.append(asked)
