"""Live streams are lost and come back, stall, come and go; the graph hears of it in order, and every frame counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.node import Dropped, Frame, Stamp
from tests.pipeline.cameras import (
    AT_ONCE,
    Camera,
    Marks,
    during,
    finished,
    frames_of,
    gone,
    holding,
    live_run,
    status,
    until,
)
from tests.pipeline.rig import (
    PATIENCE_S,
    STEP_NS,
    FakeClock,
    Log,
    chain,
    frame,
    graph,
    runtime,
    source_class,
    stream,
)


def test_a_stream_that_is_lost_comes_back_in_a_new_generation(tmp_path: Path) -> None:
    camera = Camera(frames_of(0, 2, gone()), frames_of(0, 0, gone("refused")), frames_of(0, 2))
    node, told = holding()
    run, marks = live_run(camera, tmp_path, ("odd", node))

    report = finished(run)

    assert (report.status, report.frames) == ("done", 4)
    assert marks.story == ["cam 0", "cam 0", "cam 1", "cam 1", "ended cam"]
    assert told == ["broken cam", "ended cam"]
    assert camera.opened == ["cam"] * 3


def test_nodes_hand_out_what_they_hold_when_a_stream_is_lost_and_not_when_it_comes_back(tmp_path: Path) -> None:
    node, told = holding()
    handed_out = threading.Event()
    node.stream_broken = lambda _, stream_id: (told.append(f"broken {stream_id}"), handed_out.set())[0]  # type: ignore[assignment]

    def late() -> Iterator[Any]:
        assert handed_out.wait(PATIENCE_S)  # before anything of the next connection
        yield frame(0)

    run, _ = live_run(Camera(frames_of(0, 1, gone()), late), tmp_path, ("odd", node))

    assert finished(run).frames == 2


def test_losses_without_a_frame_between_them_make_one_generation(tmp_path: Path) -> None:
    connections = [frames_of(0, 1, gone()), *[frames_of(0, 0, gone("refused"))] * 5, frames_of(0, 1)]
    run, marks = live_run(Camera(*connections), tmp_path)

    finished(run)

    assert marks.story == ["cam 0", "cam 1", "ended cam"]


def test_what_a_live_source_raises_by_mistake_is_a_loss_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run, marks = live_run(Camera(frames_of(0, 1, ZeroDivisionError("odd")), frames_of(0, 1)), tmp_path)

    assert finished(run).status == "done"
    assert marks.story == ["cam 0", "cam 1", "ended cam"]
    assert caplog.messages[0].startswith("failed: stream 'cam': ZeroDivisionError: odd; tried again in ")


def test_a_stall_is_seen_while_the_source_sits_in_a_call(tmp_path: Path) -> None:
    release, clock = threading.Event(), FakeClock()

    def stuck() -> Iterator[Any]:
        yield frame(0)
        assert release.wait(PATIENCE_S)  # a read that does not return
        yield frame(1)

    run, marks = live_run(Camera(stuck), tmp_path, clock=clock, stall_s=2)

    def look() -> None:
        until(lambda: status(run).state == "live")
        clock.ns += 2_000_000_001
        until(lambda: status(run).state == "stalled")
        release.set()
        until(lambda: len(marks.stamps) == 2)
        assert status(run).connections == 1

    during(run, look)
    assert marks.story == ["cam 0", "cam 0", "ended cam"]


def test_data_without_a_frame_is_a_loss_after_a_while(tmp_path: Path) -> None:
    clock = FakeClock()

    def trickle(item: Any) -> Callable[[], Iterator[Any]]:
        def connection() -> Iterator[Any]:
            while True:
                clock.ns += 200_000_000
                yield item

        return connection

    run, _ = live_run(
        Camera(trickle(None), trickle(Dropped("corrupt")), frames_of(0, 1)),
        tmp_path,
        clock=clock,
        give_up_s=3,
        stall_s=1,
    )
    report = finished(run)

    assert report.frames == 1
    assert report.dropped == {"corrupt": 10}
    assert run._readers.here()[0].life.losses == {"timeout": 1, "corrupt": 1}


def test_the_time_of_a_live_stream_goes_on_over_its_losses(tmp_path: Path) -> None:
    clock = FakeClock()

    def stamped(first_s: float) -> Callable[[], Iterator[Any]]:
        def connection() -> Iterator[Any]:
            for index in range(3):
                clock.ns += STEP_NS
                yield Frame(frame(0).picture, stamp=Stamp(round(first_s * 1e9) + index * STEP_NS))
            clock.ns += 10_000_000_000
            raise gone()

        return connection

    run, marks = live_run(Camera(stamped(0), stamped(5000)), tmp_path, clock=clock, max_frames=6, **AT_ONCE)

    finished(run)

    steps = [after - before for before, after in zip(marks.stamps, marks.stamps[1:], strict=False)]
    assert [round(step / 1e6) for step in steps[:2] + steps[3:]] == [40, 40, 40, 40]
    assert 10.03 < steps[2] / 1e9 < 10.1


def test_a_stamp_that_jumps_begins_a_new_generation(tmp_path: Path) -> None:
    clock = FakeClock()

    def jumps() -> Iterator[Any]:
        for stamp_s in (0, 0.04, 500, 500.04):
            clock.ns += STEP_NS
            yield Frame(frame(0).picture, stamp=Stamp(round(stamp_s * 1e9)))

    run, marks = live_run(Camera(jumps), tmp_path, clock=clock)

    finished(run)

    assert marks.story == ["cam 0", "cam 0", "cam 1", "cam 1", "ended cam"]


def test_frames_above_the_rate_of_a_live_stream_are_dropped_and_counted(tmp_path: Path) -> None:
    clock = FakeClock()

    def fast() -> Iterator[Any]:
        for index in range(20):
            clock.ns += STEP_NS
            yield Frame(frame(0).picture, stamp=Stamp(index * STEP_NS))

    run, _ = live_run(Camera(fast), tmp_path, clock=clock, values={"max_fps": 5})

    report = finished(run)

    assert (report.frames, report.dropped) == (4, {"rate_limit": 16})
    assert report.streams["cam"]["in"] == 20


def test_a_file_played_as_a_camera_comes_at_its_own_speed_and_ends(tmp_path: Path) -> None:
    clock, at = FakeClock(), []
    camera = Camera(frames_of(0, 4))
    marks = Marks()
    whole = graph(*chain(marks), source=camera.cls)
    run = runtime(whole, [stream("clip", live=True, realtime=True, when_full="wait")], tmp_path, clock=clock)

    original = run._admission.offer
    run._admission.offer = lambda *args: (at.append(clock.ns), original(*args))[1]  # type: ignore[method-assign]
    finished(run)

    assert [now - at[0] for now in at] == [0, STEP_NS, 2 * STEP_NS, 3 * STEP_NS]
    assert marks.stamps == [0, STEP_NS, 2 * STEP_NS, 3 * STEP_NS]


def test_a_broken_file_played_as_a_camera_is_given_up(tmp_path: Path) -> None:
    whole = graph(*chain(Log()), source=Camera(frames_of(0, 1, gone())).cls)
    report = runtime(whole, [stream("clip", live=True, realtime=True)], tmp_path, clock=FakeClock()).run(every_s=0.005)

    assert (report.status, report.error) == ("failed", "cam: gone")


def test_the_closing_table_tells_of_each_stream_where_its_frames_went(tmp_path: Path) -> None:
    camera = Camera(lambda: iter([frame(0), Dropped("corrupt", 2), frame(1)]))
    run, _ = live_run(camera, tmp_path)

    table = finished(run).table()

    assert "stream        in =      out + dropped\ncam            4 =        2 + 2 (corrupt 2)\n" in table


def test_packets_that_are_late_are_not_decoded(tmp_path: Path) -> None:
    clock, decoded = FakeClock(), []

    def read(source: Any) -> Iterator[Any]:
        for index in range(120):
            clock.ns += STEP_NS if index < 20 else 2 * STEP_NS if index < 45 else STEP_NS // 4
            cause = source.gate.admit(index * STEP_NS, index % 5 == 0)
            decoded.append(cause is None)
            yield Dropped(cause) if cause else Frame(frame(0).picture, stamp=Stamp(index * STEP_NS))

    marks = Marks()
    whole = graph(*chain(marks), source=source_class(read, is_live=lambda url: True))
    cam = stream("cam", live=True, when_full="wait", max_age_ms=400)
    report = finished(runtime(whole, [cam], tmp_path, clock=clock))

    late = report.dropped["decoder_late"]
    assert 15 < late < 70
    assert decoded[:24] == [True] * 24 and decoded[-5:] == [True] * 5
    assert report.edges["frames"]["in"] == 120 == len(decoded)
