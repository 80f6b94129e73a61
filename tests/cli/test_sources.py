"""What `--source` and the `streams:` block name, and what they are called."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.sources import dated, files_of, id_of, named_sources, streams_to_run
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from pipeline.urls import is_live


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.mp4", "B 2.MP4", "x=y.mp4", "clips/a.mp4", "clips/c.mkv", "clips/notes.txt", "pictures/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "stream_id"),
    [
        ("a.mp4", "a"),
        ("some/Shop Floor (2).MP4", "shop-floor-2"),
        ("pictures/", "pictures"),
        ("Ω.mp4", "stream"),
        ("_x_.mp4", "x"),
        ("0", "camera-0"),
        ("/dev/video1", "video1"),
        ("rtsp://me:secret@10.0.0.5:554/live/1", "10-0-0-5-live-1"),
        ("https://site/some/clip.mp4?token=x", "clip"),
    ],
)
def test_a_stream_without_an_id_is_called_after_its_url(url: str, stream_id: str) -> None:
    assert id_of(url) == stream_id


@pytest.mark.parametrize(
    ("texts", "urls"),
    [
        (["a.mp4"], {"a": "a.mp4"}),
        (["door=a.mp4", "0"], {"door": "a.mp4", "camera-0": "0"}),
        (["MOT17-04=a.mp4"], {"MOT17-04": "a.mp4"}),
        (["clips/*"], {"a": "clips/a.mp4", "c": "clips/c.mkv"}),
        (["clips"], {"a": "clips/a.mp4", "c": "clips/c.mkv"}),
        (["set=clips"], {"set-a": "clips/a.mp4", "set-c": "clips/c.mkv"}),
        (["pictures"], {"pictures": "pictures"}),
        (["p=pictures/*.jpg"], {"p": "pictures/*.jpg"}),
        (["x=y.mp4"], {"x-y": "x=y.mp4"}),
        (["http://cam/live?a=b"], {"cam-live": "http://cam/live?a=b"}),
        (["missing.mp4"], {"missing": "missing.mp4"}),
    ],
)
def test_sources_are_named(folder: Path, texts: list[str], urls: dict[str, str]) -> None:
    assert named_sources(texts) == urls


def test_two_equal_ids_and_a_malformed_one_are_told_together(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        named_sources(["a.mp4", "clips/a.mp4", "Door 1=rtsp://me:secret@cam/1"])

    assert str(caught.value).splitlines() == [
        "--source clips/a.mp4: expected a stream id of its own, got 'a', which a.mp4 has; "
        "write --source other=clips/a.mp4",
        "--source Door 1=rtsp://me:***@cam/1: expected a stream id of a-z, A-Z, 0-9, _ and - only, got 'Door 1'; "
        "write --source door-1=rtsp://me:***@cam/1",
    ]


def test_streams_are_found_here_first_and_then_beside_the_program(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "program"
    (root / "scenes").mkdir(parents=True)
    (root / "scenes/shop.mp4").touch()
    (root / "a.mp4").touch()
    sets = ["streams.demo={url: scenes/shop.mp4, max_fps: 5}", "streams.own.url=a.mp4", "streams.cam.url=rtsp://cam/1"]

    streams = streams_to_run(load_config(None, sets), is_live, root)

    assert [(stream.id, stream.config.url, stream.live) for stream in streams] == [
        ("demo", str(root / "scenes/shop.mp4"), False),
        ("own", "a.mp4", False),
        ("cam", "rtsp://cam/1", True),
    ]
    assert streams[0].config.max_fps == 5


def test_a_configured_folder_of_videos_is_a_stream_for_each(folder: Path) -> None:
    streams = streams_to_run(load_config(None, ["streams.day={url: clips, max_fps: 5}"]), is_live, folder)

    assert [(stream.id, stream.config.url, stream.config.max_fps) for stream in streams] == [
        ("day-a", "clips/a.mp4", 5),
        ("day-c", "clips/c.mkv", 5),
    ]


def test_ids_that_would_share_a_folder_on_some_disks_are_told(folder: Path) -> None:
    config = load_config(None, ["streams.Door.url=a.mp4", "streams.door.url=rtsp://cam/1"])

    with pytest.raises(ConfigError) as caught:
        streams_to_run(config, is_live, folder)

    assert str(caught.value) == (
        "--set streams.door.url=rtsp://cam/1: streams.door: expected an id that differs from 'Door' in more than "
        "capitals, got 'door': some disks would mix their results; rename one"
    )


def test_missing_files_are_told_all_together(folder: Path) -> None:
    config = load_config(None, ["streams.a.url=no.mp4"])
    sources = load_config(None, [], {"b": "no/*.mp4", "c": "rtsp://cam"})
    wanted = "expected a file, glob, folder, camera index or URL"

    with pytest.raises(ConfigError) as caught:
        streams_to_run(config, is_live, folder)
    assert str(caught.value) == (
        f"--set streams.a.url=no.mp4: streams.a.url: {wanted}, got 'no.mp4', which is not there; "
        f"check the path (looked in {folder})"
    )

    with pytest.raises(ConfigError) as caught:
        streams_to_run(sources, is_live, Path("/program"))
    assert str(caught.value) == (
        f"--source no/*.mp4: streams.b.url: {wanted}, got 'no/*.mp4', which is not there; "
        f"check the path (looked in {folder} and /program)"
    )


@pytest.mark.parametrize("name", ["a" * 300, "x=" + "a" * 300, "a" * 300 + "/*.mp4", "x=a\0b"])
def test_what_no_file_can_be_called_is_not_there(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="which is not there; check the path"):
        streams_to_run(load_config(None, [], named_sources([name])), is_live, folder)
    assert files_of(name.removeprefix("x=")) == []


def test_no_streams_at_all_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        streams_to_run(load_config(None), is_live, Path("/"))

    assert str(caught.value) == (
        "no configuration: expected streams, got none; add --source clip.mp4 or a block 'streams:'"
    )


def test_the_files_behind_a_url_are_sorted(folder: Path) -> None:
    assert [path.name for path in files_of("clips")] == ["a.mp4", "c.mkv", "notes.txt"]
    assert [path.name for path in files_of("clips/*.m*")] == ["a.mp4", "c.mkv"]
    assert files_of("0") == files_of("rtsp://cam/1") == files_of("no.mp4") == []


def test_dated_gives_live_streams_the_time_they_begin_at() -> None:
    now, given = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    streams = [
        Stream("file", StreamConfig(url="clip.mp4")),
        Stream("door", StreamConfig(url="rtsp://10.0.0.5/live"), live=True),
        Stream("till", StreamConfig(url="rtsp://10.0.0.6/live", start_time=given), live=True),
    ]

    assert [stream.config.start_time for stream in dated(streams, now)] == [None, now, given]
