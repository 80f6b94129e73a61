"""Configurations: values with their places, overrides, and complaints that name the cure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.config import Block, load_config, shown, validated
from pipeline.errors import ConfigError
from pipeline.streams import Area
from pipeline.suggest import did_you_mean
from pipeline.urls import is_camera, is_live, redact
from pipeline.yaml_source import MAX_BYTES, parse_yaml, read_yaml

HERE = Path(__file__).parent

GOOD = """\
streams:
  door:
    url: door.mp4
    aois:
      wine: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]]
    start_time: 2026-03-01T09:00:00Z
  0: {url: 0}
engine: {batch_size: 2}
tracks: {max_age_s: 1e-1, name: no}
"""


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(GOOD, "utf-8")
    return Path("c.yaml")


@pytest.mark.parametrize("file", sorted(path.name for path in (HERE / "bad_configs").glob("*.yaml")))
def test_bad_config_says_what_its_first_lines_say(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    path = Path("bad_configs") / file
    expected = [line[2:] for line in path.read_text("utf-8").splitlines() if line.startswith("# ")]

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert str(caught.value).splitlines() == expected


def test_config_holds_values_and_their_places(good: Path) -> None:
    config = load_config(good)

    assert config.path == "c.yaml"
    assert list(config.streams) == ["door", "0"]
    assert config.streams["door"].aois == {"wine": Area(polygon=((0.1, 0.2), (0.4, 0.2), (0.4, 0.6)))}
    assert config.streams["door"].start_time == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert config.streams["0"].url == "0"
    assert config.engine.batch_size == 2
    assert config.nodes["tracks"].values == {"max_age_s": "1e-1", "name": False}
    assert config.nodes["tracks"].complaint(("name",), "wrong") == "c.yaml:9: tracks.name: wrong"
    assert config.where("streams", "door", "aois", "wine", 1) == "c.yaml:5"
    assert config.where("streams", "door", "url") == "c.yaml:3"
    assert config.where("gaze", "model") == "c.yaml"


def test_sets_override_and_are_named_as_the_place(good: Path) -> None:
    config = load_config(
        good,
        [
            "tracks.max_age_s=2",
            "gaze.size=[1, 2]",
            "streams.door.aois.cake=[[0, 0], [1, 0], [1, 1]]",
            "engine.on_error=drop",
            "tracks.name=",
        ],
    )

    assert config.nodes["tracks"].values == {"max_age_s": 2, "name": None}
    assert config.nodes["gaze"].values == {"size": [1, 2]}
    assert list(config.streams["door"].aois) == ["wine", "cake"]
    assert config.engine.on_error == "drop"
    assert config.where("tracks", "max_age_s") == "--set tracks.max_age_s=2"
    assert config.where("gaze") == "--set gaze.size=[1, 2]"


def test_a_set_forgets_the_places_of_what_it_replaces(good: Path) -> None:
    config = load_config(good, ["streams.door.aois={wine: [[0, 0], [1, 0], [1, 1]]}"])

    assert config.where("streams", "door", "aois", "wine", 1) == (
        "--set streams.door.aois={wine: [[0, 0], [1, 0], [1, 1]]}"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bad", "--set bad: expected node.key=value; write for example --set tracks.min_score=0.4"),
        ("tracks=1", "--set tracks=1: expected node.key=value; write for example --set tracks.min_score=0.4"),
        ("a..b=1", "--set a..b=1: expected node.key=value; write for example --set tracks.min_score=0.4"),
        ("a.b=[", "--set a.b=[: expected a value as YAML has it, got '['; quote it"),
        ("a.b=!x y", "--set a.b=!x y: expected a plain value, got the tag '!x'; remove it"),
        ("engine.batch_size.x=1", "--set engine.batch_size.x=1: engine.batch_size holds 2, which has no keys"),
        (
            "streams.new.max_fps=5",
            "--set streams.new.max_fps=5: streams.new.url: expected a value, got none; add it",
        ),
        (
            "streams.door.url=[rtsp://me:secret@cam/1]",
            "--set streams.door.url=[rtsp://me:***@cam/1]: streams.door.url: "
            "expected text, got ['rtsp://me:***@cam/1']",
        ),
    ],
)
def test_a_wrong_set_is_told(good: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(good, [text])

    assert str(caught.value) == problem


def test_sources_replace_streams_and_keep_the_block_of_the_same_name(good: Path) -> None:
    config = load_config(good, ["streams.new.max_fps=5"], {"door": "rtsp://me:secret@cam/1", "new": "n.mp4"})

    assert list(config.streams) == ["door", "new"]
    assert config.streams["door"].url == "rtsp://me:secret@cam/1"
    assert list(config.streams["door"].aois) == ["wine"]
    assert config.streams["new"].max_fps == 5
    assert config.where("streams", "door", "url") == "--source rtsp://me:***@cam/1"
    assert config.where("streams", "door", "aois") == "c.yaml:4"


def test_a_set_for_a_stream_that_is_not_run_is_told(good: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(good, ["streams.nwe.max_fps=5"], {"door": "a.mp4", "new": "n.mp4"})

    assert str(caught.value) == (
        "--set streams.nwe.max_fps=5: no stream 'nwe' is run; did you mean 'new'? (streams: door, new)"
    )


def test_a_config_that_is_no_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_bytes(b"a: \xff\n")
    Path("large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))

    with pytest.raises(ConfigError) as caught:
        load_config(Path("c.yaml"))
    assert str(caught.value) == "c.yaml: expected UTF-8 text, got byte 0xff at 3"

    with pytest.raises(ConfigError) as caught:
        load_config(Path("large.yaml"))
    assert str(caught.value) == "large.yaml: expected at most 4000000 bytes of YAML, got 4000001"

    with pytest.raises(ConfigError) as caught:
        load_config(Path("."))
    assert str(caught.value) == ".: cannot be read (Is a directory); check the path"


def test_an_alias_repeats_a_value_and_an_alias_bomb_is_refused() -> None:
    assert parse_yaml("a: &x [1, 2]\nb: *x\n", "c.yaml").data == {"a": [1, 2], "b": [1, 2]}

    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 10))
    with pytest.raises(ConfigError) as caught:
        parse_yaml(f"l0: &l0 [1]\n{levels}", "c.yaml")
    assert str(caught.value) == "c.yaml:1: unfolds to more than 100000 values; use fewer aliases"


def test_yaml_nested_without_end_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml("[" * 600, "c.yaml")

    assert str(caught.value) == "c.yaml: not YAML: nested too deeply"


def test_an_empty_file_has_no_values(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing\n", "utf-8")

    assert read_yaml(tmp_path / "c.yaml").data == {}


def test_a_value_that_fits_none_of_several_kinds_is_told_once() -> None:
    class Sized(BaseModel):
        size: tuple[int, int] | float | None = None

    problems: list[str] = []
    made = validated(Sized, Block("node", {"size": "large"}, {(): "c.yaml:1", ("size",): "c.yaml:2"}), problems)

    assert made is None
    assert problems == ["c.yaml:2: node.size: expected a list or a number, got 'large'"]


def test_values_are_shown_short_and_without_passwords() -> None:
    assert shown("http://a:b@c/") == "'http://a:***@c/'"
    assert shown("x" * 100) == "'" + "x" * 58 + "…"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("rtsp://me:secret@cam:554/live", "rtsp://me:***@cam:554/live"),
        ("rtsp://me:s/e@c@ret@cam/live", "rtsp://me:***@cam/live"),
        ("rtsp://token@cam/live", "rtsp://***@cam/live"),
        ("rtsp://me:a@one/ and rtsp://me:b@two/", "rtsp://me:***@one/ and rtsp://me:***@two/"),
        ("https://cam/live?user=me&password=se%20cret&x=1", "https://cam/live?user=me&password=***&x=1"),
        ("https://cam/live?api_key=abc", "https://cam/live?api_key=***"),
        ("https://cam/live", "https://cam/live"),
        ("me@shop.mp4", "me@shop.mp4"),
    ],
)
def test_passwords_are_hidden(url: str, hidden: str) -> None:
    assert redact(url) == hidden


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("0", True),
        ("/dev/video0", True),
        ("rtsp://cam/live", True),
        ("RTSP://cam/live", True),
        ("https://cam/live.mjpg", True),
        ("https://site/clip.MP4?x=1", False),
        ("file:///clips/a.mp4", False),
        ("clips/0", False),
        ("a.mp4", False),
    ],
)
def test_live_urls_are_told_from_files(url: str, live: bool) -> None:
    assert is_live(url) is live
    assert is_camera(url) is (url in ("0", "/dev/video0"))


def test_the_nearest_name_is_suggested() -> None:
    assert (
        did_you_mean("gase", ["maze", "gaze", "looks"], "nodes") == "; did you mean 'gaze'? (nodes: maze, gaze, looks)"
    )
    assert did_you_mean("x", [], "nodes") == " (nodes: none)"
