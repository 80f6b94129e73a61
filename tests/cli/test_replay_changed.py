"""A run whose values changed while it went on is replayed to the same bytes, changes and all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import cli.run
from cli import program
from pipeline.frames import Stream
from pipeline.node import SourceItem
from pipeline.runtime import Runtime
from pipeline.streams import StreamConfig
from tests.cli import made_up
from tests.pipeline.rig import PATIENCE_S

LEFT, RIGHT = ([[x, 0], [x + 0.4, 0], [x + 0.4, 1], [x, 1]] for x in (0, 0.6))


class Steered:
    """A run in whose sources things are done before certain frames of stream a, for which the others wait."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.steps: dict[int, Callable[[Runtime], None]] = {}
        self.done: dict[int, threading.Event] = {}

    def at(self, stream_id: str, index: int) -> None:
        if stream_id == "a" and index in self.steps and self.runtime:
            self.steps.pop(index)(self.runtime)
            self.done[index].set()
        elif index in self.done:
            assert self.done[index].wait(PATIENCE_S)


@pytest.fixture
def steered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up_nodes: None) -> Steered:
    """Return what steers; the current folder has a graph and cameras a and b."""
    made, read = Steered(), made_up.ReadNothing.frames

    def frames(self: Any) -> Iterator[SourceItem]:
        for index, item in enumerate(read(self)):
            made.at(self.stream.id, index)
            yield item

    monkeypatch.setattr(made_up.ReadNothing, "frames", frames)

    class Kept(Runtime):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.runtime = self

    monkeypatch.setattr(cli.run, "Runtime", Kept)
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, a={"url": "live://me:secret@8"}, b={"url": "live://8"})
    return made


