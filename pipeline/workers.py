"""The threads of a run: each opens its nodes, runs its loop when all are open, and closes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from pipeline.errors import PipelineError
from pipeline.opening import Opening
from pipeline.running import RunningNode, said


class Workers:
    """One thread for each stage and live sink.

    Args:
        work: the nodes of each thread.
        loops: what each thread does with them.
        source: what a thread without nodes is called after.
        fail: called with what goes wrong.
    """

    def __init__(
        self,
        work: Sequence[Sequence[RunningNode]],
        loops: Sequence[Callable[[], None]],
        source: str,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._work, self._loops, self._source, self._fail = work, loops, source, fail
        self._opening = Opening(len(work))
        self.threads: list[threading.Thread] = []
        self.engine_cpu_ns: list[int] = []
        """CPU time of each thread outside of its nodes."""

    @property
    def failure(self) -> BaseException | None:
        """Why the run cannot begin; None when all is open."""
        return self._opening.failure

    def open(self) -> None:
        """Make the threads, and wait until all nodes are open or have failed to."""
        for index, running in enumerate(self._work):
            name = running[0].spec.name if running else self._source
            self.threads.append(threading.Thread(target=self._run, args=(index,), name=name))
            self.threads[-1].start()
        self._opening.wait()

    def decide(self, begin: bool) -> None:
        """Let the threads run their loops, or close what they opened. What was decided once stands."""
        self._opening.decide(begin)

    def _run(self, index: int) -> None:
        """Open nodes, run the loop, close them: all on one thread, as nodes are promised."""
        begun: list[RunningNode] = []
        try:
            for one in self._work[index]:
                begun.append(one)
                one.node.open()
        except BaseException as error:
            self._opening.fail(index, _named(begun[-1], "cannot be opened", error))
        if self._opening.arrive():
            cpu_ns = time.thread_time_ns()
            try:
                self._loops[index]()
            except BaseException as error:
                self._fail(error)
            in_nodes = sum(one.meter.cpu_ns for one in begun)
            self.engine_cpu_ns.append(time.thread_time_ns() - cpu_ns - in_nodes)
        for one in begun:
            try:
                one.node.close()
            except BaseException as error:
                self._fail(_named(one, "cannot be closed", error))


def _named(one: RunningNode, what: str, error: BaseException) -> PipelineError:
    if isinstance(error, PipelineError):
        return error
    named = PipelineError(f"node {one.spec.name!r} ({one.spec.type}): {what}: {said(error)}")
    named.__cause__ = error
    return named
