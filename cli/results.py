"""The folder of one stream's results: is it finished, and what does its `summary.json` say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.sources import files_of
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.node import Source
from pipeline.outputs import make_folder, write_atomically
from pipeline.urls import redact

SUMMARY = "summary.json"
PROGRAM = ("pipeline/**/*.py", "nodes/**/*.py", "models/*", "configs/models/*")
"""What besides graph, configuration and input decides on results."""


@dataclass(frozen=True)
class Results:
    """Results of one stream in `<out>/<stream id>/`."""

    folder: Path
    fingerprint: str

    @property
    def summary(self) -> Path:
        """Return the file that says how the run went; it is written last."""
        return self.folder / SUMMARY

    def finished(self) -> bool:
        """Tell whether the same graph, configuration, program and input ran to the end here."""
        try:
            summary = json.loads(self.summary.read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(summary, dict) and (summary.get("status"), summary.get("fingerprint")) == (
            "done",
            self.fingerprint,
        )

    def begin(self) -> None:
        """Make the folder and forget how an earlier run went.

        Raises:
            ConfigError: the folder cannot be made.
        """
        make_folder(self.folder)
        self.summary.unlink(missing_ok=True)

    def finish(self, stream: Stream, graph: Graph, report: dict[str, Any]) -> None:
        """Write `summary.json`, as a whole or not at all.

        Raises:
            PipelineError: it cannot be written.
        """
        what = {"graph": graph.path, "stream": stream.id, "url": redact(stream.config.url), "live": stream.live}
        summary = {"status": report["status"], **what, "fingerprint": self.fingerprint, **report}
        write_atomically(self.summary, json.dumps(summary, indent=2, ensure_ascii=False) + "\n")

    def files(self) -> list[Path]:
        """Return what the run left, sorted."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def fingerprint(graph: Graph, stream: Stream, options: Iterable[object], root: Path) -> str:
    """Return a digest of everything that decides on the results of a file.

    Args:
        graph: its nodes with their checked values.
        stream: its values, and sizes and times of change of its files.
        options: further values, such as the largest number of frames.
        root: the folder of the program, whose code and models count, too.
    """
    nodes = [
        (spec.name, spec.type, spec.inputs, spec.stage, spec.config.model_dump(mode="json")) for spec in graph.nodes
    ]
    program = [path for pattern in PROGRAM for path in sorted(root.glob(pattern))]
    source = graph.source.cls
    assert issubclass(source, Source)
    files = [*files_of(stream.config.url), *source.files_beside(stream.config.url), *program]
    stamps = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    told = [nodes, stream.id, stream.config.model_dump(mode="json"), stamps, [repr(option) for option in options]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
