"""Record a whole run: what events are decided from, how it was run, and the events that were decided."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.logs import keep, lines_of
from cli.manifest import MANIFEST, Manifest, RecordedRun, RecordedStream
from pipeline.config import RunConfig
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.lineage import Model
from pipeline.outputs import make_folder, write_atomically
from pipeline.report import RunReport
from pipeline.urls import redact, redacted


class NewRecording:
    """Keeps the manifest of a recording true while it is made, so that a run that is killed leaves one, too."""

    def __init__(
        self, folder: Path, graph: Graph, config: RunConfig, edges: Iterable[str], models: dict[str, Model]
    ) -> None:
        """Note what is run; nothing is written yet.

        Raises:
            ConfigError: the graph cannot be read any more.
        """
        self.folder = folder
        nodes = {spec.name: spec.config.model_dump(mode="json") for spec in graph.nodes}
        path = Path(graph.path)
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
        self._manifest = Manifest(
            graph=path.name,
            graph_text=text,
            edges=tuple(edges),
            values=redacted({**nodes, "engine": config.engine.model_dump(mode="json")}),
            models=models,
            streams={},
            runs={},
        )
        self._began_s = 0
        self._generations: dict[str, dict[str, int]] = {}
        """First generation of each stream, by run."""

    def begin(self, run: str, streams: Sequence[Stream], began_s: int) -> None:
        """Note that a run begins.

        Args:
            run: its name.
            streams: what it reads, live streams with the time at which they begin.
            began_s: first generation of live streams.

        Raises:
            PipelineError: it cannot be written.
        """
        known = {
            stream.id: RecordedStream(live=stream.live, config=redacted(stream.config.model_dump(mode="json")))
            for stream in streams
        }
        self._manifest.streams.update(known)
        self._began_s = began_s
        self._generations[run] = {stream.id: began_s if stream.live else 0 for stream in streams}
        self._note(run, RecordedRun(streams=tuple(known)))

    def finish(self, run: str, report: RunReport, files: Iterable[Path], out: Path) -> None:
        """Note how a run ended, and keep the events that it wrote.

        Args:
            run: its name.
            report: how it went.
            files: logs of events, below `out`.
            out: the folder of results.

        Raises:
            PipelineError: something cannot be read or written.
        """
        known = self._manifest.runs[run]
        ended = redact(report.error or report.status)
        if not report.whole:
            self._note(run, known.model_copy(update={"ended": ended}))
            return
        logs = []
        for file in files:
            name = file.relative_to(out)
            # a live stream that is not known was added while the graph ran
            lines = lines_of(file, self._generations[run].get(name.parts[0], self._began_s))
            logs.append(keep(name.as_posix(), lines, self.folder / run))
        self._note(run, known.model_copy(update={"ended": ended, "logs": tuple(logs)}))

    def _note(self, run: str, what: RecordedRun) -> None:
        self._manifest.runs[run] = what
        plain = self._manifest.model_dump(mode="json")
        text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(make_folder(self.folder) / MANIFEST, text + "\n")
