"""Talk to `benchmarks.peer_trackers`, which runs in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from benchmarks.mot_sequences import MotSequence
from benchmarks.results import ROOT
from pipeline.errors import ConfigError, PipelineError

PYTHON = ROOT / ".venv-bench" / "bin" / "python"
PEERS = ("sort", "bytetrack", "ocsort", "botsort")
_PROGRAM = ROOT / "benchmarks" / "peer_trackers.py"

Scores = dict[str, dict[str, dict[str, float]]]
"""Figures by tracker, then by sequence or group."""


class PeerProcess:
    """The trackers to compare with and the evaluator, in a process that lives as long as the `with` block."""

    def __init__(self, python: Path) -> None:
        """Start it.

        Args:
            python: the interpreter of an environment that has the package `trackers`.

        Raises:
            ConfigError: there is no such interpreter.
        """
        if not python.exists():
            raise ConfigError(
                f"{python}: expected an environment with requirements/bench.txt, got none; type make bench-tracking"
            )
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": "1"}
        command = [str(python), str(_PROGRAM)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def track(self, tracker: str, sequence: MotSequence, detections: Path, tracks: Path) -> float:
        """Run a tracker over the detections of a sequence (from `write_detections`); return its CPU seconds."""
        asked = {"track": tracker, "detections": str(detections), "fps": sequence.fps, "tracks": str(tracks)}
        cpu_s: float = self._ask(asked)["cpu_s"]
        return cpu_s

    def score(
        self,
        tracks: Mapping[str, Mapping[str, Path]],
        truth: Mapping[str, Path],
        groups: Mapping[str, Sequence[str]],
    ) -> Scores:
        """Score files of tracks.

        Args:
            tracks: by tracker, then by sequence.
            truth: by sequence.
            groups: of sequences that are scored together, by name.
        """
        asked = {
            "score": {name: {key: str(path) for key, path in files.items()} for name, files in tracks.items()},
            "truth": {key: str(path) for key, path in truth.items()},
            "groups": {name: list(members) for name, members in groups.items()},
        }
        scores: Scores = self._ask(asked)
        return scores

    def _ask(self, asked: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise PipelineError(f"{_PROGRAM}: expected an answer, got none; see what it said above, then run again")
        return json.loads(answer)


def write_detections(sequence: MotSequence, path: Path) -> None:
    """Write the detections of a sequence for `PeerProcess.track`."""
    found = sequence.found
    first = np.searchsorted(found.frame, np.arange(1, sequence.frames + 2))
    box_px = np.concatenate([found.box_px[:, :2], found.box_px[:, :2] + found.box_px[:, 2:]], axis=1)
    np.savez(path, box_px=box_px, score=found.score, first=first)


def write_truth(sequence: MotSequence, path: Path) -> None:
    """Write the rows that count in the form that the evaluator takes them."""
    truth = sequence.truth
    rows = zip(truth.frame.tolist(), truth.id.tolist(), truth.box_px.tolist(), strict=True)
    lines = [f"{frame},{id},{','.join(map(repr, box))},1,1,1\n" for frame, id, box in rows]
    path.write_text("".join(lines), encoding="ascii")
