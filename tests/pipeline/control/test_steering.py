"""What is asked of a running graph is checked as a whole, and then done as a whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pipeline.errors import UnknownStreamError
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from tests.pipeline.control.desk import LAID_OUT, SHELF, TALL, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# values


def test_values_of_nodes_and_streams_change_at_once(desk: Desk) -> None:
    told = desk.steering.configure({
        "looks.min_look_s": 1, "looks.span": [3, 4], "streams.door.aois.tea": TALL, "streams.door.max_fps": None,
        "streams.yard.masks": [SHELF], "streams.yard.hfov_deg": 70,
    })  # fmt: skip

    assert told == [
        "streams.door.aois.tea", "streams.door.max_fps", "streams.yard.masks", "streams.yard.hfov_deg",
        "looks.min_look_s", "looks.span",
    ]  # fmt: skip
    ((_, streams, nodes),) = desk.run.asked
    assert nodes == {"looks": {"min_look_s": 1.0, "span": [3, 4]}}
    assert list(streams["door"].aois) == ["shelf", "tea"]
    assert (streams["door"].max_fps, streams["yard"].hfov_deg, len(streams["yard"].masks)) == (None, 70.0, 1)
    assert streams["door"].url == "rtsp://me:secret@door/1"
    assert streams["door"].start_time is not None


def test_areas_come_change_and_go_one_by_one(desk: Desk) -> None:
    assert desk.steering.configure({"streams.door.aois.a.b": {"polygon": TALL, "level": 1}}) == [
        "streams.door.aois.a.b"
    ]
    assert desk.steering.configure({"streams.door.aois.shelf": TALL}) == ["streams.door.aois.shelf"]
    assert desk.steering.configure({"streams.door.aois.a.b": None}) == ["streams.door.aois.a.b"]
    assert list(desk.run.streams()["door"].config.aois) == ["shelf"]
    assert desk.steering.configure({"streams.door.aois": {}, "streams.door.aois.new": SHELF}) == [
        "streams.door.aois.shelf", "streams.door.aois.new"
    ]  # fmt: skip
    assert list(desk.run.streams()["door"].config.aois) == ["new"]


def test_what_is_so_already_changes_nothing(desk: Desk) -> None:
    same = {"looks.min_look_s": 0.5, "engine.batch_size": 2, "streams.door.aois.shelf": SHELF, "looks.model": "one"}

    assert desk.steering.configure(same) == []
    assert desk.run.asked == []


def test_later_changes_add_to_earlier_ones(desk: Desk) -> None:
    desk.steering.configure({"looks.min_look_s": 1})

    assert desk.steering.configure({"looks.min_look_s": 1, "looks.span": [5, 6]}) == ["looks.span"]
    assert desk.run.asked[-1] == ("configure", {}, {"looks": {"span": [5, 6]}})


def test_wrong_values_are_told_as_those_of_a_file_are(desk: Desk) -> None:
    told = desk.wrong(lambda: desk.steering.configure({
        "looks.min_look_s": "long", "looks.min_loks": 1, "loks.min_look_s": 1, "streams.door.aois.tea": [[0, 0]],
        "streams.door.aois.shelff": None, "streams.door": {}, "looks": 1, "streams.yard.max_pfs": 3,
        "engine.batch_size": 0, "looks.helper": "gone",
    }))  # fmt: skip

    assert [line.partition(" (")[0] for line in told] == [
        "'streams.door': expected a path such as looks.min_look_s or streams.door.aois.shelf; name one value",
        "'looks': expected a path such as looks.min_look_s or streams.door.aois.shelf; name one value",
        "engine.batch_size: expected greater than or equal to 1, got 0",
        "streams.door.aois.shelff: expected an area, got no such one; did you mean 'shelf'?",
        "streams.door.aois.tea: a polygon needs 3 points or more, got 1",
        "streams.yard.max_pfs: unknown key; did you mean 'max_fps'?",
        "looks.min_look_s: expected a number, got 'long'",
        "looks.min_loks: unknown key; did you mean 'min_look_s'?",
        f"loks: {desk.graph} has no such node; did you mean 'looks'?",
    ]
    assert desk.wrong(lambda: desk.steering.configure({"looks.helper": "gone"})) == [
        "looks.helper: expected a file, got 'gone'"
    ]


def test_what_cannot_change_is_refused_with_all_reasons_and_nothing_is_done(desk: Desk) -> None:
    told = desk.refused(lambda: desk.steering.configure({
        "looks.min_look_s": 1, "looks.keep_s": 2, "looks.model": "two", "frames.threads": 2, "engine.batch_size": 4,
        "streams.door.url": "rtsp://gate/1", "streams.door.start_time": None, "streams.yard.realtime": True,
    }))  # fmt: skip

    assert told == [
        f"engine.batch_size: cannot change while the graph runs, {LAID_OUT}",
        "looks.model: cannot change while the graph runs, because models are opened when a run begins; restart",
        "looks.keep_s: cannot change while the graph runs, because it is taken up when a run begins; restart",
        "frames.threads: cannot change while the graph runs, because sources are made with it; restart",
        "streams.door.url: cannot change while the graph runs, because what came from elsewhere would be another "
        "stream; remove the stream and add it again",
        "streams.door.start_time: cannot change while the graph runs, because the times of its events would jump; "
        "remove the stream and add it again",
        "streams.yard.realtime: cannot change while the graph runs, because it would be read in another way; "
        "remove the stream and add it again",
    ]
    assert desk.steering.configure({"looks.min_look_s": 1}) == ["looks.min_look_s"]


def test_what_is_wrong_is_told_with_what_is_refused(desk: Desk) -> None:
    told = desk.wrong(lambda: desk.steering.configure({"looks.keep_s": 2, "looks.min_look_s": -1, "log.x": 1}))

    assert told == ["looks.min_look_s: expected greater than or equal to 0, got -1", "log.x: unknown key (keys: none)"]
    told = desk.wrong(lambda: desk.steering.configure({"looks.keep_s": 2, "log.x": 1}))
    assert told == [
        "log.x: unknown key (keys: none)",
        "looks.keep_s: cannot change while the graph runs, because it is taken up when a run begins; restart",
    ]


def test_values_of_a_file_stay_as_they_are(desk: Desk) -> None:
    desk.run._streams["clip"] = Stream("clip", StreamConfig(url="clip.mp4"))

    assert desk.refused(lambda: desk.steering.configure({"streams.clip.aois.tea": SHELF})) == [
        "streams.clip.aois: cannot change while the graph runs, because files are run as configured; "
        "change the configuration and run it again"
    ]


def test_a_stream_that_is_not_here_is_named(desk: Desk) -> None:
    told = [
        "streams.dor: expected a stream of this run, got none of that id; did you mean 'door'? (streams: door, yard)"
    ]

    assert desk.wrong(lambda: desk.steering.configure({"streams.dor.max_fps": 3}), UnknownStreamError) == told
    for ask in (desk.steering.remove, desk.steering.pause, desk.steering.resume):
        assert desk.wrong(lambda ask=ask: ask("dor"), UnknownStreamError) == told


# streams


def test_streams_are_added_paused_resumed_and_removed(desk: Desk) -> None:
    desk.steering.add("gate", {"url": "rtsp://gate/1", "aois": {"shelf": SHELF}})
    desk.steering.pause("gate")
    desk.steering.resume("gate")
    desk.steering.remove("gate")

    added = Stream("gate", StreamConfig.model_validate({"url": "rtsp://gate/1", "aois": {"shelf": SHELF}}), True)
    assert desk.run.asked == [("add", added), ("pause", "gate"), ("resume", "gate"), ("remove", "gate")]
    assert desk.steering.status() == "status"


def test_a_file_is_added_only_as_if_it_were_live(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    wanted = "streams.clip.url: expected the URL of something live, or a file with realtime: true, got"
    cure = "run files by themselves, because none of their frames may be dropped"

    assert desk.refused(lambda: desk.steering.add("clip", {"url": "clip.mp4"})) == [f"{wanted} 'clip.mp4'; {cure}"]
    assert desk.wrong(lambda: desk.steering.add("clip", {"url": "nowhere.mp4", "realtime": True})) == [
        "streams.clip.url: expected a file, got 'nowhere.mp4', which is not there; check the path"
    ]
    desk.steering.add("clip", {"url": "clip.mp4", "realtime": True})
    ((_, stream),) = desk.run.asked
    assert (stream.live, stream.config.url) == (True, str(tmp_path / "clip.mp4"))


def test_a_stream_that_cannot_be_added_is_refused(desk: Desk) -> None:
    url = {"url": "rtsp://gate/1"}

    assert desk.refused(lambda: desk.steering.add("door", url)) == [
        "streams.door: expected another id, got one that is taken; remove that stream first"
    ]
    assert desk.refused(lambda: desk.steering.add("Door", url)) == [
        "streams.Door: expected an id that differs from 'door' in more than capitals, got 'Door': some disks would mix "
        "their results; choose another"
    ]
    assert desk.wrong(lambda: desk.steering.add("a/b", {"url": "rtsp://u:secret@gate", "max_fps": 0, "aoi": {}})) == [
        "streams.a/b.max_fps: expected greater than 0, got 0",
        "streams.a/b.aoi: unknown key; did you mean 'aois'? (keys: url, aois, masks, hfov_deg, camera_matrix, "
        "camera_size_wh, camera_origin, max_fps, when_full, realtime, max_age_ms, start_time)",
        "streams: expected a stream id of a-z, A-Z, 0-9, _ and - only, got 'a/b'; choose another",
    ]
    assert desk.wrong(lambda: desk.steering.add("gate", {})) == ["streams.gate.url: expected a value, got none; add it"]


def test_changes_from_several_threads_are_all_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = desk.run.streams
    monkeypatch.setattr(desk.run, "streams", lambda: [streams(), threading.Event().wait(0.002)][0])
    names = [f"area-{number}" for number in range(8)]
    threads = [
        threading.Thread(target=desk.steering.configure, args=({f"streams.door.aois.{name}": SHELF},)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(desk.run.streams()["door"].config.aois) == {"shelf", *names}
