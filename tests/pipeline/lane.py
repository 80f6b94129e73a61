"""A lane with a sink behind it, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.running import RunningNode
from pipeline.sinks import SinkLane
from pipeline.tick import Slot, Tick, no_frames
from tests.helpers import FakeContext, frames, table
from tests.pipeline.rig import FakeClock, Notes, node_class, spec, stream

ENDED = Mark("ended", "shop", 0, 9)


class Sink:
    """A lane, the sink behind it, and what the sink got."""

    def __init__(self, policy: str = "keep", room: int = 2, **members: Any) -> None:
        self.got: list[tuple[str, ...]] = []
        self.ticks: list[FrameBatch] = []
        self.ended: list[str] = []
        self.failing: Callable[[], bool] = lambda: False
        test = self

        def process(self: Any, frames: FrameBatch, notes: Notes) -> None:
            if test.failing():
                raise ValueError("broken")
            test.ticks.append(frames)
            test.got.append(notes.text)

        made = node_class(
            process, sink_policy=policy, stream_ended=lambda self, stream_id: test.ended.append(stream_id), **members
        )
        each = spec("sink", made, frames="frames", notes="notes")
        self.ledger, self.clock = Ledger(), FakeClock()
        self.lane = SinkLane(RunningNode(each, made(each.config, FakeContext())), room, self.clock, self.ledger)

    def offer(self, *numbers: int) -> None:
        for number in numbers:
            self.lane.offer(tick(number))

    def run_to_the_end(self) -> None:
        self.lane.close()
        self.lane.run()

    @property
    def account(self) -> dict[str, Any]:
        return self.ledger.to_dict()["sink"]


def tick(number: int, *marks: Mark, count: int = 1) -> Tick:
    batch = frames(count, pictures=True, start_s=float(number)) if count else no_frames(stream())
    notes = table(Notes, stream_id=["shop"], text=[str(number)])
    return Tick(number, batch, marks, {"frames": Slot(batch), "notes": Slot(notes), "other": Slot(notes)})