def run(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> list[str]:
    """Run the program and return what is told of event logs."""
    capsys.readouterr()
    assert program.main(argv) == code, capsys.readouterr()
    return [line for line in capsys.readouterr().out.splitlines() if "jsonl:" in line]


def record(capsys: pytest.CaptureFixture[str], steered: Steered, **steps: Callable[[Runtime], None]) -> None:
    """Record a run in which something is done at frames of stream a: `at_20=...`."""
    steered.steps = {int(name.removeprefix("at_")): step for name, step in steps.items()}
    steered.done = {index: threading.Event() for index in steered.steps}
    run(capsys, "graphs/two.yaml", "--record", "rec")
    assert not steered.steps


def events(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


def same(*names: str) -> list[str]:
    logs = [f"{name}/{log}.jsonl" for name in names for log in ("events", "measures")]
    return [f"{log}: {len(events(f'out/two/{log}'))} events, the same bytes" for log in logs]


def configs(path: str) -> list[str]:
    """Return the configurations that made the events of a log, in order."""
    return list(dict.fromkeys(event["data"]["config"] for event in events(path)))


def with_areas(runtime: Runtime, **aois: Any) -> None:
    """Give stream a other areas."""
    config = runtime.streams()["a"].config
    runtime.configure({"a": StreamConfig.model_validate({**config.model_dump(), "aois": aois})}, {})


def test_thresholds_areas_and_nodes_above_the_cut_that_changed(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    record(
        capsys,
        steered,
        at_20=lambda run: run.configure({}, {"looks": {"min_look_s": 0.6, "update_s": 0.0}}),
        at_40=lambda run: with_areas(run, far={"polygon": RIGHT, "level": 2}, left=LEFT),
        at_60=lambda run: run.configure({}, {"gaze": {"fails_s": [100.0, 101.0]}, "hits": {"rival_share": 0.9}}),
    )

    assert run(capsys, "replay", "rec", "--assert") == same("a", "b")
    assert len(configs("out/two/a/events.jsonl")) == 4
    assert len(configs("out/two/b/events.jsonl")) == 3
    a = events("out/two/a/events.jsonl")
    assert {event["data"]["target"] for event in a} == {"left", "right", "far"}
    assert len(a) > 10


def test_the_manifest_tells_the_values_of_the_beginning_and_no_password_is_kept(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    record(
        capsys,
        steered,
        at_20=lambda run: run.configure({}, {"looks": {"min_look_s": 0.6}}),
        at_40=lambda run: with_areas(run, left=LEFT),
    )

    manifest = json.loads(Path("rec/recording.json").read_text("utf-8"))
    assert manifest["values"]["looks"]["min_look_s"] == 0.3
    assert list(manifest["streams"]["a"]["config"]["aois"]) == ["left", "right"]
    assert b"secret" not in b"".join(path.read_bytes() for path in Path("rec").rglob("*") if path.is_file())


def test_an_area_that_goes_ends_its_visits_as_if_nobody_looked_any_more(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    record(capsys, steered, at_20=lambda run: with_areas(run, left=LEFT))

    a = events("out/two/a/events.jsonl")
    last = [event for event in a if event["data"]["target"] == "right"][-1]
    assert (last["type"], last["data"]["reason"]) == ("io.gazegraph.look.ended", "looked_away")
    assert last["data"]["end_s"] <= 2.1
    assert last["data"]["known_s"] == pytest.approx(last["data"]["end_s"] + 0.6)
    assert [event["data"]["target"] for event in a][-1] == "left"
    assert run(capsys, "replay", "rec", "--assert") == same("a", "b")


def test_a_stream_that_was_added_is_replayed_and_replayed_again(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    late = StreamConfig(url="live://4", aois={"late": LEFT}, when_full="wait", start_time="2024-05-01T12:00:00Z")
    record(capsys, steered, at_30=lambda run: run.add_stream(Stream("late", late, True)))

    assert {event["data"]["target"] for event in events("out/two/late/events.jsonl")} == {"late"}
    run(capsys, "replay", "rec", "--set", "looks.update_s=0.2")  # leaves other events of it
    for _ in range(2):
        assert sorted(run(capsys, "replay", "rec", "--assert")) == sorted(same("a", "b", "late"))


@pytest.mark.parametrize("how", ["set", "config"])
def test_a_value_given_by_hand_holds_to_the_end(how: str, steered: Steered, capsys: pytest.CaptureFixture[str]) -> None:
    record(capsys, steered, at_20=lambda run: run.configure({}, {"looks": {"min_look_s": 2.0}}))
    changed = len(events("out/two/a/events.jsonl"))

    options = ["--set", "looks.min_look_s=0.3"] if how == "set" else ["--config", "configs/two.yaml"]
    run(capsys, "replay", "rec", *options)

    again = events("out/replay/rec/a/events.jsonl")
    assert len(again) > changed
    assert len(configs("out/replay/rec/a/events.jsonl")) == 1


def test_what_decides_on_pictures_follows_the_recording_in_any_case(
    steered: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    def mask(run: Runtime) -> None:
        config = run.streams()["a"].config
        run.configure({"a": StreamConfig.model_validate({**config.model_dump(), "masks": [LEFT]})}, {})

    record(capsys, steered, at_20=mask)

    assert run(capsys, "replay", "rec", "--assert", "--config", "configs/two.yaml") == same("a", "b")
    assert len(configs("out/two/a/events.jsonl")) == 2


def test_an_area_given_by_hand_stays_while_others_change(steered: Steered, capsys: pytest.CaptureFixture[str]) -> None:
    record(capsys, steered, at_20=lambda run: with_areas(run, far=RIGHT))

    run(capsys, "replay", "rec", "--set", f"streams.a.aois.mine={LEFT}")

    story = [event["data"]["target"] for event in events("out/replay/rec/a/events.jsonl")]
    assert {"mine", "right", "far"} <= set(story)
    assert set(story[-4:]) == {"mine", "far"}


def test_another_value_holds_beside_those_that_change(steered: Steered, capsys: pytest.CaptureFixture[str]) -> None:
    record(capsys, steered, at_20=lambda run: run.configure({}, {"looks": {"min_look_s": 0.6}}))

    run(capsys, "replay", "rec", "--set", "looks.update_s=0")

    again = events("out/replay/rec/a/events.jsonl")
    assert "io.gazegraph.look.updated" not in {event["type"] for event in again}
    assert len(configs("out/replay/rec/a/events.jsonl")) == 2
