"""What is handed to a publisher, and when that waits."""

import re
import threading
from typing import Any

import pytest

from pipeline.bus.keeper import Keeper, Told
from pipeline.errors import PipelineError
from tests.pipeline.bus.sockets import Bench
from tests.pipeline.bus.stories import message, wait_until


class Slow(Keeper):
    """Keeps nothing until it is let."""

    def __init__(self) -> None:
        super().__init__("bus", None, keep_s=1, keep_bytes=1, room=1, interrupted=lambda last, sequence: None)
        self.gate, self.entered = threading.Event(), threading.Event()

    def keep(self, items: Any) -> Told:
        self.entered.set()
        self.gate.wait(10)
        return super().keep(items)


def test_offers_wait_only_when_too_much_is_on_its_way(bench: Bench) -> None:
    keeper = Slow()
    publisher = bench.start(keeper=keeper, queue=4)
    offered: list[int] = []

    def offer() -> None:
        for k in range(20):
            publisher.offer([message(k)])
            offered.append(k)

    offering = threading.Thread(target=offer)
    offering.start()
    keeper.entered.wait(10)
    offering.join(0.1)
    waited = len(offered)
    keeper.gate.set()
    offering.join(10)

    assert 4 < waited <= 8  # what was taken when the thread stopped, and the queue
    assert offered == list(range(20))


def test_what_is_offered_just_before_the_end_is_kept(bench: Bench) -> None:
    class Late(Slow):
        def tend(self) -> Told:  # comes after a look at what was offered
            self.entered.set()
            self.gate.wait(10)
            return super().tend()

    keeper = Late()
    kept: list[Any] = []
    keep = keeper.keep
    keeper.keep = lambda items: (kept.extend(items), keep(items))[1]  # type: ignore[method-assign]
    publisher = bench.start(keeper=keeper)
    keeper.entered.wait(10)

    publisher.offer([message(0)])
    closing = threading.Thread(target=publisher.close)
    closing.start()
    wait_until(lambda: publisher._closing, "it is to end")
    keeper.gate.set()
    closing.join()

    assert kept == [message(0)]


def test_a_failure_of_the_publishing_thread_is_told_to_who_offers(bench: Bench) -> None:
    class Broken(Slow):
        def keep(self, items: Any) -> Told:
            raise RuntimeError("no more")

    publisher = bench.start(keeper=Broken())
    publisher.offer([message(0)])

    with pytest.raises(PipelineError) as error:
        for k in range(10**6):
            publisher.offer([message(k)])
    bench.publishers.clear()
    with pytest.raises(PipelineError, match=re.escape("publishing stopped: RuntimeError('no more')")):
        publisher.close()

    assert str(error.value) == "publishing stopped: RuntimeError('no more')"


def test_many_waiting_messages_are_committed_together_but_not_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Slow()
    sizes: list[int] = []
    keep = Slow.keep
    monkeypatch.setattr(Slow, "keep", lambda self, items: [sizes.append(len(items)), keep(self, items)][1])
    publisher = bench.start(keeper=keeper, commit_most=6)

    publisher.offer([message(0)])
    keeper.entered.wait(10)
    for k in range(4):
        publisher.offer([message(4 * k + part) for part in range(4)])
    keeper.gate.set()
    publisher.close()

    assert sizes == [1, 8, 8]
