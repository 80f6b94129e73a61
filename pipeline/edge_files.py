"""The edges that a run writes down, and those that it reads in place of nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.feed import open_recording
from pipeline.graph import Graph
from pipeline.recording import Recorder, Recording
from pipeline.tick import Tick


class EdgeFiles:
    """Recorders and recordings of one run, by edge.

    Args:
        whole: the whole graph.
        run: the nodes of it that are run.
        record: folders to record edges to.
        replay: folders to read edges from.
        again: those of `replay` that an earlier pass of this run has written down; they can be recorded, too.

    Raises:
        ConfigError: an edge that is to be recorded has no values, or its node is not run.
    """

    def __init__(
        self, whole: Graph, run: Graph, record: Mapping[str, Path], replay: Mapping[str, Path], again: Collection[str]
    ) -> None:
        self.recordings: dict[str, Recording] = {}
        """In the order of the graph, once they are open."""
        self._whole, self._source, self._again = whole, run.source.name, tuple(again)
        self._record, self._replay = dict(record), dict(replay)
        self._recorders: dict[str, Recorder] = {}
        for edge in self._record:
            spec = whole.node(edge)
            if spec.ports.output is None:
                raise ConfigError(f"--record {edge}: expected an edge with values, got a sink; record what it reads")
            if spec not in run.nodes and edge not in self._again:
                raise ConfigError(
                    f"--record {edge}: expected a node that is run, got one that a replayed edge stands in for; "
                    "record what is below"
                )

    def open(self) -> None:
        """Open all files.

        Raises:
            PipelineError: one cannot be opened, or is of something else.
        """
        for spec in self._whole.nodes:  # in graph order, whatever the order of the options
            if spec.name in self._replay:
                folder = self._replay[spec.name]
                self.recordings[spec.name] = open_recording(self._whole, spec.name, folder, spec.name in self._again)
        for edge in self._replay.keys() - self.recordings.keys():
            open_recording(self._whole, edge, self._replay[edge])  # says that there is no such node
        for edge, folder in self._record.items():
            kind = self._whole.node(edge).ports.output
            assert kind is not None
            self._recorders[edge] = Recorder(edge, kind, folder)

    def write_down(self, name: str, tick: Tick) -> None:
        """Record what a node has put out, if it is asked for; with the source, what an earlier pass has made.

        Raises:
            PipelineError: it cannot be written.
        """
        made = [name, *self._again] if name == self._source else [name]
        for edge in dict.fromkeys(made):
            if edge in self._recorders:
                self._recorders[edge].add(tick)

    def close(self) -> None:
        """Close all files."""
        for recorder in self._recorders.values():
            recorder.close()
        for recording in self.recordings.values():
            recording.close()
