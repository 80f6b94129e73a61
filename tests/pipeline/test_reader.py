"""A source is driven on its own thread, stopped, closed, and its failures are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.admission import Admission
from pipeline.errors import SourceError
from pipeline.frames import FrameBatch
from pipeline.ledger import Ledger
from pipeline.node import Discontinuity, Dropped, Node, NodeConfig, Source
from pipeline.reader import Reader
from pipeline.settings import EngineConfig
from pipeline.transit import Transit
from tests.helpers import FakeContext
from tests.pipeline.rig import PATIENCE_S, FakeClock, clip, frame, spec, stream


class Drive:
    """A reader of a source made of a generator function, and what came of it."""

    def __init__(self, items: Callable[[], Iterator[Any]], max_frames: int | None = None, **members: Any) -> None:
        self.did: list[str] = []
        test = self

        class Made(Source[NodeConfig]):
            def open(self) -> None:
                test.did.append("open")

            def frames(self) -> Iterator[Any]:
                return items()

            def process(self) -> FrameBatch:
                raise NotImplementedError

            def close(self) -> None:
                test.did.append("close")

        made = type("Made", (Made,), {"__orig_bases__": (Source[NodeConfig],), **members})
        self.ledger = Ledger()
        one = stream()
        self.admission = Admission([one], EngineConfig(), FakeClock(), Transit(FakeClock()), self.ledger, "frames")
        context = FakeContext()
        self.reader = Reader(spec("frames", made), context, one, self.admission, max_frames)

    def run(self) -> list[Any]:
        """Read to the end; return what the graph is handed."""
        thread = self.reader.start()
        taken = list(iter(self.admission.take, None))
        thread.join(PATIENCE_S)
        return [each[0].frame.pts_ns // 40_000_000 if isinstance(each, list) else each.mark.kind for each in taken]


def test_a_source_is_opened_read_to_its_end_and_closed():
    drive = Drive(lambda: iter(clip(3)))

    assert drive.run() == ["begun", 0, 1, 2, "ended"]
    assert drive.did == ["open", "close"]
    assert drive.reader.error is None
    assert drive.reader.meter.frames == 3


def test_what_is_no_frame_is_passed_on_too():
    drive = Drive(lambda: iter([None, frame(0), Dropped("corrupt", 2), Discontinuity(), frame(1), None]))

    assert drive.run() == ["begun", 0, "discontinuity", 1, "ended"]
    assert drive.ledger.to_dict()["frames"]["dropped"] == {"corrupt": 2}
    assert drive.reader.meter.frames == 2


@pytest.mark.parametrize("max_frames", [1, 2])
def test_only_the_first_frames_are_read_when_so_asked(max_frames: int):
    drive = Drive(lambda: iter(clip(9)), max_frames)

    assert drive.run() == ["begun", *range(max_frames), "ended"]


def test_a_source_without_frames_begins_and_ends():
    assert Drive(lambda: iter([])).run() == ["begun", "ended"]


def test_a_generator_that_is_left_early_is_closed_before_the_source_and_on_its_thread():
    drive: Drive
    threads: list[int] = []

    def items() -> Iterator[Any]:
        try:
            yield from clip(9)
        finally:
            threads.append(threading.get_ident())
            drive.did.append("generator closed")

    drive = Drive(items, max_frames=1)
    thread = drive.reader.start()
    ident = thread.ident
    thread.join(PATIENCE_S)

    assert drive.did == ["open", "generator closed", "close"]
    assert threads == [ident]


def test_stopping_ends_a_source_that_would_go_on_for_ever():
    began = threading.Event()

    def items() -> Iterator[Any]:
        while True:
            began.set()
            yield None

    drive = Drive(items)
    thread = drive.reader.start()
    assert began.wait(PATIENCE_S)
    drive.reader.stop()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert drive.did == ["open", "close"]


def test_a_frame_that_comes_after_the_stop_is_counted():
    asked, go_on = threading.Event(), threading.Event()

    def items() -> Iterator[Any]:
        asked.set()
        assert go_on.wait(PATIENCE_S)
        yield frame(0)

    drive = Drive(items)
    thread = drive.reader.start()
    assert asked.wait(PATIENCE_S)
    drive.reader.stop()
    drive.admission.stop()
    go_on.set()
    thread.join(PATIENCE_S)

    assert drive.ledger.to_dict()["frames"] == {"in": 1, "out": 0, "dropped": {"interrupted": 1}, "in_flight": 0}


def broken(error: BaseException) -> Callable[[], Iterator[Any]]:
    def items() -> Iterator[Any]:
        yield frame(0)
        raise error

    return items


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SourceError("stream 'shop': gone"), "stream 'shop': gone"),
        (OSError("no cable"), "stream 'shop': OSError: no cable"),
        (SystemExit(1), "stream 'shop': SystemExit: 1"),
    ],
)
def test_a_source_that_breaks_ends_its_stream_and_says_why(error: BaseException, said: str):
    drive = Drive(broken(error))

    assert drive.run() == ["begun", 0, "ended"]
    assert drive.did == ["open", "close"]
    assert isinstance(drive.reader.error, SourceError)
    assert str(drive.reader.error) == said


@pytest.mark.parametrize("method", ["open", "frames"])
def test_a_source_that_cannot_begin_ends_its_stream_and_says_why(method: str):
    def fail(self: Node[Any]) -> None:
        raise SourceError("stream 'shop': no such file")

    drive = Drive(lambda: iter([]), **{method: fail})

    assert drive.run() == ["begun", "ended"]
    assert drive.did[-1] == "close"
    assert str(drive.reader.error) == "stream 'shop': no such file"


def test_a_source_that_cannot_be_closed_says_so_and_still_ends_its_stream():
    def fail(self: Node[Any]) -> None:
        raise OSError("stuck")

    drive = Drive(lambda: iter(clip(1)), close=fail)

    assert drive.run() == ["begun", 0, "ended"]
    assert str(drive.reader.error) == "stream 'shop': OSError: stuck"


def test_the_first_failure_of_a_source_is_the_one_that_is_told():
    def fail(self: Node[Any]) -> None:
        raise OSError("stuck")

    drive = Drive(broken(OSError("no cable")), close=fail)
    drive.run()

    assert str(drive.reader.error) == "stream 'shop': OSError: no cable"


def test_what_no_source_may_yield_is_told():
    drive = Drive(lambda: iter([frame(0), "frame"]))

    assert drive.run() == ["begun", 0, "ended"]
    assert str(drive.reader.error) == (
        "stream 'shop': TypeError: expected a Frame, Dropped, Discontinuity or None from the source, got 'frame'"
    )
