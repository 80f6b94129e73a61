"""What a run tells of itself, while it goes on and at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.joined_report import joined
from pipeline.node import Frame
from pipeline.report import Snapshot
from tests.helpers import list_source
from tests.pipeline.rig import (
    STEP_NS,
    Log,
    chain,
    clip,
    copy,
    graph,
    node_class,
    run,
    runtime,
    source_class,
    stream,
)


def test_snapshots_tell_how_far_a_run_is(tmp_path: Path):
    def read(self: Any) -> Iterator[Frame]:
        self.duration_ns = 5 * STEP_NS
        yield from clip(5)  # type: ignore[misc]

    source = source_class(read)
    snapshots: list[Snapshot] = []

    runtime(graph(*chain(Log()), source=source), [stream()], tmp_path).run(snapshots.append)

    last = snapshots[-1]
    assert last.frames == 5
    assert last.pts_ns == {"shop": 4 * STEP_NS}
    assert last.duration_ns == {"shop": 5 * STEP_NS}
    assert last.last_rows == {"frames": 0, "stamps": 0, "log": 0}
    assert last.total_rows == {"frames": 5, "stamps": 5, "log": 0}
    assert last.fps == pytest.approx(5 / last.elapsed_s, rel=0.01)


def test_a_report_tells_what_nodes_and_queues_did(tmp_path: Path):
    report = run({"shop": clip(5)}, tmp_path, *chain(Log(), ("a", node_class(copy))))
    told = report.to_dict()

    assert [node.name for node in report.nodes] == ["frames", "stamps", "a", "log"]
    assert [(node.type, node.ticks, node.frames, node.rows) for node in report.nodes[1:3]] == [
        ("type_stamps", 7, 5, 5),
        ("type_a", 7, 5, 5),
    ]
    assert [queue["passed"] for queue in report.queues.values()] == [7, 7]
    assert list(report.queues) == ["a", "log"]
    assert 1 <= report.queues["a"]["peak"] <= report.queues["a"]["capacity"] == 2
    assert report.transit["max_ms"] >= report.transit["p50_ms"] > 0
    assert report.age_at_sink == {}
    assert told["nodes"]["a"]["rows"] == 5
    assert told["edges"]["log"] == {"in": 5, "out": 5, "dropped": {}, "in_flight": 0}
    assert report.table().splitlines()[-1].startswith("done: 5 frames in ")


def test_frames_that_do_not_add_up_fail_the_run(tmp_path: Path):
    whole: Any = runtime(graph(*chain(Log()), source=list_source({"shop": clip(2)})), [stream()], tmp_path)
    whole._ledger.came("stamps", 1)

    report = whole.run()

    assert report.status == "failed"
    assert report.error == (
        "node 'stamps': 3 frames came, 2 went, 0 were dropped, 1 are missing\n"
        "between 'frames' and 'stamps': 2 frames left, 3 came"
    )


def test_what_crossed_in_two_passes_is_added_up(tmp_path: Path):
    report = run({"shop": clip(2)}, tmp_path, *chain(Log()))
    first = replace(report, crossed={"a: to_host values": {"copies": 2, "bytes": 10}})
    second = replace(
        report, crossed={"a: to_host values": {"copies": 1, "bytes": 5}, "b: to_host values": {"copies": 1, "bytes": 1}}
    )

    both = joined([node.name for node in report.nodes], first, second, read_again=True)

    assert both.crossed == {
        "a: to_host values": {"copies": 3, "bytes": 15},
        "b: to_host values": {"copies": 1, "bytes": 1},
    }
