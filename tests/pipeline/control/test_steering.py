"""What is asked of a running graph is checked as a whole, and then done as a whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from pipeline.config import RunConfig, load_config
from pipeline.control.steering import Steering
from pipeline.errors import ConfigError, GraphError, RefusedError, UnknownStreamError
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph, load_graph
from pipeline.node import Node, NodeConfig, Source
from pipeline.streams import StreamConfig
from pipeline.urls import is_live
from tests.pipeline.rig import Stamps

SHELF = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
TALL = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0]]
LAID_OUT = "because threads and queues are laid out when a run begins; restart"
GRAPH = """\
frames: {type: read}
looks:  {type: look, in: {frames: frames}}
log:    {type: log,  in: {looks: looks}}
"""
CONFIG = """\
streams:
  door: {url: "rtsp://me:secret@door/1", aois: {shelf: [[0, 0], [1, 0], [1, 1]]}, max_fps: 5}
  yard: {url: "rtsp://yard/1"}
engine: {batch_size: 2}
looks: {min_look_s: 0.5}
"""


class ReadConfig(NodeConfig):
    threads: int = Field(default=1, json_schema_extra={"live": True})
    """Of a source."""


class Read(Source[ReadConfig]):
    is_live = staticmethod(is_live)

    def process(self) -> FrameBatch:
        raise NotImplementedError


class LookConfig(NodeConfig):
    min_look_s: float = Field(default=0.2, ge=0, json_schema_extra={"live": True})
    """A live value."""
    span: tuple[int, int] = Field(default=(1, 2), json_schema_extra={"live": True})
    """Another one."""
    helper: str = Field(default="", json_schema_extra={"live": True})
    """One that names what must be there."""
    model: str = Field(default="one", json_schema_extra={"card": True})
    """A card."""
    keep_s: float = 1.0
    """A value that is taken up once."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"helper": [f"expected a file, got {self.helper!r}"]} if self.helper == "gone" else {}


class Look(Node[LookConfig]):
    def process(self, frames: FrameBatch) -> Stamps:
        raise NotImplementedError


class Log(Node[NodeConfig]):
    def process(self, looks: Stamps) -> None:
        raise NotImplementedError


CLASSES: dict[str, Any] = {"read": Read, "look": Look, "log": Log}


class Run:
    """Stands for a run: keeps what it is asked for."""

    def __init__(self, streams: list[Stream]) -> None:
        self.asked: list[Any] = []
        self._streams = {stream.id: stream for stream in streams}

    def status(self) -> Any:
        return "status"

    def streams(self) -> dict[str, Stream]:
        return dict(self._streams)

    def add_stream(self, stream: Stream) -> None:
        self.asked.append(("add", stream))
        self._streams[stream.id] = stream

    def remove_stream(self, stream_id: str) -> None:
        self.asked.append(("remove", stream_id))
        del self._streams[stream_id]

    def pause_stream(self, stream_id: str) -> None:
        self.asked.append(("pause", stream_id))

    def resume_stream(self, stream_id: str) -> None:
        self.asked.append(("resume", stream_id))

    def configure(self, streams: dict[str, StreamConfig], nodes: dict[str, dict[str, Any]]) -> None:
        self.asked.append(("configure", streams, nodes))
        for stream_id, config in streams.items():
            self._streams[stream_id] = replace(self._streams[stream_id], config=config)


class Desk:
    """Files that are read, a run, and what steers it."""

    def __init__(self, folder: Path) -> None:
        self.graph, self.config = folder / "graph.yaml", folder / "config.yaml"
        self.graph.write_text(GRAPH, "utf-8")
        self.config.write_text(CONFIG, "utf-8")
        graph, config, streams = self.read()
        begun = {"start_time": "2024-05-01T12:00:00Z"}
        self.run = Run([
            replace(stream, config=StreamConfig.model_validate({**stream.config.model_dump(), **begun}))
            for stream in streams
            if stream.live
        ])  # fmt: skip
        self.steering = Steering(self.run, graph, config, self.read, streams=streams, root=folder)

    def read(self) -> tuple[Graph, RunConfig, list[Stream]]:
        config = load_config(self.config)
        graph = load_graph(self.graph, config, CLASSES.__getitem__, root=self.graph.parent)
        streams = [Stream(id, one, is_live(one.url) or one.realtime) for id, one in config.streams.items()]
        return graph, config, streams

    def rewrite(self, old: str, new: str) -> None:
        """Change what is written."""
        for path in (self.graph, self.config):
            path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")

    def refused(self, ask: Callable[[], Any]) -> list[str]:
        """Ask for what is refused; return the reasons."""
        return self.wrong(ask, RefusedError)

    def wrong(self, ask: Callable[[], Any], kind: type[ConfigError] = ConfigError) -> list[str]:
        """Ask for what cannot be; return what is said about it."""
        with pytest.raises(ConfigError) as error:
            ask()
        assert type(error.value) is kind
        assert self.run.asked == []
        return str(error.value).splitlines()


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
        "streams.a/b.aoi: unknown key; did you mean 'aois'? (keys: url, aois, masks, hfov_deg, camera_matrix, max_fps, "
        "when_full, realtime, max_age_ms, start_time)",
        "streams: expected a stream id of a-z, A-Z, 0-9, _ and - only, got 'a/b'; choose another",
    ]
    assert desk.wrong(lambda: desk.steering.add("gate", {})) == ["streams.gate.url: expected a value, got none; add it"]


# what is written


