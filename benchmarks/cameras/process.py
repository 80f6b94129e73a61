"""Cameras in a process of their own: `with CameraProcess(streams=8) as cameras: cameras.urls["cam0"]`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.results import ROOT
from pipeline.errors import PipelineError


class CameraProcess:
    """`python -m benchmarks.cameras` for as long as the `with` block lasts."""

    urls: dict[str, str]
    """Address of each camera, by its path."""

    def __init__(
        self,
        clip: Path | None = None,
        streams: int = 1,
        fps: float = 25.0,
        port: int = 0,
        paths: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Note what to serve.

        Args:
            clip: an elementary stream, as `make_clip` writes it; None for one of 640×360.
            streams: how many cameras, called cam0, cam1 and so on.
            fps: of each.
            port: where they are served; 0 for a free one.
            paths: the names of the cameras, in place of `streams`.
            options: of each camera, see `benchmarks.cameras.camera.Camera`.
        """
        self._command = [sys.executable, "-m", "benchmarks.cameras", f"--fps={fps}", f"--port={port}"]
        self._command += [f"--clip={clip}"] if clip else []
        self._command += [f"--path={path}" for path in paths] or [f"--streams={streams}"]
        self._command += [f"--options={json.dumps(options)}"]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.urls = self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.__exit__(kind, error, trace)

    @property
    def pid(self) -> int:
        """The id of the process, to stop or kill it."""
        return self._process.pid

    def do(self, what: str, path: str | None = None, **values: Any) -> float:
        """Do something to a camera, or to the server, and return the Unix time at which it was done.

        Raises:
            PipelineError: it could not be done, or the process is gone.
        """
        return float(self._ask({"do": what, "path": path, **values})["done_s"])

    def add(self, path: str, **values: Any) -> str:
        """Add a camera and return its address.

        Args:
            path: its name.
            values: options of `benchmarks.cameras.camera.Camera`, or those of
                `benchmarks.cameras.http_camera.HttpCamera` when `kind` is among them; `clip` is the path of a file.
        """
        self.urls[path] = self._ask({"do": "add", "path": path, **values})["url"]
        return self.urls[path]

    def cpu_s(self) -> float:
        """Return the CPU time that the process has taken."""
        return float(self._ask({"do": "cpu"})["cpu_s"])

    def late_s(self) -> float:
        """Return how much later than due a frame was sent at most since this was asked last."""
        return float(self._ask({"do": "late"})["late_s"])

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asked, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise PipelineError(f"cameras: expected to do as asked, got {answer['error']}")
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise PipelineError("cameras: expected an answer, got none: the process is gone; see what it said above")
        answer: dict[str, Any] = json.loads(line)
        return answer
