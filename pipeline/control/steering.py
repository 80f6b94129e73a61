"""Change a graph while it runs: streams come and go, values change. All that is asked for at once, or nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pipeline.config import RunConfig, shown
from pipeline.configured import with_values
from pipeline.control.changes import Findings, check_engine, check_layout, node_changes, stream_changes
from pipeline.control.wanted import check_id, checked, live_stream, node_with, stream_with
from pipeline.errors import ConfigError, GraphError, UnknownStreamError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.node import NodeConfig
from pipeline.settings import EngineConfig
from pipeline.status import RunStatus
from pipeline.streams import StreamConfig
from pipeline.suggest import did_you_mean
from pipeline.urls import redact

V = TypeVar("V")
Read = Callable[[], tuple[Graph, RunConfig, list[Stream]]]
"""Reads graph, configuration and the streams to run as they are written now."""


class Steered(Protocol):
    """A run that can be changed; values are checked by who asks."""

    def status(self) -> RunStatus:
        """Return what the run says of itself now."""

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams that are here, by id, with the values that they have now."""

    def add_stream(self, stream: Stream) -> None:
        """Begin a live stream."""

    def remove_stream(self, stream_id: str) -> None:
        """End a stream."""

    def pause_stream(self, stream_id: str) -> None:
        """Let go of a stream for a while."""

    def resume_stream(self, stream_id: str) -> None:
        """Read a paused stream again."""

    def configure(self, streams: dict[str, StreamConfig], nodes: dict[str, dict[str, Any]]) -> None:
        """Change values at one tick: all values of some streams, and by name and field those of nodes that change."""


