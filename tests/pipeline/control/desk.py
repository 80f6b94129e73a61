"""A graph that is steered: its files, and a run that keeps what it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from pipeline.config import RunConfig, load_config
from pipeline.control.steering import Steering
from pipeline.errors import ConfigError, RefusedError
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
