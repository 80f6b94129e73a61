"""Each fault of a graph that runs is seen in the metric that is there to show it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from pipeline.control.health import ready
from pipeline.control.metrics import METRICS, PREFIX, exposition
from pipeline.control.process import process_figures
from pipeline.frames import FrameBatch
from pipeline.node import Dropped, Frame, Stamp
from pipeline.runtime import Runtime
from tests.pipeline.cameras import AT_ONCE, Camera, during, endless, frames_of, gone, live_run, until
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    FakeClock,
    Log,
    Stamps,
    chain,
    frame,
    graph,
    node_class,
    runtime,
    spec,
    stream,
)

LABELS = {metric.name: metric.labels for metric in METRICS}


def scraped(run: Runtime) -> dict[tuple[str, ...], float]:
    """Return all samples by name and values of labels, as a scrape gets them."""
    text = exposition(run.status(), process_figures(), "1", "3").decode()
    return {
        (name, *(sample.labels[label] for label in LABELS.get(name, sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if (name := sample.name.removeprefix(PREFIX))
    }


def held(event: threading.Event) -> Iterator[Any]:
    yield frame(0)
    assert event.wait(PATIENCE_S)
    yield frame(1)


def test_losses_and_connections(tmp_path: Path) -> None:
    seen = threading.Event()
    connections = (frames_of(0, 1, gone("ended")), *[frames_of(0, 0, gone("refused"))] * 2, lambda: held(seen))
    run, marks = live_run(Camera(*connections), tmp_path, **AT_ONCE)

    def look() -> None:
        until(lambda: len(marks.story) >= 2)
        told = scraped(run)
        seen.set()
        assert told["stream_losses_total", "cam", "ended"] == 1
        assert told["stream_losses_total", "cam", "refused"] == 2
        assert told["stream_connections_total", "cam"] == 2
        assert told["stream_generation", "cam"] == 1
        assert told["stream_state", "cam", "live"] == 1

    during(run, look)


def test_a_stall_and_what_is_ready(tmp_path: Path) -> None:
    clock, go_on = FakeClock(), threading.Event()
    run, marks = live_run(Camera(lambda: held(go_on)), tmp_path, clock=clock, stall_s=2)

    def look() -> None:
        until(lambda: len(marks.story) == 1)
        assert ready(run.status(), 10).ok
        clock.ns += 11_000_000_000
        until(lambda: scraped(run)["stream_state", "cam", "stalled"] == 1)
        told = scraped(run)
        assert told["stream_state", "cam", "live"] == 0
        assert told["stream_last_out_seconds", "cam"] >= 11
        assert not ready(run.status(), 10).ok
        go_on.set()
        until(lambda: len(marks.story) >= 2)

    during(run, look)


def test_a_try_that_is_waited_for(tmp_path: Path) -> None:
    run, _ = live_run(Camera(frames_of(0, 1, gone())), tmp_path, clock=None, back_off_first_s=600, back_off_cap_s=600)

    def look() -> None:
        until(lambda: scraped(run)["stream_state", "cam", "backing_off"] == 1)
        assert 0 < scraped(run)["stream_next_try_seconds", "cam"] <= 600

    during(run, look)


def test_drops_by_cause(tmp_path: Path) -> None:
    clock, go_on = FakeClock(), threading.Event()

    def lossy() -> Iterator[Any]:
        yield Dropped("corrupt", 3)
        yield Dropped("decoder_late", 2)
        for index in range(10):
            clock.ns += STEP_NS
            yield Frame(frame(0).picture, stamp=Stamp(index * STEP_NS))
        assert go_on.wait(PATIENCE_S)

    run, _ = live_run(Camera(lossy), tmp_path, clock=clock, values={"max_fps": 5})

    def look() -> None:
        until(lambda: scraped(run)["stream_frames_out_total", "cam"] == 2)
        told = scraped(run)
        go_on.set()
        for cause, count in (("corrupt", 3), ("decoder_late", 2), ("rate_limit", 8)):
            assert told["stream_frames_dropped_total", "cam", cause] == count
            assert told["node_frames_dropped_total", "frames", cause] == count
        assert told["stream_frames_in_total", "cam"] == 15
        assert told["stream_frames_unaccounted", "cam"] == told["node_frames_unaccounted", "frames"] == 0

    during(run, look)


def test_a_slow_node_and_the_age_of_what_it_lets_through(tmp_path: Path) -> None:
    clock, go_on = FakeClock(), threading.Event()

    def slow(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        clock.ns += 400_000_000 * len(frames)
        return stamps

    run, _ = live_run(Camera(lambda: held(go_on)), tmp_path, ("slow", node_class(slow)), clock=clock)

    def look() -> None:
        until(lambda: scraped(run)["frames_out_total",] == 1)
        told = scraped(run)
        go_on.set()
        assert (told["age_at_sink_seconds_bucket", "0.3"], told["age_at_sink_seconds_bucket", "0.5"]) == (0, 1)
        assert told["age_at_sink_seconds_sum",] == 0.4

    during(run, look)


def test_a_node_that_fails(tmp_path: Path) -> None:
    def fail(self: Any, frames: FrameBatch, stamps: Stamps) -> Stamps:
        if len(frames):
            raise ValueError("broken")
        return stamps

    run, _ = live_run(Camera(endless), tmp_path, ("odd", node_class(fail)), clock=None)

    def look() -> None:
        until(lambda: scraped(run).get(("node_frames_dropped_total", "odd", "error:odd"), 0) > 0)
        assert scraped(run)["stream_frames_dropped_total", "cam", "error:odd"] > 0

    during(run, look)


def test_a_sink_that_is_stuck_and_one_that_fails(tmp_path: Path) -> None:
    go_on, broken = threading.Event(), [1]

    def fail(frames: FrameBatch) -> None:
        if len(frames) and broken:
            broken.pop()
            raise OSError("unplugged")

    def wait(frames: FrameBatch) -> None:
        assert go_on.wait(PATIENCE_S)

    stuck = Log(wait)
    failing = Log(fail)
    whole = graph(
        *chain(stuck), spec("other", failing.cls, frames="frames", stamps="stamps"), source=Camera(endless).cls
    )
    run = runtime(whole, [stream("cam", live=True, when_full="wait")], tmp_path, sink_queue=3)

    def look() -> None:
        try:
            until(lambda: scraped(run)["sink_spilled_ticks_total", "log"] > 0)
            until(lambda: scraped(run)["sink_failures_total", "other"] == 1)
            told = scraped(run)
            assert told["queue_waiting_ticks", "log"] >= told["queue_capacity_ticks", "log"] == 3
            assert told["queue_peak_ticks", "log"] == 3
        finally:
            go_on.set()

    during(run, look)


def test_streams_that_are_gone_are_summed_up(tmp_path: Path) -> None:
    run, _ = live_run(Camera(endless, endless), tmp_path, clock=None)

    def look() -> None:
        run.add_stream(stream("door", live=True, when_full="wait"))
        until(lambda: scraped(run).get(("stream_frames_out_total", "door"), 0) > 0)
        run.remove_stream("door")
        until(lambda: ("stream_frames_out_total", "door") not in scraped(run))
        until(lambda: scraped(run)["removed_frames_out_total",] > 0)
        assert not any("door" in key for key in scraped(run))

    during(run, look)
