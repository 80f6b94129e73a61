"""A recorded run is run again without pictures: the same events, or others when values are changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cli.replay_plan
import cli.run
from cli import program
from cli.manifest import Manifest
from nodes import write_events
from nodes.publish_events import PublishEvents
from pipeline.yaml_source import read_yaml
from tests.cli import made_up
from tests.repository import ROOT


@pytest.fixture(autouse=True)
def made_up_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.plan, "resolve", made_up.resolve)
    monkeypatch.setattr(cli.replay_plan, "resolve", made_up.resolve)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the graph, its configuration, results in out/two and a recording in rec."""
    folder = tmp_path_factory.mktemp("shop")
    made_up.write_graph(folder, shop={"url": "made://4"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(cli.plan, "resolve", made_up.resolve)
        assert program.main(["graphs/two.yaml", "--record", "rec"]) == 0
    return folder


@pytest.fixture
def here(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a copy of the recorded one."""
    shutil.copytree(recorded, tmp_path / "here", ignore=shutil.ignore_patterns("bus*", "events.db*"))
    monkeypatch.chdir(tmp_path / "here")
    return Path.cwd()


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, list[str], list[str]]:
    """Return exit code, lines of output after those about files, and lines of complaint."""
    capsys.readouterr()
    code = program.main(argv)
    told = capsys.readouterr()
    lines = told.out.splitlines()
    return (
        code,
        lines[next((n for n, line in enumerate(lines, 1) if line.endswith("summary.json")), 0) :],
        told.err.splitlines(),
    )


def change(**changes: Any) -> None:
    """Change what stands in the manifest of rec."""
    path = Path("rec/recording.json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def count(file: str = "out/two/shop/events.jsonl") -> int:
    return len(Path(file).read_bytes().splitlines())


def config(out: str, log: str = "events") -> str:
    """Return the configuration that made all events of a log."""
    lines = Path(f"out/{out}/shop/{log}.jsonl").read_text("utf-8").splitlines()
    (made,) = {json.loads(line)["data"]["config"] for line in lines}
    return str(made)


def same() -> list[str]:
    """Return what is told when a replay gives the same events and measures."""
    return [
        f"shop/events.jsonl: {count()} events, the same bytes", "shop/measures.jsonl: 2 events, the same bytes"
    ]  # fmt: skip


# the same again


def test_a_replay_gives_the_same_bytes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])
    again = Path("out/replay/rec/shop/events.jsonl").read_bytes()
    assert (
        again == Path("out/two/shop/events.jsonl").read_bytes() == Path("rec/shop/logs/shop/events.jsonl").read_bytes()
    )
    assert b'"models":{"gaze-shop-480":"sha256:' in again


def test_a_replay_can_be_repeated_and_without_asserting_it_says_the_same(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run(capsys, "replay", "rec", "--out", "again") == (0, same(), [])


def test_neither_models_nor_videos_nor_the_graph_are_needed(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cli.run, cli.replay_plan):
        monkeypatch.setattr(module, "ROOT", here / "empty")
    shutil.rmtree("graphs")
    shutil.rmtree("configs")

    def read(self: Any) -> Any:
        raise AssertionError("a source was read")

    for name in ("read_nothing", "see_people", "see_gaze", "draw_nothing", "write_nothing"):
        monkeypatch.setattr(made_up.MADE_UP[name], "open", read)

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])


def test_events_name_the_models_of_the_recording_not_those_that_are_there_now(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(models={"gaze-shop-480": ["gaze-shop-480", "sha256:000000000000"]})

    code, lines, _ = run(capsys, "replay", "rec", "--assert")

    assert (code, lines[0].rpartition("; ")[2]) == (1, "line 1 is the first that differs")
    recorded = json.loads(Path("rec/shop/logs/shop/events.jsonl").read_text("utf-8").splitlines()[0])["data"]["models"]
    assert lines[1] == (
        f'  data.models.gaze-shop-480: recorded "{recorded["gaze-shop-480"]}", replayed "sha256:000000000000"'
    )


def test_values_written_down_are_taken_even_if_defaults_change(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]

    assert values["looks"]["min_fixation_s"] == 0.2  # a default
    assert values["engine"]["batch_size"] == 1
    values["looks"]["min_fixation_s"] = 0.7
    change(values=values)

    wanted = (
        rf"shop/events.jsonl: {count()} events, before {count()}: \d+ tell the same, [1-9]\d* changed, 0 new, 0 gone"
    )
    assert re.fullmatch(wanted, run(capsys, "replay", "rec")[1][0])


# something else


def test_another_area_gives_other_events_with_another_configuration(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "streams.shop.aois.left=[[0,0],[0.01,0],[0.01,0.01]]"

    half = count() // 2
    assert run(capsys, "replay", "rec", "--set", gone) == (
        0,
        [
            f"shop/events.jsonl: {half} events, before {count()}: 0 tell the same, {half} changed, 0 new, {half} gone",
            "shop/measures.jsonl: 2 events, before 2: 0 tell the same, 2 changed, 0 new, 0 gone",
        ],
        [],
    )
    assert config("two") != config("replay/rec")


def test_asserting_says_what_differs_first(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = run(capsys, "replay", "rec", "--assert", "--set", "looks.update_s=0")

    assert (code, err) == (1, [])
    assert [line.rpartition("; ")[2] for line in lines] == [
        "line 1 is the first that differs",
        f'  data.config: recorded "{config("two")}", replayed "{config("replay/rec")}"',
        "line 1 is the first that differs",
        f'  data.config: recorded "{config("two", "measures")}", replayed "{config("replay/rec", "measures")}"',
    ]


def test_another_configuration_takes_the_place_of_the_recorded_values(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("configs/two.yaml").read_text("utf-8")
    Path("same.yaml").write_text(text, "utf-8")
    Path("other.yaml").write_text(text.replace("min_look_s: 0.3", "min_look_s: 0.6"), "utf-8")

    assert run(capsys, "replay", "rec", "--config", "same.yaml", "--assert") == (0, same(), [])
    assert run(capsys, "replay", "rec", "--config", "other.yaml", "--assert")[0] == 1


def test_values_of_what_is_not_run_again_are_refused_whoever_gives_them(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "gaze is not run again, the recording stands in for it; leave the value, or record anew"
    Path("other.yaml").write_text(Path("configs/two.yaml").read_text("utf-8") + "gaze: {fails_s: [0, 9]}\n", "utf-8")
    line = len(Path("other.yaml").read_text("utf-8").splitlines())

    assert run(capsys, "replay", "rec", "--set", "gaze.model=other") == (
        2, [], [f"--set gaze.model=other: gaze.model: expected 'gaze-shop-480' as recorded, got 'other': {why}"]
    )  # fmt: skip
    assert run(capsys, "replay", "rec", "--config", "other.yaml") == (
        2, [], [f"other.yaml:{line}: gaze.fails_s: expected (0.0, 0.0) as recorded, got (0.0, 9.0): {why}"]
    )  # fmt: skip


def test_all_that_is_wrong_with_values_is_told_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "replay", "rec", "--set", "streams.shp.hfov_deg=60", "looks.min_look_s=-1")

    assert (code, err) == (
        2,
        [
            "--set streams.shp.hfov_deg=60: no stream 'shp' is run; did you mean 'shop'? (streams: shop)",
            "--set looks.min_look_s=-1: looks.min_look_s: expected greater than or equal to 0, got -1",
        ],
    )


# publishing


def test_nothing_is_published_unless_it_is_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    before = PublishEvents.open
    monkeypatch.setattr(PublishEvents, "open", lambda self: [opened.append(self.context.name), before(self)][1])

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])
    assert opened == []
    assert run(capsys, "replay", "rec", "--assert", "--publish") == (0, same(), [])
    assert opened == ["bus"]
    assert Path("out/replay/rec/shop/a-told.txt").exists()


def test_what_reaches_out_leaves_no_log_to_compare(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "replay", "rec")

    assert Path("out/two/shop/a-told.txt").exists()
    assert not Path("out/replay/rec/shop/a-told.txt").exists()
    assert sorted(path.name for path in Path("rec/shop/logs/shop").iterdir()) == ["events.jsonl", "measures.jsonl"]


def test_a_graph_that_only_publishes_says_what_to_add(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = made_up.GRAPH.replace("log:", "#log:")
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]
    change(graph_text=text, values={name: block for name, block in values.items() if name != "log"})

    assert run(capsys, "replay", "rec") == (
        2,
        [],
        ["rec/recording.json: expected sinks to run, got only such that reach out to others; add --publish"],
    )


# recordings that are not whole


def test_a_run_that_was_killed_is_replayed_and_not_compared(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(runs={"shop": {"streams": ["shop"]}})
    for edge in ("people", "gaze"):
        ticks = Path(f"rec/shop/{edge}.ticks")
        ticks.write_bytes(ticks.read_bytes()[: -20_000 if edge == "gaze" else -1])
    told = [
        "shop: nothing to compare with: the recorded run was killed or still goes on, so its events may not be complete"
    ]

    code, lines, err = run(capsys, "replay", "rec", "--assert")
    assert (code, lines) == (1, told)
    assert err == []
    again = Path("out/replay/rec/shop/events.jsonl").read_bytes().splitlines()
    assert 5 < len(again) < count()
    assert run(capsys, "replay", "rec")[:2] == (0, told)


def test_a_run_that_was_killed_before_anything_was_recorded_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, a={"url": "made://1"}, b={"url": "made://1"})
    assert program.main(["graphs/two.yaml", "--record", "rec"]) == 0
    runs = json.loads(Path("rec/recording.json").read_text("utf-8"))["runs"]
    change(runs={**runs, "b": {"streams": ["b"]}})
    Path("rec/b/gaze.ticks").write_bytes(b"")

    code, lines, err = run(capsys, "replay", "rec", "--assert")

    assert (code, err) == (1, [])
    assert lines == [
        f"a/events.jsonl: {count('out/two/a/events.jsonl')} events, the same bytes",
        "a/measures.jsonl: 2 events, the same bytes",
        "b: nothing to compare with: the recorded run was killed or still goes on, so its events may not be complete",
    ]


def test_without_events_there_is_no_proof(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(runs={"shop": {"streams": ["shop"], "ended": "done", "logs": []}})
    told = ["shop: nothing to compare with: the recorded run wrote no events but to others"]

    assert run(capsys, "replay", "rec", "--assert") == (1, told, [])
    assert run(capsys, "replay", "rec") == (0, told, [])


def test_values_cannot_stand_in_for_streams(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]
    change(values={**values, "streams": {"other": {}}})

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])


def test_a_run_that_failed_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, b={"url": "made://4"})
    why = "node 'gaze' (see_gaze): stream 'b', pts 3.000 s: nothing to be seen"

    assert run(capsys, "graphs/two.yaml", "--record", "rec", "--set", "gaze.fails_s=[3,4]") == (1, [], [why])
    assert run(capsys, "replay", "rec", "--assert")[:2] == (
        1, [f"b: nothing to compare with: the recorded run failed ({why}), so its events may not be complete"]
    )  # fmt: skip


def test_events_that_were_changed_are_no_proof(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path("rec/shop/logs/shop/events.jsonl")
    lines = kept.read_text("utf-8").splitlines(keepends=True)
    before = json.loads(lines[2])["data"]["dwell_s"]
    lines[2] = lines[2].replace(f'"dwell_s":{before}', '"dwell_s":7.5')
    kept.write_text("".join(lines), "utf-8")

    assert run(capsys, "replay", "rec", "--assert") == (
        2,
        [],
        [
            f"{kept}: expected the log as it was recorded, got a changed one; record the run again",
            "compared with the replay, line 3 is the first that differs",
            f"  data.dwell_s: recorded 7.5, replayed {before}",
        ],
    )
    kept.unlink()
    assert run(capsys, "replay", "rec")[2] == [
        f"{kept}: cannot be read (No such file or directory); record the run again"
    ]


def test_a_recording_that_was_changed_gives_other_events(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two, five = (np.array([1, id], np.int64).tobytes() for id in (2, 5))
    for ticks in Path("rec/shop").glob("*.ticks"):
        ticks.write_bytes(ticks.read_bytes().replace(two, five))

    code, lines, _ = run(capsys, "replay", "rec", "--assert")

    assert code == 1
    assert re.fullmatch(r"shop/.* [1-9]\d* tell the same, 0 changed, .*; line 2 is the first that differs", lines[0])
    assert lines[1:3] == ["  recorded: shop/0/2/left/0/started", "  replayed: shop/0/5/left/0/started"]


def test_a_missing_edge_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("rec/shop/gaze.ticks").unlink()

    assert run(capsys, "replay", "rec")[::2] == (
        2,
        [
            "--replay gaze=rec/shop: expected the recording rec/shop/gaze.ticks, got: No such file or directory; "
            "record it again with --record"
        ],
    )
    change(edges=["people"])
    assert run(capsys, "replay", "rec")[::2] == (
        2, ["rec/recording.json: expected a recording of people, gaze, got none of gaze; record it again"]
    )  # fmt: skip


def test_a_graph_that_no_longer_fits_the_program_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(graph_text=made_up.GRAPH.replace("hit_aoi", "hit_target"))

    code, _, err = run(capsys, "replay", "rec")

    assert code == 2
    assert err[0].startswith("rec/recording.json/two.yaml:7: hits.type: unknown node type 'hit_target'; did you mean '")


def test_files_that_nodes_below_need_must_be_there(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks: Any = lambda self, root: {"file": [f"expected a folder in {root}, got none"]}  # noqa: E731
    monkeypatch.setattr(write_events.Config, "problems", lacks)

    assert run(capsys, "replay", "rec") == (
        2, [], [f"rec/recording.json: log.file: expected a folder in {ROOT}, got none"]
    )  # fmt: skip


def test_recorded_values_that_the_program_no_longer_takes_are_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads(Path("rec/recording.json").read_text("utf-8"))
    manifest["values"]["looks"]["min_gap_s"] = 1
    manifest["values"]["engine"]["speed"] = 1
    manifest["streams"]["shop"]["config"]["hfov_deg"] = -1
    change(**manifest)

    code, _, err = run(capsys, "replay", "rec")

    assert code == 2
    assert [line.split(";")[0] for line in err] == [
        "rec/recording.json: streams.shop.hfov_deg: expected greater than 0, got -1",
        "rec/recording.json: engine.speed: unknown key",
        "rec/recording.json: looks.min_gap_s: unknown key",
    ]


# where results go


def test_a_folder_with_other_files_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("out/two/shop/events.jsonl").read_bytes()

    assert run(capsys, "replay", "rec", "--out", "out/two") == (
        2, [], ["--out out/two: expected a new folder or that of a replay, got other files; give another"]
    )  # fmt: skip
    assert Path("out/two/shop/events.jsonl").read_bytes() == before


def test_what_an_earlier_replay_left_is_removed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "replay", "rec", "--set", "log.file=old.jsonl")
    assert Path("out/replay/rec/shop/old.jsonl").is_file()

    run(capsys, "replay", "rec")

    assert not Path("out/replay/rec/shop/old.jsonl").exists()


def test_a_log_of_another_name_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "replay", "rec", "--set", "log.file=new.jsonl")[1] == [
        f"shop/events.jsonl: 0 events, before {count()}: 0 tell the same, 0 changed, 0 new, {count()} gone", same()[1]
    ]  # fmt: skip


# the graphs that ship


@pytest.mark.parametrize("name", ["retail", "annotate"])
def test_values_of_the_graphs_that_ship_come_back_as_they_were(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cli.options import option_parser
    from cli.plan import make_plan
    from cli.replay_plan import plan_of
    from cli.run import _new_recording

    monkeypatch.chdir(ROOT)
    plan = make_plan(option_parser().parse_args([f"graphs/{name}.yaml", "--record", str(tmp_path)]))
    recording = _new_recording(plan)
    assert recording
    recording.begin("shop", plan.streams, 0)
    manifest = Manifest.model_validate_json((tmp_path / "recording.json").read_text("utf-8"))

    again = plan_of(tmp_path, manifest, config=None, sets=(), out=tmp_path, publish=True)

    assert again.streams == plan.streams
    assert [spec.config for spec in again.graph.nodes] == [
        plan.graph.node(spec.name).config for spec in again.graph.nodes
    ]
    assert read_yaml(Path(f"graphs/{name}.yaml")).data.keys() - {spec.name for spec in again.graph.nodes} == {
        "overlay", "video"
    }  # fmt: skip
