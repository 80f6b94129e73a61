"""Metrics: each shows what it is about, and frames that do not add up are seen."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.control.metrics import METRICS, PREFIX, exposition
from pipeline.control.process import ProcessFigures, process_figures
from pipeline.status import AgeHistogram, RunStatus, StreamState
from tests.pipeline.control.fake_run import DOOR, RUN

COSTS = ProcessFigures(resident_memory_bytes=4096, cpu_seconds_total=1.5, threads=7, open_files=9)
LABELS = {metric.name: metric.labels + (("le",) if metric.kind == "histogram" else ()) for metric in METRICS}


def scraped(status: RunStatus = RUN) -> dict[tuple[str, ...], float]:
    """Return all samples by name and values of labels, the latter in the order in which they are declared."""
    text = exposition(status, COSTS, "1.2.3", "3.11.7").decode()
    return {
        (sample.name.removeprefix(PREFIX), *map(str, sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_said_of_a_run() -> None:
    told = scraped()

    assert {key: value for key, value in told.items() if key[0].startswith(("run_", "frames_", "removed_"))} == {
        ("run_info", "graphs/retail.yaml"): 1,
        ("run_running",): 1,
        ("run_failed",): 0,
        ("run_seconds",): 9.5,
        ("frames_out_total",): 80,
        ("removed_frames_in_total",): 9,
        ("removed_frames_out_total",): 7,
        ("removed_frames_dropped_total", "removed"): 2,
    }


def test_what_is_said_of_a_node() -> None:
    told = scraped()

    assert {key[0]: value for key, value in told.items() if key[1:2] == ("looks",) and len(key) == 2} == {
        "node_ticks_total": 85,
        "node_frames_total": 84,
        "node_rows_total": 6,
        "node_wall_seconds_total": 0.5,
        "node_cpu_seconds_total": 0.25,
        "node_frames_in_total": 85,
        "node_frames_out_total": 80,
        "node_frames_in_flight": 3,
        "node_frames_unaccounted": 0,
        "queue_capacity_ticks": 2,
        "queue_waiting_ticks": 1,
        "queue_peak_ticks": 2,
        "sink_spilled_ticks_total": 3,
        "sink_failures_total": 4,
    }
    assert told["node_info", "looks", "measure_looks"] == 1


def test_what_is_said_of_a_stream() -> None:
    told = scraped()

    assert {key[0]: value for key, value in told.items() if key[1:] == ("door",)} == {
        "stream_state_seconds": 3.0,
        "stream_live": 1,
        "stream_connections_total": 2,
        "stream_generation": 7,
        "stream_frames_in_total": 100,
        "stream_frames_out_total": 80,
        "stream_frames_in_flight": 3,
        "stream_frames_unaccounted": 0,
        "stream_last_out_seconds": 0.25,
        "stream_clock_drift_ratio": 12.5e-6,
    }


@pytest.mark.parametrize("state", get_args(StreamState))
def test_one_state_of_a_stream_is_1(state: StreamState) -> None:
    text = exposition(replace(RUN, streams=(replace(DOOR, state=state),)), COSTS, "1", "3").decode()

    found = {
        sample.labels["state"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "gazegraph_stream_state"
    }

    assert found == {each: float(each == state) for each in get_args(StreamState)}


def test_losses_and_drops_have_their_causes() -> None:
    text = exposition(RUN, COSTS, "1", "3").decode()

    for line in (
        'gazegraph_stream_losses_total{reason="refused",stream="door"} 4.0',
        'gazegraph_stream_frames_dropped_total{cause="not_newest",stream="door"} 15.0',
        'gazegraph_node_frames_dropped_total{cause="error:looks",node="looks"} 2.0',
    ):
        assert line in text.splitlines()


def test_the_next_try_is_told_while_a_stream_backs_off() -> None:
    told = scraped(replace(RUN, streams=(replace(DOOR, state="backing_off", next_try_s=4.5, last_out_s=None),)))

    assert told["stream_next_try_seconds", "door"] == 4.5
    assert ("stream_next_try_seconds", "door") not in scraped()
    assert ("stream_last_out_seconds", "door") not in told


def test_ages_are_cumulated() -> None:
    told = scraped()

    assert {key[1:] or key[0]: value for key, value in told.items() if key[0].startswith("age_at_sink")} == {
        ("0.1",): 70,
        ("0.5",): 78,
        ("+Inf",): 80,
        "age_at_sink_seconds_count": 80,
        "age_at_sink_seconds_sum": 6.5,
    }


def test_frames_that_do_not_add_up_are_seen() -> None:
    lost_one = {"looks": RUN.edges["looks"] | {"in": 86}}

    told = scraped(replace(RUN, edges=lost_one, streams=(replace(DOOR, frames_out=82),)))

    assert told["node_frames_unaccounted", "looks"] == 1
    assert told["stream_frames_unaccounted", "door"] == -2


def test_costs_of_the_process_are_told_where_they_are_known() -> None:
    unknown = replace(COSTS, resident_memory_bytes=None, open_files=None)

    def of_process(costs: ProcessFigures) -> dict[str, float]:
        text = exposition(RUN, costs, "1", "3").decode()
        return {
            sample.name.removeprefix("gazegraph_process_"): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if "process" in sample.name
        }

    assert of_process(COSTS) == {"resident_memory_bytes": 4096, "cpu_seconds_total": 1.5, "threads": 7, "open_files": 9}
    assert of_process(unknown) == {"cpu_seconds_total": 1.5, "threads": 7}


def test_costs_are_those_of_this_process() -> None:
    """Many at once, because threads and files of tests before may end meanwhile."""
    before = process_figures()
    with ExitStack() as files:
        for _ in range(50):
            files.enter_context(open(os.devnull))
        more_files = process_figures()
    waiting = threading.Event()
    threads = [threading.Thread(target=waiting.wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    more_threads = process_figures()
    waiting.set()
    for thread in threads:
        thread.join()

    assert 40 < more_threads.threads - before.threads <= 50
    assert more_threads.cpu_seconds_total >= before.cpu_seconds_total > 0
    if before.open_files is not None and more_files.open_files is not None:
        assert 40 < more_files.open_files - before.open_files <= 50
        assert before.resident_memory_bytes and 1e6 < before.resident_memory_bytes < 1e11


def test_the_listing_of_open_files_is_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "statm").write_text("100 3 2 1 0 9 0\n")
    for name in ("fd/0", "fd/1", "fd/2", "task/7"):
        (tmp_path / name).mkdir(parents=True)

    told = process_figures(tmp_path)

    assert (told.open_files, told.threads, told.resident_memory_bytes) == (2, 1, 3 * os.sysconf("SC_PAGE_SIZE"))
    assert process_figures(tmp_path / "none").open_files is None


def test_metrics_are_told_as_they_are_declared() -> None:
    text = exposition(replace(RUN, streams=(replace(DOOR, next_try_s=1.0),)), COSTS, "1.2.3", "3.11.7").decode()

    for family in text_string_to_metric_families(text):
        name = family.name.removeprefix(PREFIX) + ("_total" if family.type == "counter" else "")
        assert family.documentation
        for sample in family.samples:
            if not sample.name.endswith(("_count", "_sum")):
                assert set(sample.labels) == set(LABELS[name]), name
    assert [line.split()[2].removeprefix(PREFIX) for line in text.splitlines() if line.startswith("# TYPE")] == [
        metric.name for metric in METRICS
    ]


def test_names_follow_the_rules_of_prometheus() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert not metric.name.endswith(("_ms", "_mb", "_ns", "_s")), metric.name


def test_strange_names_do_not_break_the_format() -> None:
    status = replace(RUN, graph='a"b\\c\nd', age=AgeHistogram((0.1,), (0, 0), 0.0))

    assert scraped(status)["run_info", 'a"b\\c\nd'] == 1
