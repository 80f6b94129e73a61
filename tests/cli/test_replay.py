"""A recorded run is run again without pictures: the same events, or others when values are changed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import cli.replay_plan
import cli.run
from cli.manifest import Manifest
from nodes.publish_events import PublishEvents
from pipeline.yaml_source import read_yaml
from tests.cli import made_up
from tests.cli.replays import change, config, count, run, same
from tests.repository import ROOT

# the same again


def test_a_replay_gives_the_same_bytes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])
    again = Path("out/replay/rec/shop/events.jsonl").read_bytes()
    assert (
        again == Path("out/two/shop/events.jsonl").read_bytes() == Path("rec/shop/logs/shop/events.jsonl").read_bytes()
    )
    assert b'"models":{"gaze-shop-480":"sha256:' in again


def test_a_replay_can_be_repeated_and_without_asserting_it_says_the_same(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run(capsys, "replay", "rec", "--out", "again") == (0, same(), [])


def test_neither_models_nor_videos_nor_the_graph_are_needed(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cli.run, cli.replay_plan):
        monkeypatch.setattr(module, "ROOT", shop / "empty")
    shutil.rmtree("graphs")
    shutil.rmtree("configs")

    def read(self: Any) -> Any:
        raise AssertionError("a source was read")

    for name in ("read_nothing", "see_people", "see_gaze", "draw_nothing", "write_nothing"):
        monkeypatch.setattr(made_up.MADE_UP[name], "open", read)

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])


def test_what_was_recorded_on_a_gpu_is_replayed_without(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads(Path("rec/recording.json").read_text("utf-8"))
    manifest["values"]["engine"] |= {"device": "cuda", "backend": "tensorrt", "precision": "fp16"}
    Path("rec/recording.json").write_text(json.dumps(manifest), "utf-8")

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])


def test_events_name_the_models_of_the_recording_not_those_that_are_there_now(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(models={"gaze-shop-480": ["gaze-shop-480", "sha256:000000000000"]})

    code, lines, _ = run(capsys, "replay", "rec", "--assert")

    assert (code, lines[0].rpartition("; ")[2]) == (1, "line 1 is the first that differs")
    recorded = json.loads(Path("rec/shop/logs/shop/events.jsonl").read_text("utf-8").splitlines()[0])["data"]["models"]
    assert lines[1] == (
        f'  data.models.gaze-shop-480: recorded "{recorded["gaze-shop-480"]}", replayed "sha256:000000000000"'
    )


def test_values_written_down_are_taken_even_if_defaults_change(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]

    assert values["looks"]["min_fixation_s"] == 0.2  # a default
    assert values["engine"]["batch_size"] == 1
    values["looks"]["min_fixation_s"] = 2.0
    change(values=values)

    wanted = (
        rf"shop/events.jsonl: {count()} events, before {count()}: \d+ tell the same, [1-9]\d* changed, 0 new, 0 gone"
    )
    assert re.fullmatch(wanted, run(capsys, "replay", "rec")[1][0])


# something else


def test_another_area_gives_other_events_with_another_configuration(
    shop: Path, capsys: pytest.CaptureFixture[str]
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


def test_asserting_says_what_differs_first(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, err = run(capsys, "replay", "rec", "--assert", "--set", "looks.update_s=0")

    assert (code, err) == (1, [])
    assert [line.rpartition("; ")[2] for line in lines] == [
        "line 1 is the first that differs",
        f'  data.config: recorded "{config("two")}", replayed "{config("replay/rec")}"',
        "line 1 is the first that differs",
        f'  data.config: recorded "{config("two", "measures")}", replayed "{config("replay/rec", "measures")}"',
    ]


def test_another_configuration_takes_the_place_of_the_recorded_values(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("configs/two.yaml").read_text("utf-8")
    Path("same.yaml").write_text(text, "utf-8")
    Path("other.yaml").write_text(text.replace("min_look_s: 0.3", "min_look_s: 0.6"), "utf-8")

    assert run(capsys, "replay", "rec", "--config", "same.yaml", "--assert") == (0, same(), [])
    assert run(capsys, "replay", "rec", "--config", "other.yaml", "--assert")[0] == 1


def test_values_of_what_is_not_run_again_are_refused_whoever_gives_them(
    shop: Path, capsys: pytest.CaptureFixture[str]
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


def test_values_of_streams_that_say_what_is_seen_are_refused(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    why = "pictures are not looked at again; leave the value, or record anew"
    fps, masks = "streams.shop.max_fps=5", "streams.shop.masks=[[[0,0],[0,1],[1,1]]]"

    assert run(capsys, "replay", "rec", "--set", fps, masks) == (
        2,
        [],
        [
            f"--set {masks}: streams.shop.masks: expected () as recorded, got "
            f"(((0.0, 0.0), (0.0, 1.0), (1.0, 1.0)),): {why}",
            f"--set {fps}: streams.shop.max_fps: expected None as recorded, got 5.0: {why}",
        ],
    )


def test_all_that_is_wrong_with_values_is_told_at_once(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    before = PublishEvents.open
    monkeypatch.setattr(PublishEvents, "open", lambda self: [opened.append(self.context.name), before(self)][1])

    assert run(capsys, "replay", "rec", "--assert") == (0, same(), [])
    assert opened == []
    assert run(capsys, "replay", "rec", "--assert", "--publish") == (0, same(), [])
    assert opened == ["bus"]
    assert Path("out/replay/rec/shop/a-told.txt").exists()


def test_what_reaches_out_leaves_no_log_to_compare(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "replay", "rec")

    assert Path("out/two/shop/a-told.txt").exists()
    assert not Path("out/replay/rec/shop/a-told.txt").exists()
    assert sorted(path.name for path in Path("rec/shop/logs/shop").iterdir()) == ["events.jsonl", "measures.jsonl"]


def test_a_graph_that_only_publishes_says_what_to_add(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = made_up.GRAPH.replace("log:", "#log:")
    values = json.loads(Path("rec/recording.json").read_text("utf-8"))["values"]
    change(graph_text=text, values={name: block for name, block in values.items() if name != "log"})

    assert run(capsys, "replay", "rec") == (
        2,
        [],
        ["rec/recording.json: expected sinks to run, got only such that reach out to others; add --publish"],
    )


# where results go


def test_a_folder_with_other_files_is_left_alone(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("out/two/shop/events.jsonl").read_bytes()

    assert run(capsys, "replay", "rec", "--out", "out/two") == (
        2, [], ["--out out/two: expected a new folder or that of a replay, got other files; give another"]
    )  # fmt: skip
    assert Path("out/two/shop/events.jsonl").read_bytes() == before


def test_what_an_earlier_replay_left_is_removed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "replay", "rec", "--set", "log.file=old.jsonl")
    assert Path("out/replay/rec/shop/old.jsonl").is_file()

    run(capsys, "replay", "rec")

    assert not Path("out/replay/rec/shop/old.jsonl").exists()


def test_a_log_of_another_name_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
