"""What a run says of its streams while something happens to them, and what is made of that."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.live_run import LiveRun
from benchmarks.results import Figures
from pipeline.status import StreamStatus

AT_ONCE_S = 1.0
"""What is allowed beside the back-off and the wait for a key frame, seconds."""
POLL_S = 0.01
OVER = ("ended", "failed", "removed")
"""States that no fault may lead to."""


@dataclass(frozen=True)
class Seen:
    """What was said of a stream when that changed."""

    unix_s: float
    status: StreamStatus


@dataclass
class Watch:
    """Notes each change of state of each stream, from a thread of its own."""

    run: LiveRun
    changes: dict[str, list[Seen]] = field(default_factory=dict)

    def __enter__(self) -> Watch:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def sees_live(self, stream_id: str) -> bool:
        """Tell whether frames of a stream come, as far as was noted yet."""
        changes = self.changes.get(stream_id)
        return changes is not None and changes[-1].status.state == "live"

    def since(self, stream_id: str, unix_s: float) -> list[Seen]:
        """Return the change before a time, and those after."""
        changes = list(self.changes.get(stream_id, ()))
        before = [one for one in changes if one.unix_s < unix_s]
        return [*before[-1:], *changes[len(before) :]]

    def _look(self) -> None:
        while not self._over.wait(POLL_S):
            for status in self.run.runtime.status().streams:
                changes = self.changes.setdefault(status.id, [])
                if not changes or _situation(changes[-1].status) != _situation(status):
                    changes.append(Seen(time.time(), status))


def outcome(changes: Sequence[Seen], right_s: float, first_s: float | None, wait_s: float) -> Figures:
    """Return what became of a fault.

    Args:
        changes: of the stream's state, the last one before the fault first.
        right_s: when the camera was all right again.
        first_s: when the first new frame reached the sink; None for never.
        wait_s: what is allowed for what cannot be hurried: from one key frame of the camera to the next.

    Returns:
        `recovered_s`; `back_off_s`, the wait that was running when the camera was all right again, or else the first
        one after that; `allowed_s`, one second more than that and `wait_s`; `in_time`; and what the run
        said of the stream meanwhile.
    """
    back_off_s = current_back_off(changes, right_s, first_s)
    allowed_s = AT_ONCE_S + back_off_s + wait_s
    recovered_s = None if first_s is None else first_s - right_s
    statuses = [one.status for one in changes]
    return {
        "recovered_s": None if recovered_s is None else round(recovered_s, 3),
        "back_off_s": round(back_off_s, 3),
        "allowed_s": round(allowed_s, 3),
        "in_time": recovered_s is not None and recovered_s <= allowed_s,
        "states": [one.state for one in statuses],
        "reasons": sorted({one.reason for one in statuses if one.reason}),
        "message": statuses[-1].message if statuses else "",
        "generations": statuses[-1].generation - statuses[0].generation if statuses else 0,
        "false_ends": sum(one.state in OVER for one in statuses),
    }


def current_back_off(changes: Sequence[Seen], right_s: float, first_s: float | None) -> float:
    """Return what was left of the wait that was running at a time, or else the first wait after it; 0 without any."""
    for index, change in enumerate(changes):
        until_s = changes[index + 1].unix_s if index + 1 < len(changes) else float("inf")
        waits_s = change.status.next_try_s if change.status.state == "backing_off" else None
        if waits_s is not None and until_s > right_s and (first_s is None or change.unix_s < first_s):
            return max(change.unix_s + waits_s - max(change.unix_s, right_s), 0.0)
    return 0.0


def _situation(status: StreamStatus) -> tuple[object, ...]:
    return status.state, status.reason, status.connections, status.generation, sum(status.losses.values())
