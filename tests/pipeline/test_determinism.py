"""The same input gives the same events, byte for byte, whatever the threads do and however ticks are cut."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from pipeline.edge_files import EdgeFiles
from pipeline.tick import Tick
from pipeline.values import Value, equal
from tests.pipeline.retail import events, measures, render, retail
from tests.pipeline.rig import adds_up
from tests.repository import ROOT


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def undisturbed(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    report = retail(shop, out).run()
    assert (report.status, report.error) == ("done", None)
    return out


@pytest.fixture(scope="module")
def expected(undisturbed: Path) -> bytes:
    assert len(events(undisturbed).splitlines()) >= 4
    return events(undisturbed)


@pytest.fixture(scope="module")
def expected_measures(undisturbed: Path) -> bytes:
    assert b'"measure":"watchers.1","value":0.0' not in measures(undisturbed)
    return measures(undisturbed)


@pytest.fixture
def jumpy() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


class Witness:
    """Copies each value when it is made, gives the processor away for a random while, and compares at the end."""

    def __init__(self, seed: int) -> None:
        self._seen: list[tuple[str, Value, Value, list[tuple[Any, Any]]]] = []
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()

    def see(self, name: str, tick: Tick) -> None:
        if name not in tick.slots:  # a sink
            return
        value: Any = tick.slots[name].value
        copied = value.take(np.arange(len(value)))
        planes = [(plane, plane.copy()) for each in getattr(value, "pictures", ()) for plane in each.planes]
        with self._lock:
            self._seen.append((name, value, copied, planes))
            turns = int(self._rng.integers(0, 200))
        for _ in range(turns):
            os.sched_yield()

    def seen(self) -> set[str]:
        return {name for name, *_ in self._seen}

    def changed(self) -> set[str]:
        return {
            name
            for name, value, copied, planes in self._seen
            if not equal(value, copied) or any(not np.array_equal(now, then) for now, then in planes)
        }


@pytest.mark.usefixtures("jumpy")
@pytest.mark.parametrize("seed", [1, 2])
def test_events_do_not_depend_on_when_threads_run_and_no_value_changes_after_it_was_made(
    shop: Path,
    expected: bytes,
    expected_measures: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
):
    witness = Witness(seed)
    monkeypatch.setattr(EdgeFiles, "write_down", lambda files, name, tick: witness.see(name, tick))

    report = retail(shop, tmp_path, stage="new").run()

    assert (report.status, report.error) == ("done", None)
    assert (events(tmp_path), measures(tmp_path)) == (expected, expected_measures)
    assert witness.seen() >= {"frames", "people", "tracks", "gaze", "steady", "hits", "looks", "attention"}
    assert witness.changed() == set()


@pytest.mark.parametrize(
    ("stage", "engine"),
    [("same", {"ticks_in_flight": 1}), (None, {"batch_size": 4}), ("new", {"batch_size": 3, "ticks_in_flight": 2})],
)
def test_events_do_not_depend_on_how_the_graph_is_run(
    shop: Path, expected: bytes, expected_measures: bytes, tmp_path: Path, stage: Any, engine: dict[str, int]
):
    retail(shop, tmp_path, stage=stage, engine=engine).run()

    assert (events(tmp_path), measures(tmp_path)) == (expected, expected_measures)


def test_streams_in_one_batch_give_what_each_gives_alone(
    shop: Path, expected: bytes, expected_measures: bytes, tmp_path: Path
):
    report = retail(shop, tmp_path, engine={"batch_size": 4}, streams=("door", "shop", "till")).run()

    assert (report.status, report.frames) == ("done", 75)
    assert report.nodes[1].ticks < 75 / 2  # frames of several streams in most of them
    assert (events(tmp_path), measures(tmp_path)) == (expected, expected_measures)
    for other in ("door", "till"):
        assert (tmp_path / other / "events.jsonl").read_bytes().replace(other.encode(), b"shop") == expected


def test_events_do_not_depend_on_who_else_reads_along(shop: Path, expected: bytes, tmp_path: Path):
    report = retail(shop, tmp_path, without=()).run()

    assert report.status == "done"
    assert events(tmp_path) == expected
    assert (tmp_path / "shop/annotated.mp4").stat().st_size > 0


def test_events_of_a_run_keep_the_published_schema_and_tell_what_made_them(expected: bytes):
    schema = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/event.schema.json").read_text("utf-8")))
    told = [json.loads(line) for line in expected.splitlines()]

    for event in told:
        schema.validate(event)
    assert [event["sequence"] for event in told] == [f"0000000000.{number:010d}" for number in range(len(told))]
    assert {event["source"] for event in told} == {"retail/shop"}
    for data in (event["data"] for event in told):
        assert data["models"] == {
            card: f"sha256:{hashlib.sha256((ROOT / 'models' / f'{card}.onnx').read_bytes()).hexdigest()[:12]}"
            for card in ("gaze-shop-480", "people-shop-480")
        }
        assert data["config"] == told[0]["data"]["config"]


# recordings


@pytest.fixture(scope="module")
def recordings(shop: Path, expected: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the edges `tracks` and `hits`."""
    folder = tmp_path_factory.mktemp("recordings")
    retail(shop, folder / "out", record={"tracks": folder, "hits": folder}).run()
    assert events(folder / "out") == expected
    return folder


