"""Serve cameras from a process of their own: prints their addresses as one line of JSON, then takes commands.

A command is one line of JSON on standard input, `{"do": "drop", "path": "cam0"}`; what a method of a camera takes
stands beside it. Each is answered by one line, `{"done_s": unix time}` or `{"error": "..."}`. Some are of the server:
`stop` (everything is closed, as if it were killed), `start` (again, on the same port), `add` and `remove` (a camera;
`add` takes its options), `cpu` (answers with `cpu_s` of this process). Ends with SIGTERM or its input.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cameras.camera import Camera
from benchmarks.cameras.clips import Clip, make_clip, read_clip
from benchmarks.cameras.rtsp import RtspServer
from pipeline.errors import ConfigError, PipelineError

FAULTS = frozenset({
    "answer_nothing", "change_codec", "corrupt", "drop", "end", "freeze_time", "jump_time", "lose_packets", "not_found",
    "refuse_password", "reset_time", "resume", "stall", "trickle", "truncate",
})  # fmt: skip
"""Methods of a camera that a command may name."""


class Commands:
    """What can be asked of the process."""

    def __init__(self, server: RtspServer, clip: Clip) -> None:
        self._server = server
        self._clips = {clip.path: clip}
        self._first = clip

    def answer(self, line: str) -> dict[str, Any]:
        """Do what a line asks for and return the answer."""
        try:
            asked = json.loads(line)
            what, path = asked.pop("do"), asked.pop("path", None)
            return {"done_s": self._do(what, path, asked), **self._values(what, path)}
        except (KeyError, OSError, PipelineError, TypeError, ValueError) as error:
            return {"error": f"{line.strip()}: {error}"}

    def _do(self, what: str, path: str | None, values: dict[str, Any]) -> float:
        of_server: dict[str, Callable[[], object]] = {
            "stop": self._server.stop, "start": self._server.start, "cpu": time.process_time,
            "remove": lambda: self._server.remove(path or ""),
        }  # fmt: skip
        if "clip" in values:
            values["clip"] = self._clip(Path(values["clip"]))
        if what == "add" and path:
            self._server.add(path, Camera(**{"clip": self._first, **values}))
            return time.time()
        if what not in FAULTS and what not in of_server:
            raise ConfigError(f"do: expected one of {', '.join(sorted({*FAULTS, *of_server, 'add'}))}, got {what!r}")
        if path not in self._server.feeds and (what in FAULTS or what == "remove"):
            raise ConfigError(f"path: expected one of {', '.join(self._server.feeds)}, got {path!r}")
        if what in FAULTS and path:
            done_s: float = getattr(self._server.feeds[path], what)(**values)
            return done_s
        of_server[what]()
        return time.time()

    def _values(self, what: str, path: str | None) -> dict[str, Any]:
        if what == "cpu":
            return {"cpu_s": time.process_time()}
        return {"url": self._server.url(path)} if what == "add" and path is not None else {}

    def _clip(self, path: Path) -> Clip:
        if path not in self._clips:
            self._clips[path] = read_clip(path)
        return self._clips[path]


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end."""
    options = _parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="cameras-") as folder:
        clip = read_clip(options.clip) if options.clip else make_clip(Path(folder), fps=options.fps)
    server = RtspServer(options.port)
    values = json.loads(options.options)
    for path in options.path or [f"cam{index}" for index in range(options.streams)]:
        server.add(path, Camera(clip, options.fps, **values))
    with server:
        print(json.dumps({path: server.url(path) for path in server.feeds}), flush=True)
        commands = Commands(server, clip)
        for line in sys.stdin:
            print(json.dumps(commands.answer(line)), flush=True)
    return 0


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cameras", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--clip", type=Path, help="an elementary stream of H.264 or H.265; without, one is made")
    parser.add_argument("--streams", type=int, default=1, help="how many cameras, called cam0, cam1, …")
    parser.add_argument("--path", action="append", help="name of a camera, in place of --streams; may be repeated")
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--options", default="{}", help="JSON: options of all cameras, such as reports or user")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
