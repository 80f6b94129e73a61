"""How ticks flow: through stages one after another, each on a thread, and then to the lanes of live sinks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from pipeline.channel import Channel, ChannelClosed
from pipeline.ledger import Ledger
from pipeline.observer import Observer
from pipeline.running import RunningNode
from pipeline.sinks import SinkLane
from pipeline.stage import Policy, run_stage
from pipeline.tick import Tick


class Line:
    """The loops of all threads but those of sources. A failure is told once, and what follows it is let go."""

    def __init__(
        self,
        stages: Sequence[list[RunningNode]],
        lanes: Sequence[SinkLane],
        channels: Sequence[Channel[Tick]],
        policy: Policy,
        ledger: Ledger,
        observer: Observer,
        ticks_in_flight: int,
        fail: Callable[[BaseException], None],
    ) -> None:
        """Make a line.

        Args:
            stages: nodes by stage.
            lanes: sinks that run by themselves.
            channels: what lies between one stage and the next.
            policy: what happens when a node fails.
            ledger: counts frames.
            observer: sees ticks enter and leave.
            ticks_in_flight: ticks that may be between the first stage and the last.
            fail: called with what stops the run; no further frames may come in then.
        """
        self._stages, self._lanes, self._channels = stages, lanes, channels
        self._policy, self._ledger, self._observer, self._fail = policy, ledger, observer, fail
        self._permits = threading.Semaphore(ticks_in_flight)

    def loops(self, ticks: Iterator[Tick], source: str) -> list[Callable[[], None]]:
        """Return the loop of each stage and then of each lane.

        Args:
            ticks: what enters; asked for the next one only when there is room for it, by the first loop.
            source: the node that ticks come from.
        """
        first = [lambda: self._feed(ticks, source)]
        others = [lambda index=index: self._pass_on(index) for index in range(1, len(self._stages))]
        return [*first, *others, *(lambda lane=lane: self._drain(lane) for lane in self._lanes)]

    def _feed(self, ticks: Iterator[Tick], source: str) -> None:
        """Let ticks in and run the nodes that ride along with the source."""
        try:
            while True:
                self._permits.acquire()
                if (tick := next(ticks, None)) is None:
                    break
                self._policy.after_node(source, tick)
                self._ledger.went(source, len(tick.frames))
                self._observer.entered(tick)
                self._run(0, tick)
        except Exception as error:
            self._fail(error)
        finally:
            self._close_next(0)

    def _pass_on(self, index: int) -> None:
        """Run a stage on what the one before hands over; after a failure, let it go."""
        channel, failed = self._channels[index - 1], False
        try:
            while True:
                tick = channel.get()
                try:
                    if not failed:
                        self._run(index, tick)
                        continue
                except Exception as error:
                    failed = True
                    self._fail(error)
                self._permits.release()
        except ChannelClosed:
            self._close_next(index)

    def _drain(self, lane: SinkLane) -> None:
        """Feed a sink that runs by itself."""
        try:
            lane.run()
        except Exception as error:
            self._fail(error)
        if lane.error:
            self._fail(lane.error)

    def _run(self, index: int, tick: Tick) -> None:
        tick = run_stage(self._stages[index], tick, self._policy, self._ledger)
        if index + 1 < len(self._stages):
            self._channels[index].put(tick)
            return
        for lane in self._lanes:
            lane.offer(tick)
        self._observer.left(tick)
        self._permits.release()

    def _close_next(self, index: int) -> None:
        if index + 1 < len(self._stages):
            self._channels[index].close()
        else:
            for lane in self._lanes:
                lane.close()