def test_the_rest_can_be_run_from_recorded_tracks(shop: Path, expected: bytes, recordings: Path, tmp_path: Path):
    report = retail(shop, tmp_path, without=(), replay={"tracks": recordings}).run()

    assert (report.status, report.error) == ("done", None)
    assert events(tmp_path) == expected
    assert "tracks" not in report.edges
    assert report.edges["gaze"]["in"] == report.frames == 25


def test_events_can_be_made_from_recorded_hits_without_a_picture(
    expected: bytes, expected_measures: bytes, recordings: Path, tmp_path: Path
):
    report = retail(Path("gone.mp4"), tmp_path, replay={"hits": recordings, "tracks": recordings}).run()

    assert (report.status, report.error) == ("done", None)
    assert (events(tmp_path), measures(tmp_path)) == (expected, expected_measures)
    assert list(report.edges) == ["frames", "looks", "attention", "log"]


def test_a_recording_that_was_cut_off_gives_the_events_up_to_the_cut(
    expected: bytes, recordings: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    whole = (recordings / "hits.ticks").read_bytes()
    (tmp_path / "hits.ticks").write_bytes(whole[: len(whole) // 2])

    report = retail(Path("gone.mp4"), tmp_path, replay={"hits": tmp_path, "tracks": recordings}).run()

    lines, all_lines = events(tmp_path).splitlines(), expected.splitlines()
    assert report.status == "done"
    assert lines[0] == all_lines[0]
    named = [json.loads(line)["id"].rpartition("/") for line in lines]
    started, over = ({v for v, _, kind in named if kind in kinds} for kinds in (["started"], ["ended", "retracted"]))
    assert started == over  # what was open at the cut is over there, told as an end or taken back
    assert set(lines) - set(all_lines)  # something was open
    assert [record.getMessage() for record in caplog.records if record.name == "pipeline.recording"] == [
        f"{tmp_path}/hits.ticks: the last tick is cut off; the recording ends before it"
    ]


# full disk


def test_a_log_on_a_full_disk_fails_the_run_with_one_sentence(shop: Path, recordings: Path, tmp_path: Path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/events.jsonl").symlink_to("/dev/full")

    report = retail(shop, tmp_path, replay={"hits": recordings, "tracks": recordings}).run()

    assert report.status == "failed"
    assert report.error is not None
    assert report.error.startswith("node 'log' (write_events): stream 'shop', pts ")
    assert report.error.endswith(
        f" s: {tmp_path}/shop/events.jsonl: expected to write, got a full disk; free space or give another folder "
        "with --out; what was written stays readable"
    )
    assert len(report.error.splitlines()) == 1


def test_lines_before_the_disk_was_full_stay_readable(expected: bytes, recordings: Path, tmp_path: Path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    lines = expected.splitlines(keepends=True)
    told_s = [json.loads(line)["data"]["known_s"] for line in lines]
    at_once = len(b"".join(line for line, at_s in zip(lines, told_s, strict=True) if at_s == told_s[0]))
    assert at_once < len(expected)
    resource.setrlimit(resource.RLIMIT_FSIZE, (at_once + 40, limits[1]))
    try:
        report = retail(Path("gone.mp4"), tmp_path, replay={"hits": recordings, "tracks": recordings}).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert report.status == "failed"
    assert events(tmp_path) == expected[:at_once]
    assert adds_up(report.edges)
