"""A real run is steered from the threads of its sources, and its recording replays what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import config_from
from pipeline.control.steering import Steering
from pipeline.errors import RefusedError
from pipeline.yaml_source import parse_yaml
from tests.pipeline.changing import SHELF, Story, steered
from tests.pipeline.rig import runtime, stream


def test_a_run_that_is_steered_is_replayed_as_it_was_steered(tmp_path: Path) -> None:
    live, again = Story(), Story()
    told: list[Any] = []
    desk: list[Steering] = []

    def refused() -> None:
        with pytest.raises(RefusedError, match=r"^more\.name: cannot change while the graph runs, because "):
            desk[0].configure({"times.factor": 9, "more.name": "x"})

    def add() -> None:
        desk[0].add("late", {"url": "late", "when_full": "wait", "aois": {"door": SHELF}})

    steps = {
        2: lambda: told.append(desk[0].configure({"times.factor": 3, "streams.a.aois.tea": SHELF})),
        3: refused,
        4: add,
        6: lambda: told.append(desk[0].configure({"streams.a.aois.tea": None, "streams.late.hfov_deg": 60})),
        8: lambda: told.append(desk[0].reload()),
    }
    streams = [stream("a", live=True, when_full="wait")]
    whole = steered(live, steps)
    edges = {"times": tmp_path}
    run = runtime(whole, streams, tmp_path, record=edges)
    config, _ = config_from(parse_yaml("", "config.yaml"))
    desk.append(Steering(run, whole, config, lambda: (whole, config, streams), root=tmp_path))

    report = run.run()
    again_report = runtime(steered(again, {}), streams, tmp_path, replay=edges).run()

    assert (report.status, again_report.status) == ("done", "done")
    assert told == [
        ["streams.a.aois.tea", "times.factor"],
        ["streams.a.aois.tea", "streams.late.hfov_deg"],
        ["times.factor"],
    ]
    assert {row[2] // 100 for row in live if row[0] == "a" and row[1] // 40_000_000 in range(2, 8)} == {3}
    assert {row[2] // 100 for row in live if row[0] == "a" and row[1] // 40_000_000 in (0, 1, 8, 11)} == {1}
    assert {tuple(row[4]) for row in live if row[0] == "a"} == {(), ("tea",)}
    assert {tuple(row[4]) for row in live if row[0] == "late"} == {("door",)}
    assert again == live