class Steering:
    """Checks and merges what is asked of a run with live streams, and asks it. Safe to use from any thread.

    Args:
        runtime: the run.
        graph: what it runs, with the values it began with.
        config: the configuration that it began with.
        read: reads both again, with the options that were given by hand, for `reload()`.
        streams: all streams of that configuration, files too, which have been run by themselves.
        root: the folder of the program, where model cards and files are looked for.
    """

    def __init__(
        self,
        runtime: Steered,
        graph: Graph,
        config: RunConfig,
        read: Read,
        *,
        streams: Iterable[Stream] = (),
        root: Path,
    ) -> None:
        self._runtime, self._graph, self._config, self._read, self._root = runtime, graph, config, read, root
        self._files = {stream.id: stream for stream in streams if not stream.live}
        self._by_hand: set[str] = set()
        """Streams that were added here and stand in no file."""
        self._lock = threading.RLock()

    def status(self) -> RunStatus:
        """Return what the run says of itself now."""
        return self._runtime.status()

    def add(self, stream_id: str, values: Mapping[str, Any]) -> None:
        """Begin to read a stream.

        Args:
            stream_id: letters, digits, `_` and `-`; not taken, and other than those there are in more than capitals.
            values: as in a block `streams.<id>` of a configuration.

        Raises:
            ConfigError: id or values are wrong; one line for each problem.
            RefusedError: the id is taken, or files cannot be added.
        """
        with self._lock:
            found = Findings()
            config = checked(StreamConfig, f"streams.{stream_id}", values, found)
            running = self._runtime.streams()
            stream = live_stream(stream_id, config, self._graph, self._root, found) if config else None
            check_id(stream_id, [*running, *self._files], found)
            found.raise_any()
            assert stream is not None
            self._runtime.add_stream(stream)
            self._by_hand.add(stream_id)

    def remove(self, stream_id: str) -> None:
        """End a stream and forget it.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        with self._lock:
            self._known(stream_id)
            self._runtime.remove_stream(stream_id)
            self._by_hand.discard(stream_id)

    def pause(self, stream_id: str) -> None:
        """Stop reading a stream, but keep it.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        with self._lock:
            self._known(stream_id)
            self._runtime.pause_stream(stream_id)

    def resume(self, stream_id: str) -> None:
        """Read a paused stream again.

        Raises:
            UnknownStreamError: there is none of that id.
        """
        with self._lock:
            self._known(stream_id)
            self._runtime.resume_stream(stream_id)

    def configure(self, values: Mapping[str, Any]) -> list[str]:
        """Change values at one tick, all or none.

        Args:
            values: by dotted path: `looks.min_look_s`, `streams.door.max_fps`, `streams.door.aois`, or one area
                `streams.door.aois.shelf`, which None removes.

        Returns:
            The paths that changed.

        Raises:
            UnknownStreamError: a path names a stream that is not here.
            ConfigError: a path or value is wrong; one line for each.
            RefusedError: a value cannot change while the graph runs; one line for each reason.
        """
        with self._lock:
            found = Findings()
            nodes: dict[str, dict[str, Any]] = {}
            streams: dict[str, dict[str, Any]] = {}
            for path, value in values.items():
                head, _, rest = path.partition(".")
                name, _, key = rest.partition(".") if head == "streams" else (head, "", rest)
                if not key:
                    found.problems.append(
                        f"{shown(path)}: expected a path such as looks.min_look_s or streams.door.aois.shelf; "
                        "name one value"
                    )
                else:
                    (streams if head == "streams" else nodes).setdefault(name, {})[key] = value
            for stream_id in streams:
                self._known(stream_id)
            self._check_engine(nodes.pop("engine", {}), found)
            configs = {id: stream_with(self._known(id), wanted, found) for id, wanted in streams.items()}
            wanted = {name: node_with(self._graph, name, fields, self._root, found) for name, fields in nodes.items()}
            return self._apply(_whole(configs), _whole(wanted), found)

    def reload(self) -> list[str]:
        """Read graph and configuration again, and make what runs what is written there, at one tick and as one.

        What was changed here goes back to what is written. Streams that were added here stay, as do values and streams
        that were given on the command line.

        Returns:
            The paths that changed; `streams.<id>` of streams that came or went.

        Raises:
            ConfigError: what is written is wrong; one line for each problem.
            RefusedError: something cannot change while the graph runs; one line for each reason.
        """
        with self._lock:
            try:
                graph, config, streams = self._read()
            except GraphError as error:
                raise ConfigError(str(error)) from error
            found = Findings(where=config.where)
            check_layout(self._graph, graph, found)
            check_engine(self._config.engine, config.engine, found)
            running = self._runtime.streams()
            wanted = {stream.id: stream for stream in streams}
            self._check_files(wanted, found)
            come = [stream for stream in streams if stream.live and stream.id not in running]
            gone = [id for id, one in running.items() if one.live and id not in wanted and id not in self._by_hand]
            for stream in come:
                check_id(stream.id, [*(id for id in running if id not in gone), *self._files], found)
            configs = {id: _begun(running[id], one.config) for id, one in wanted.items() if id in running and one.live}
            types = {spec.name: spec.type for spec in self._graph.nodes}
            nodes = {spec.name: spec.config for spec in graph.nodes if types.get(spec.name) == spec.type}
            begun = [f"streams.{stream_id}" for stream_id in (*gone, *(stream.id for stream in come))]
            changed = self._apply(configs, nodes, found, leave=gone, join=come)
            self._by_hand -= wanted.keys()
            self._config = config
            return begun + changed

    def _apply(
        self,
        configs: Mapping[str, StreamConfig],
        nodes: Mapping[str, NodeConfig],
        found: Findings,
        leave: Iterable[str] = (),
        join: Iterable[Stream] = (),
    ) -> list[str]:
        """Do what is asked for if nothing speaks against it; return the paths of values that changed.

        Raises:
            ConfigError, RefusedError: something does; then nothing is done.
        """
        running = self._runtime.streams()
        changes = {name: node_changes(self._graph.node(name), config, found) for name, config in nodes.items()}
        paths = {id: stream_changes(running[id], config, found) for id, config in configs.items()}
        found.raise_any()
        changes = {name: fields for name, fields in changes.items() if fields}
        for stream_id in leave:
            self._runtime.remove_stream(stream_id)
        for stream in join:
            self._runtime.add_stream(stream)
        changed = {id: configs[id] for id in configs if paths[id]}
        if changed or changes:
            self._runtime.configure(changed, changes)
            self._graph = with_values(self._graph, changes)
        return [
            *(path for told in paths.values() for path in told),
            *(f"{name}.{key}" for name, fields in changes.items() for key in fields),
        ]

    # what is asked for

    def _known(self, stream_id: str) -> Stream:
        running = self._runtime.streams()
        if stream_id in running:
            return running[stream_id]
        raise UnknownStreamError(
            f"streams.{redact(stream_id)}: expected a stream of this run, got none of that id"
            f"{did_you_mean(stream_id, running, 'streams')}"
        )

    def _check_files(self, wanted: Mapping[str, Stream], found: Findings) -> None:
        """Note files that are new or have other values: they are run one by one before live streams."""
        for stream in wanted.values():
            known = self._files.get(stream.id)
            if known and not stream.live:
                stream_changes(known, stream.config, found)
            elif not stream.live:
                found.refuse(
                    ("streams", stream.id),
                    "cannot be added while the graph runs, because files are run one by one before live streams; "
                    "run it by itself",
                )

    def _check_engine(self, fields: Mapping[str, Any], found: Findings) -> None:
        if fields:
            before = self._config.engine
            after = checked(EngineConfig, "engine", {**before.model_dump(), **fields}, found)
            check_engine(before, after or before, found)


def _begun(stream: Stream, config: StreamConfig) -> StreamConfig:
    """Return the values written for a stream that runs, which began when it did unless they say otherwise."""
    return config if config.start_time else config.model_copy(update={"start_time": stream.config.start_time})


def _whole(made: Mapping[str, V | None]) -> dict[str, V]:
    """Return what could be made."""
    return {name: value for name, value in made.items() if value is not None}