def test_a_reload_makes_what_runs_what_is_written(desk: Desk) -> None:
    desk.rewrite('  yard: {url: "rtsp://yard/1"}', '  gate: {url: "rtsp://gate/1"}')
    desk.rewrite("min_look_s: 0.5", "min_look_s: 0.75")
    desk.rewrite("shelf: [[0, 0]", "rack: [[0, 0]")
    desk.rewrite("max_fps: 5", "max_fps: 10")

    assert desk.steering.reload() == [
        "streams.yard", "streams.gate", "streams.door.aois.shelf", "streams.door.aois.rack", "streams.door.max_fps",
        "looks.min_look_s",
    ]  # fmt: skip
    left, come, (_, streams, nodes) = desk.run.asked
    assert left == ("remove", "yard")
    assert come == ("add", Stream("gate", StreamConfig(url="rtsp://gate/1"), True))
    assert nodes == {"looks": {"min_look_s": 0.75}}
    assert streams["door"].start_time is not None
    assert desk.steering.reload() == []


def test_a_reload_of_what_is_written_already_changes_nothing(desk: Desk) -> None:
    assert desk.steering.reload() == []
    assert desk.run.asked == []


def test_a_reload_takes_changes_back_but_leaves_streams_that_were_added(desk: Desk) -> None:
    desk.steering.configure({"looks.min_look_s": 3})
    desk.steering.add("gate", {"url": "rtsp://gate/1"})
    desk.steering.remove("yard")
    desk.run.asked.clear()

    assert desk.steering.reload() == ["streams.yard", "looks.min_look_s"]
    assert desk.run.asked[1:] == [("configure", {}, {"looks": {"min_look_s": 0.5}})]
    assert set(desk.run.streams()) == {"door", "gate", "yard"}


def test_a_stream_that_was_added_and_then_written_goes_when_it_is_written_no_more(desk: Desk) -> None:
    line = '  yard: {url: "rtsp://yard/1"}'
    desk.steering.add("gate", {"url": "rtsp://gate/1"})
    desk.rewrite(line, f'{line}\n  gate: {{url: "rtsp://gate/1"}}')
    assert desk.steering.reload() == []
    desk.rewrite('\n  gate: {url: "rtsp://gate/1"}', "")

    assert desk.steering.reload() == ["streams.gate"]


def test_a_reload_that_needs_a_restart_is_refused_as_a_whole(desk: Desk) -> None:
    desk.rewrite("batch_size: 2", "batch_size: 4")
    desk.rewrite("min_look_s: 0.5", "min_look_s: 0.75, keep_s: 9")
    desk.rewrite("rtsp://yard/1", "rtsp://yard/2")
    desk.rewrite("log:    {type: log,  in: {looks: looks}}", "more: {type: look, in: {frames: frames}, stage: new}")
    desk.rewrite("looks:  {type: look,", "looks:  {stage: new, type: look,")
    desk.rewrite("engine:", "  clip: {url: clip.mp4}\nengine:")

    assert desk.refused(desk.steering.reload) == [
        f"{desk.graph}: log: cannot be taken out while the graph runs, {LAID_OUT}",
        f"{desk.graph}:3: more: cannot be put in while the graph runs, {LAID_OUT}",
        f"{desk.graph}:2: looks.stage: cannot change while the graph runs, {LAID_OUT}",
        f"{desk.config}:5: engine.batch_size: cannot change while the graph runs, {LAID_OUT}",
        f"{desk.config}:4: streams.clip: cannot be added while the graph runs, because files are run one by one before "
        "live streams; run it by itself",
        f"{desk.config}:6: looks.keep_s: cannot change while the graph runs, because it is taken up when a run begins; "
        "restart",
        f"{desk.config}:3: streams.yard.url: cannot change while the graph runs, because what came from elsewhere "
        "would be another stream; remove the stream and add it again",
    ]


def test_a_node_of_another_type_is_refused(desk: Desk) -> None:
    desk.rewrite("looks:  {type: look, in: {frames: frames}}", "looks:  {type: other, in: {frames: frames}}")
    desk.rewrite("looks: {min_look_s: 0.5}", "")
    CLASSES["other"] = type("Other", (Look,), {"process": Look.process, "__orig_bases__": (Node[NodeConfig],)})

    assert desk.refused(desk.steering.reload) == [
        f"{desk.graph}:2: looks.type: cannot change while the graph runs, {LAID_OUT}"
    ]


def test_what_is_written_wrongly_is_told_and_nothing_is_done(desk: Desk) -> None:
    desk.rewrite("min_look_s: 0.5", "min_look_s: -1")
    assert desk.wrong(desk.steering.reload) == [
        f"{desk.config}:5: looks.min_look_s: expected greater than or equal to 0, got -1"
    ]

    def fail() -> Any:
        raise GraphError("graph.yaml:1: broken")

    desk.steering._read = fail
    assert desk.wrong(desk.steering.reload) == ["graph.yaml:1: broken"]


def test_a_file_that_was_run_before_may_stay_but_not_change(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.rewrite("engine:", "  clip: {url: clip.mp4}\nengine:")
    graph, config, streams = desk.read()
    desk.steering = Steering(desk.run, graph, config, desk.read, streams=streams, root=tmp_path)

    assert desk.steering.reload() == []
    desk.rewrite("{url: clip.mp4}", "{url: clip.mp4, hfov_deg: 60}")
    assert desk.refused(desk.steering.reload) == [
        f"{desk.config}:4: streams.clip.hfov_deg: cannot change while the graph runs, because files are run as "
        "configured; change the configuration and run it again"
    ]


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
