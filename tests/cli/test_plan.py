"""What is known before a run, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.options import option_parser
from cli.plan import Plan, describe, make_plan
from pipeline.errors import ConfigError, GraphError, PipelineError
from tests.repository import ROOT

COPY = """\
frames: {type: decode_video}
video: {type: write_video, in: {frames: frames}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a graph that copies video, and a clip."""
    monkeypatch.chdir(tmp_path)
    Path("graphs").mkdir()
    Path("graphs/copy.yaml").write_text(COPY, "utf-8")
    Path("a.mp4").touch()
    return tmp_path


def plan(*argv: str) -> Plan:
    return make_plan(option_parser().parse_args(["graphs/copy.yaml", *argv]))


def refusal(kind: type[PipelineError], *argv: str) -> str:
    with pytest.raises(kind) as caught:
        plan(*argv)
    return str(caught.value)


def test_results_go_below_the_name_of_the_graph_or_where_they_are_told_to() -> None:
    assert plan("--source", "a.mp4").out == Path("out/copy")
    assert plan("--source", "a.mp4", "--out", "there").out == Path("there")


def test_options_become_a_plan() -> None:
    made = plan(
        "--source",
        "a.mp4",
        "--record",
        "frames=rec",
        "--max-frames",
        "5",
        "--set",
        "video.crf=30",
        "engine.batch_size=2",
    )

    assert (made.record, made.replay, made.max_frames) == ({"frames": Path("rec")}, {}, 5)
    assert made.graph.node("video").config.model_dump()["crf"] == 30
    assert made.config.engine.batch_size == 2
    assert made.device.kind == "cpu"


def test_the_configuration_of_the_same_name_is_taken() -> None:
    Path("configs").mkdir()
    Path("configs/copy.yaml").write_text("streams: {hall: {url: a.mp4}}\n", "utf-8")

    assert describe(plan("--device", "cpu")).splitlines() == [
        "graphs/copy.yaml with configs/copy.yaml on cpu: nothing wrong",
        "stage 1",
        "  frames  decode_video() -> FrameBatch",
        "stage 2",
        "  video   write_video(frames) -> sink",
        "streams",
        "  hall  file  a.mp4  AOIs: none",
    ]


def test_another_configuration_is_taken_when_it_is_named() -> None:
    Path("other.yaml").write_text("streams: {yard: {url: a.mp4}}\n", "utf-8")

    assert [stream.id for stream in plan("--config", "other.yaml").streams] == ["yard"]
    assert refusal(ConfigError, "--config", "no.yaml") == (
        "no.yaml: cannot be read (No such file or directory); check the path"
    )


def test_no_configuration_and_no_source_is_told() -> None:
    assert refusal(ConfigError) == (
        "no configuration: expected streams, got none; add --source clip.mp4 or a block 'streams:'"
    )


def test_no_graph_is_told() -> None:
    Path("graphs/copy.yaml").unlink()

    assert refusal(ConfigError, "--source", "a.mp4") == (
        "graphs/copy.yaml: cannot be read (No such file or directory); check the path"
    )


def test_all_that_is_wrong_with_graph_and_values_is_told_at_once(here: Path) -> None:
    Path("graphs/copy.yaml").write_text(COPY + "frames: {type: decode_video}\n", "utf-8")

    assert refusal(GraphError, "--source", "a.mp4", "--set", "video.crf=99", "engine.batch_size=x").splitlines() == [
        "graphs/copy.yaml:3: frames: given twice, first in line 1; remove one",
        "--set engine.batch_size=x: engine.batch_size: expected a whole number, got 'x'",
        "--set video.crf=99: video.crf: expected less than or equal to 51, got 99",
    ]


def test_passwords_are_not_described() -> None:
    made = plan("--source", "door=rtsp://me:secret@127.0.0.1:9/live")

    assert describe(made).splitlines()[-1] == "  door  live  rtsp://me:***@127.0.0.1:9/live  AOIs: none"


@pytest.mark.parametrize(
    ("kind", "option", "complaint"),
    [
        (
            GraphError,
            "--record=framse=x",
            "--record framse=x: graphs/copy.yaml: no node 'framse'; did you mean 'frames'? (nodes: frames, video)",
        ),
        (
            ConfigError,
            "--replay=frames",
            "--replay frames: expected EDGE=DIR; write for example --replay tracks=out/tracks",
        ),
        (
            GraphError,
            "--record=video=x",
            "--record video=x: expected an edge, got the sink 'video', which puts nothing out",
        ),
    ],
)
def test_wrong_edges_are_told(kind: type[PipelineError], option: str, complaint: str) -> None:
    assert refusal(kind, "--source", "a.mp4", option) == complaint


FIND = """\
frames: {type: decode_video}
people: {type: detect_people, in: {frames: frames}}
tracks: {type: track_people, in: {frames: frames, people: people}}
poses: {type: estimate_head_pose, in: {tracks: tracks}}
gaze: {type: estimate_gaze, in: {frames: frames, tracks: tracks}}
points: {type: locate_gaze, in: {gaze: gaze}}
hits: {type: hit_aoi, in: {frames: frames, gaze: gaze, points: points, tracks: tracks}}
looks: {type: measure_looks, in: {frames: frames, hits: hits}}
log: {type: write_events, in: {frames: frames, looks: looks}}
"""


def test_a_whole_run_is_recorded_where_pictures_are_no_longer_needed() -> None:
    Path("graphs/copy.yaml").write_text(FIND, "utf-8")

    made = plan("--source", "a.mp4", "--record", "rec", "--record", "hits=more", "--device", "cpu")

    assert made.recording == Path("rec")
    assert made.record == {"tracks": Path("rec"), "gaze": Path("rec"), "hits": Path("more")}
    assert describe(made).splitlines()[-3:] == [
        "recorded to rec: tracks, gaze", "streams", "  a  file  a.mp4  AOIs: none"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["--record", "rec", "--record", "other"],
            "expected one folder for the whole run, got rec, other; leave one out",
        ),
        (
            ["--record", "rec", "--replay", "gaze=other"],
            "expected a run from its sources, got --replay; name an edge: --record EDGE=DIR",
        ),
        (["--record", "rec", "--record", "gaze=other"], "records gaze, too; leave out --record gaze=other"),
    ],
)
def test_what_does_not_go_with_recording_a_whole_run_is_told(options: list[str], complaint: str) -> None:
    Path("graphs/copy.yaml").write_text(FIND, "utf-8")

    assert refusal(ConfigError, "--source", "a.mp4", *options) == f"--record rec: {complaint}"


def test_a_graph_without_events_is_not_recorded_as_a_whole() -> None:
    assert refusal(ConfigError, "--source", "a.mp4", "--record", "rec") == (
        "--record rec: expected a graph whose sinks make events of what was seen in pictures, got graphs/copy.yaml "
        "without; name what to record: --record EDGE=DIR"
    )


def test_a_file_called_as_the_run_of_live_streams_is_not_recorded_beside_them() -> None:
    both = ("--source", "live=a.mp4", "door=rtsp://127.0.0.1:9/live")
    plan(*both)
    plan("--source", "live=a.mp4", "--record", "frames=rec")

    assert refusal(ConfigError, *both, "--record", "frames=rec") == (
        "streams.live: expected another name for a file that is recorded beside live streams, because their recording "
        "is called so; rename it"
    )


def test_a_recording_stands_in_for_a_file_that_is_gone(here: Path) -> None:
    made = plan("--source", "gone.mp4", "--replay", "frames=rec")

    assert [stream.config.url for stream in made.streams] == ["gone.mp4"]
    assert refusal(ConfigError, "--source", "gone.mp4") == (
        "--source gone.mp4: streams.gone.url: expected a file, glob, folder, camera index or URL, got 'gone.mp4', "
        f"which is not there; check the path (looked in {here} and {ROOT})"
    )


def test_device_cuda_names_what_is_missing() -> None:
    complaint = refusal(ConfigError, "--source", "a.mp4", "--device", "cuda")

    assert complaint.startswith("device 'cuda': expected a usable GPU, got ")
    assert complaint.endswith("; use the device cpu or auto")


def test_frames_are_counted_from_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        plan("--max-frames", "0")

    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "usage: run_graph.py GRAPH [options]",
        "run_graph.py: error: argument --max-frames: expected a whole number above 0, got '0'",
    ]
