"""Serve cameras from a process of their own: prints their addresses as one line of JSON, then takes commands.

A command is one line of JSON on standard input, `{"do": "drop", "path": "cam0"}`; what a method of a camera takes
stands beside it. Each is answered by one line, `{"done_s": unix time}` or `{"error": "..."}`. Some are of the server:
`stop` (everything is closed, as if it were killed), `start` (again, on the same port), `add` (a camera, with its
options; over HTTP with a `kind`) and `remove`, `cpu` and `late` (see `benchmarks.cameras.process`). Ends with SIGTERM
or its input.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cameras.camera import Camera
from benchmarks.cameras.clips import make_clip, read_clip
from benchmarks.cameras.commands import Commands
from benchmarks.cameras.http import HttpServer
from benchmarks.cameras.rtsp import RtspServer


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end."""
    options = _parsed(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="cameras-") as folder:
        clip = read_clip(options.clip) if options.clip else make_clip(Path(folder), fps=options.fps)
    values = json.loads(options.options)
    with RtspServer(options.port) as rtsp, HttpServer() as http:
        for path in options.path or [f"cam{index}" for index in range(options.streams)]:
            rtsp.add(path, Camera(clip, options.fps, **values))
        print(json.dumps({path: rtsp.url(path) for path in rtsp.feeds}), flush=True)
        commands = Commands(rtsp, http, clip)
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
