"""Publish events and measures over ZeroMQ as they happen, and keep them for latecomers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field

from nodes.ops import cloud_events, measure_events
from nodes.types import Measures, Visits
from pipeline.bus import curve
from pipeline.bus.keeper import Keeper
from pipeline.bus.message import Begun, Message
from pipeline.bus.publisher import Publisher
from pipeline.bus.wire import check_endpoint, default_requests
from pipeline.errors import ConfigError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

Endpoint = Annotated[str, AfterValidator(check_endpoint)]


class Config(NodeConfig):
    endpoint: Endpoint = "tcp://127.0.0.1:5570"
    """Where subscribers connect to: `tcp://HOST:PORT` or `ipc://PATH`. `tcp://*:5570` lets other machines read; then
    give `keys`."""
    requests: Endpoint | None = None
    """Where subscribers ask for what they missed. None: one port above `endpoint`, or its path with `-requests`."""
    log: str | None = Field(default="events.db", pattern=r"^[^/\\]+$")
    """Name of the durable log in the folder of the run: events are on the disk before they are sent, and stay from run
    to run. None: nothing is kept; who misses an event has missed it."""
    keep_days: float = Field(default=30.0, gt=0)
    """Events older than this are forgotten, days. Raise for subscribers that are away for longer; costs disk."""
    keep_mb: float = Field(default=512.0, ge=1)
    """From this size on the log forgets its oldest events, megabytes; what SQLite keeps beside it may take 64 more. To
    read a full log of 512 at the start takes a second, in which events wait."""
    format: cloud_events.Form = "json"
    """How events are written: `json`, or `msgpack`, which is smaller; each message says which."""
    queue: int = Field(default=10_000, ge=1, le=1_000_000_000)
    """Events kept in memory for each subscriber that reads too slowly, and while the log cannot be used; those beyond
    must be asked for, or are not logged. Raise for longer hiccups; costs a kilobyte each."""
    linger_s: float = Field(default=0.5, ge=0, le=3600)
    """How long the end of a run waits at most for subscribers to take the last events and to ask for what they missed,
    seconds."""
    keys: Path | None = None
    """Folder of keys that `run_graph.py keys` made: what is sent is encrypted, and goes to those alone whose key is in
    its folder `clients`. None: everybody who can connect can read."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        """Return what is wrong with the keys."""
        if self.keys is not None:
            try:
                curve.check_server_keys(self.keys)
            except ConfigError as error:
                return {"keys": [str(error)]}
        return {}


class PublishEvents(Node[Config]):
    """Send each event as three frames: topic, headers, and the bytes that `write_events` writes (docs/zeromq.md).

    Topics are `look/<stream>/<track>/` and `measure/<stream>/`. Publishing never holds up the graph: a thread of its
    own brings events to the disk and sends them. Who comes late asks for the visits that are open; who missed
    something, for that. Events that the log has already, as when the same file is run again, are not sent again.

    Visits that a killed run left open are ended, with the reason `interrupted` and as they were last told, when the
    first frame of a later generation of their stream comes. Where a port is taken, or the log cannot be used, this is
    said and the run goes on.

    State: the generation that each stream is in; the log, from run to run. Empty: nothing is sent.
    Ref: ZeroMQ RFC 29 (publish-subscribe).
    """

    sink_policy = "keep"
    reaches_out = True

    def open(self) -> None:
        config, name = self.config, self.context.name
        self.context.lineage("looks")  # a model that is missing is complained of before anything is sent
        self._generations: dict[str, int] = {}
        keeper = Keeper(
            name,
            None if config.log is None else self.context.run_path(config.log),
            keep_s=config.keep_days * 86400,
            keep_bytes=round(config.keep_mb * 1e6),
            room=config.queue,
            interrupted=interrupted,
        )
        self._publisher = Publisher(
            name,
            config.endpoint,
            config.requests or default_requests(config.endpoint),
            keeper,
            keys=config.keys,
            queue=config.queue,
            linger_s=config.linger_s,
        )

    def process(self, frames: FrameBatch, looks: Visits, measures: Measures | None = None) -> None:
        items = [*self._look_messages(frames, looks), *self._measure_messages(frames, measures)]
        if items:
            self._publisher.offer(items)

    def stream_ended(self, stream_id: str) -> None:
        self._generations.pop(stream_id, None)

    def close(self) -> None:
        if hasattr(self, "_publisher"):  # it could be opened
            self._publisher.close()

    def _look_messages(self, frames: FrameBatch, looks: Visits) -> Iterator[Message | Begun]:
        """Yield the messages of a tick; before the first one of a generation, that it has begun."""
        origins = self.context.lineage("looks").origins(frames.streams)
        form = self.config.format
        for event, sequence in zip(cloud_events.events(looks, origins), looks.sequence.tolist(), strict=True):
            look = event.data
            yield from self._begun(event.source, look.stream, look.generation)
            yield Message(
                topic=f"look/{look.stream}/{look.track}/",
                id=event.id,
                source=event.source,
                generation=look.generation,
                sequence=sequence,
                contenttype=cloud_events.MEDIA_TYPES[form],
                key=look.visit,
                holds=event.type in cloud_events.OPEN,
                data=cloud_events.encode(event, form),
            )
        for stream, generation in dict(zip(frames.stream_id, frames.generation.tolist(), strict=True)).items():
            if stream not in self._generations:  # later ones tell of what draws on frames, too, not only of the stream
                yield from self._begun(cloud_events.source(origins[stream][0], stream), stream, generation)

    def _measure_messages(self, frames: FrameBatch, measures: Measures | None) -> Iterator[Message]:
        if measures is None or not len(measures):
            return
        form = self.config.format
        for event in measure_events.events(measures, self.context.lineage("measures").origins(frames.streams)):
            yield Message(
                topic=f"measure/{event.data.stream}/",
                id=event.id,
                source=event.source,
                generation=event.data.generation,
                sequence=cloud_events.sequence_numbers(event.sequence)[1],
                contenttype=cloud_events.MEDIA_TYPES[form],
                key=event.id,
                holds=False,
                data=measure_events.encode(event, form),
            )

    def _begun(self, source: str, stream: str, generation: int) -> Iterator[Begun]:
        if self._generations.get(stream, -1) < generation:
            self._generations[stream] = generation
            yield Begun(source, generation)


def interrupted(last: Message, sequence: int) -> Message | None:
    """Return the end of a visit that a killed run left open; None where its last event cannot be read."""
    try:
        data = cloud_events.interrupted(last.data, sequence)
        ended = cloud_events.decode(data)
    except msgspec.DecodeError:
        return None
    return msgspec.structs.replace(last, id=ended.id, sequence=sequence, holds=False, data=data)
