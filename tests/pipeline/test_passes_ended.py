"""What is left when one of two passes fails, is interrupted or cannot begin."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import FrameBatch
from pipeline.node import Node, SourceItem
from pipeline.passes import TwoPasses
from pipeline.report import RunReport, Snapshot
from tests.helpers import list_sink, list_source
from tests.pipeline.counted import CountDown, Seen, Switched, run, two
from tests.pipeline.rig import (
    PATIENCE_S,
    Stamps,
    adds_up,
    clip,
    copy,
    graph,
    node_class,
    spec,
)


@pytest.mark.parametrize("looks", [True, False], ids=["read again", "read once"])
def test_a_failing_source_gets_as_far_in_both_passes(tmp_path: Path, looks: bool) -> None:
    def read(self: Any) -> Iterator[SourceItem]:
        yield from clip(3)
        raise ValueError("the file is cut off")

    source = list_source({})
    source.frames = read  # type: ignore[method-assign]
    seen = Seen()

    report = two(graph(*seen.nodes(looks=looks), source=source), tmp_path).run()

    assert (report.status, report.error) == ("failed", "stream 'shop': the file is cut off")
    assert (report.frames, report.bad_input, report.whole) == (3, False, True)
    assert seen.logged == [2, 1, 0]


def test_a_source_that_cannot_be_opened_is_bad_input_and_ends_the_run(tmp_path: Path) -> None:
    def open_it(self: Any) -> None:
        raise ValueError("no such file")

    source = list_source({})
    source.open = open_it  # type: ignore[method-assign]
    seen = Seen()

    report = two(graph(*seen.nodes(), source=source), tmp_path).run()

    assert (report.status, report.error, report.bad_input) == ("failed", "stream 'shop': no such file", True)
    assert (list(report.passes_s), report.reached_sinks, seen.ended) == (["first"], False, [])
    assert not (tmp_path / "passes").exists()


def test_an_input_that_changes_between_the_passes_is_told(tmp_path: Path) -> None:
    clips = [clip(3), clip(5)]
    source = list_source({})
    source.frames = lambda self: iter(clips.pop(0))  # type: ignore[method-assign]

    report = two(graph(*Seen().nodes(), source=source), tmp_path).run()

    assert (report.status, report.whole) == ("failed", False)
    assert report.error is not None
    assert report.error.splitlines()[0] in [
        f"second pass, {edge}: tick 4: expected 'shop' ended at 0.080 s as recorded, got 'shop' at 0.120 s; "
        "leave files as they are while they are run"
        for edge in ("stamps", "count")
    ]
    assert adds_up(report.edges)


@pytest.mark.parametrize("broken", ["process", "revised", "short", "long", "other"])
def test_a_node_that_fails_ends_the_run_before_anything_is_written(tmp_path: Path, broken: str) -> None:
    class Broken(CountDown):
        def process(self, frames: FrameBatch, stamps: Stamps) -> Stamps:
            if broken == "process" and len(frames):
                raise ValueError("broken")
            return super().process(frames, stamps)

        def revised(self, ticks: Iterable[tuple[FrameBatch, Stamps]]) -> Iterator[Any]:
            values = list(super().revised(ticks))
            if broken == "revised":
                raise ValueError("broken")
            other: dict[str, list[Any]] = {"short": values[:-1], "long": [*values, values[0]], "other": [1]}
            yield from other.get(broken, values)

    Broken.__orig_bases__ = (Node[Switched],)  # type: ignore[attr-defined]
    seen = Seen()

    report = two(graph(*seen.nodes(Broken), source=list_source({"shop": clip(3)})), tmp_path).run()

    told = {
        "process": "node 'count' (type_count): stream 'shop', pts 0.000 s: broken",
        "revised": "node 'count' (type_count): revised(): broken",
        "short": "node 'count' (type_count): revised(): TypeError: expected Stamps as output, got NoneType",
        "long": "node 'count' (type_count): revised(): expected one value for each tick, got more",
        "other": "node 'count' (type_count): revised(): TypeError: expected Stamps as output, got int",
    }
    assert report.error == told[broken]
    assert (report.status, report.frames, report.whole, report.reached_sinks) == ("failed", 0, False, False)
    assert (seen.logged, seen.ended) == ([], [])
    assert not (tmp_path / "passes").exists()


def interrupted(seen: Seen, out: Path, which: int, items: int = 50, **options: Any) -> RunReport:
    """Return the report of a run that is interrupted in a pass, while its first frame is looked at."""
    whole: TwoPasses
    stopped = threading.Event()
    passes: list[int] = []

    def hold(self: Any, frames: FrameBatch) -> Stamps:
        if len(frames) and not stopped.is_set() and (which == 1 or passes[-1:] == [2]):
            whole.interrupt()
            assert stopped.wait(PATIENCE_S)
        return Stamps(np.arange(len(frames)), frames.pts_ns.copy())

    held, ignored = node_class(hold), node_class(lambda self, stamps: None)
    ignored.process.__annotations__ = {"stamps": Stamps, "return": type(None)}
    nodes = seen.nodes()
    first, second = spec("held", held, frames="frames"), spec("tail", ignored, stamps="held")
    if which == 1:
        nodes[0] = spec("stamps", held, frames="frames")
    else:
        nodes[2:2] = [first, second]

    def observe(snapshot: Snapshot) -> None:
        passes.append(snapshot.passes[0])
        running = whole._first if snapshot.passes[0] == 1 else whole._second
        if running._stopped:
            stopped.set()

    whole = two(graph(*nodes, source=list_source({"shop": clip(items)})), out, ticks_in_flight=1, **options)
    return whole.run(observe, every_s=0.001)


def test_after_an_interrupt_in_the_first_pass_nothing_has_been_written(tmp_path: Path) -> None:
    seen = Seen()

    report = interrupted(seen, tmp_path, 1, record={"count": tmp_path / "rec"})

    assert (report.status, report.error, report.frames, report.whole) == ("interrupted", None, 0, False)
    assert not report.reached_sinks
    assert (seen.logged, seen.ended) == ([], [])
    assert not (tmp_path / "passes").exists()


def test_an_interrupt_in_the_second_pass_is_like_any_other(tmp_path: Path) -> None:
    seen = Seen()

    report = interrupted(seen, tmp_path, 2)

    assert (report.status, report.error, report.whole) == ("interrupted", None, True)
    assert 0 < report.frames < 50
    assert seen.logged == [49 - index for index in range(report.frames)]
    assert seen.ended == ["shop"]
    assert adds_up(report.edges)
    assert not (tmp_path / "passes").exists()


def test_an_interrupt_between_the_passes_ends_the_run(tmp_path: Path) -> None:
    whole: TwoPasses
    made: list[Stamps] = []

    class Slow(CountDown):
        def revised(self, ticks: Iterable[tuple[FrameBatch, Stamps]]) -> Iterator[Stamps]:
            whole.interrupt()
            for value in super().revised(ticks):
                made.append(value)
                yield value

    Slow.__orig_bases__ = (Node[Switched],)  # type: ignore[attr-defined]
    seen = Seen()
    whole = two(graph(*seen.nodes(Slow), source=list_source({"shop": clip(3)})), tmp_path)

    report = whole.run()

    assert (report.status, list(report.passes_s), seen.ended) == ("interrupted", ["first", "revising"], [])
    assert len(made) == 1


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "passes/first").mkdir(parents=True)
    (tmp_path / "passes/first/count.ticks").write_bytes(b"half")

    assert run(Seen(), tmp_path, clip(1)).status == "done"
    assert not (tmp_path / "passes").exists()


def test_recordings_that_are_missing_or_cannot_be_made_are_told_before_the_first_pass(tmp_path: Path) -> None:
    seen = Seen()
    (tmp_path / "count.ticks").symlink_to("/dev/full")

    with pytest.raises(PipelineError, match=r"count.ticks: expected to write, got a full disk"):
        run(seen, tmp_path, clip(1), record={"count": tmp_path})
    below = [
        spec("more", node_class(copy), frames="frames", stamps="count"),
        spec("end", list_sink(Stamps), values="more"),
    ]
    whole = graph(*seen.nodes(), *below, source=list_source({"shop": clip(1)}))
    with pytest.raises(ConfigError, match=r"^--replay more=.*none: expected the recording .*more.ticks, got: No such "):
        two(whole, tmp_path, replay={"more": tmp_path / "none"}).run()

    assert (seen.detected, seen.ended) == ([], [])
    assert not (tmp_path / "passes").exists()


def test_frames_cannot_be_dropped_where_nodes_fail(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run(Seen(), tmp_path, clip(1), on_error="drop")

    assert str(caught.value) == (
        "engine.on_error: expected auto or stop, because files are run in two passes that must see the same frames, "
        "got 'drop'; leave it, or add --set count.whole=false"
    )
