"""Two loops and the graph do the same work; ratios are taken within a round."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import machine, speed, speed_run
from benchmarks.graph_runs import shipped_graph, shipped_stream
from benchmarks.looped import write_looped
from benchmarks.machine import LoadOfOthers, busy_s, own_s, resident_bytes
from benchmarks.plain_loop import run_loop
from benchmarks.results import ROOT
from benchmarks.speed import compare, main, memory
from benchmarks.speed_run import retail
from nodes.decode_video import Config, DecodeVideo
from pipeline.errors import ConfigError, PipelineError
from pipeline.frames import Stream
from pipeline.node import Frame
from pipeline.streams import StreamConfig
from tests.clips import write_clip
from tests.helpers import FakeContext


def run(fps: float, cpu_ms: float, engine_ms: float = 0.0) -> dict[str, float]:
    return {"frames": 100, "elapsed_s": 100 / fps, "cpu_s": cpu_ms / 10, "engine_cpu_s": engine_ms / 10}


def test_graph_and_loop_write_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = ROOT / "scenes" / "demo" / "shop.mp4"
    at_once = [
        "looks.min_look_s=0",
        "looks.min_visit_s=0",
        "looks.enter_score=0",
        "hits.min_score=0",
    ]
    endpoint = f"bus.endpoint=ipc://{tmp_path}/bus"
    monkeypatch.setattr(speed_run, "retail", lambda threads: shipped_graph(speed_run.NODES, [*at_once, endpoint]))

    by_graph = speed_run.graph_run(clip, 4, tmp_path / "graph")
    by_loop = run_loop(speed_run.retail(1)[0], shipped_stream(clip), tmp_path / "loop", threads=1, max_frames=4)

    assert by_graph["frames"] == by_loop.frames == 4
    for name in ("annotated.mp4", "events.jsonl"):
        assert (tmp_path / "graph/shop" / name).read_bytes() == (tmp_path / "loop/shop" / name).read_bytes()
    assert "look.ended" in (tmp_path / "loop/shop/events.jsonl").read_text()


def test_a_loop_wants_enough_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 2)
    graph, _ = retail(threads=1)

    with pytest.raises(PipelineError) as error:
        run_loop(graph, shipped_stream(clip), tmp_path, threads=None, max_frames=3)

    assert str(error.value) == f"{clip}: expected 3 frames, got 2; take fewer"


def test_ratios_are_within_rounds_against_the_faster_loop() -> None:
    quiet = {"graph": run(40, 50, 1), "one_thread": run(20, 48), "defaults": run(25, 60)}
    slow = {"graph": run(20, 50, 1), "one_thread": run(16, 50), "defaults": run(10, 60)}
    slower = {"graph": run(10, 60, 1), "one_thread": run(10, 50), "defaults": run(5, 60)}

    figures = compare([quiet, slow, slower])

    assert figures == {
        "throughput_ratio": 1.25,
        "cpu_ratio": 1.0417,
        "graph_fps": 20.0,
        "sequential_fps": 16.0,
        "engine_cpu_share": 0.02,
        "cpu_ms_per_frame": 50.0,
    }


def test_memory_is_that_after_a_minute_of_input_and_at_the_end() -> None:
    mib = 2**20

    figures = memory([(0.0, 50 * mib), (59.0, 90 * mib), (60.5, 100 * mib), (300.0, 400 * mib), (599.0, 102 * mib)])

    assert figures == {"memory_mib_at_1_min": 100.0, "memory_mib_at_end": 102.0, "memory_growth": 1.02}


def test_a_looped_clip_goes_on_evenly(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 10)  # 0.4 s, with B-frames

    count = write_looped(clip, 1.0, tmp_path / "b.mp4")

    stream = Stream("b", StreamConfig(url=str(tmp_path / "b.mp4")))
    frames = [item for item in DecodeVideo(Config(), FakeContext(), stream).frames() if isinstance(item, Frame)]
    assert count == len(frames) == 30
    assert set(np.diff([frame.pts_ns for frame in frames]).tolist()) == {40_000_000}


def test_busy_time_leaves_out_idling_and_what_is_counted_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 20 30 9000 800 1 2 7 50 60\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    monkeypatch.setattr(machine, "_PROC_STAT", stat)

    assert busy_s() == pytest.approx(160 / machine.os.sysconf("SC_CLK_TCK"))


def test_the_load_is_that_of_others_and_not_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    own = iter([1.0, 1.5, 4.6])
    everybody = iter([100.0, 103.5, 103.5])
    clock = iter([10.0, 12.0, 12.0])
    monkeypatch.setattr(machine, "busy_s", lambda: next(everybody))
    monkeypatch.setattr(machine, "own_s", lambda: next(own))
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))

    load = LoadOfOthers()

    assert [load.cores(), load.cores()] == [1.5, 0.0]


def test_what_this_process_holds_and_used_is_known() -> None:
    assert resident_bytes() > 2**20
    assert own_s() > 0


def test_other_systems_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_PROC_STAT", tmp_path / "none")

    with pytest.raises(ConfigError) as error:
        busy_s()

    assert str(error.value) == (
        f"{tmp_path / 'none'}: expected to read the load, got: No such file or directory; use Linux"
    )


def test_a_run_for_memory_takes_two_minutes_of_input_or_none() -> None:
    with pytest.raises(ConfigError) as error:
        main(["--minutes", "1"])

    assert str(error.value) == "--minutes: expected 0 or 2 and more, got 1.0"


def machine_with(monkeypatch: pytest.MonkeyPatch, loads: list[float]) -> list[str]:
    """Have others keep that many cores busy before and during each run in turn; return where runs will be listed."""
    runs = {"graph": run(40, 50, 1) | {"memory": []}, "one_thread": run(20, 50), "defaults": run(25, 60), "models": {}}
    done: list[str] = []
    cores = iter(loads)

    def in_a_process(kind: str, clip: Path, frames: int) -> dict[str, object]:
        done.append(kind)
        return dict(runs[kind])

    monkeypatch.setattr(speed, "SAMPLED_S", 0)
    monkeypatch.setattr(speed.LoadOfOthers, "cores", lambda self: next(cores))
    monkeypatch.setattr(speed, "_in_a_process", in_a_process)
    return done


def test_disturbed_rounds_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, during = [0.1, 0.2, 0.31, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.31]
    done = machine_with(monkeypatch, [*before, *during, *[0.3] * 6])

    assert main(["--rounds", "1", "--frames", "1", "--minutes", "0", "--out", str(tmp_path)]) == 0

    figures = json.loads((tmp_path / "speed.json").read_text())
    assert (figures["load_before"], figures["load_during"], figures["void"]) == (0.3, 0.3, False)
    assert figures["throughput_ratio"] == 1.6
    forth = ["graph", "one_thread", "defaults"]
    assert done == [*forth, *forth[::-1], *forth, "models"]


def test_figures_of_a_machine_that_stays_busy_are_void(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine_with(monkeypatch, [0.0, 0.0, 0.0, 0.0, 0.0, 0.4] * 3)

    assert main(["--rounds", "1", "--frames", "1", "--minutes", "0", "--out", str(tmp_path)]) == 0

    figures = json.loads((tmp_path / "speed.json").read_text())
    assert (figures["load_before"], figures["load_during"], figures["void"]) == (0.0, 0.4, True)
    assert len(figures["details"]["rounds"]) == 3
    assert capsys.readouterr().out.startswith(
        "void: other processes kept more than 0.3 cores busy, see load_before, load_during\n"
    )


def test_the_detector_is_timed_on_frames_with_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_run, "_MODEL_RUNS", 2)
    monkeypatch.setattr(speed_run.os, "sched_setaffinity", lambda *_: None)

    figures = speed_run.model_times(speed.CLIP)

    assert figures["detector_heads"] >= 1
    assert min(figures["detector_ms"], figures["detector_ms_own_size"]) > 0
