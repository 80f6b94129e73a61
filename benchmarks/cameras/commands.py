"""What can be asked of a process that serves cameras: one JSON object for each command, one for each answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cameras.camera import Camera
from benchmarks.cameras.clips import Clip, read_clip
from benchmarks.cameras.http import HttpServer
from benchmarks.cameras.http_camera import HttpCamera
from benchmarks.cameras.rtsp import RtspServer
from pipeline.errors import ConfigError, PipelineError

OVER_HTTP = frozenset({"drop", "not_found", "resume", "stall"})
FAULTS = OVER_HTTP | {
    "answer_nothing", "change_codec", "corrupt", "end", "freeze_time", "jump_time", "lose_packets", "refuse_password",
    "reset_time", "trickle", "truncate",
}  # fmt: skip
"""Methods of a camera that a command may name."""

Values = dict[str, Any]


class Commands:
    """Does what commands ask, with cameras that are served over RTSP and over HTTP."""

    def __init__(self, rtsp: RtspServer, http: HttpServer, clip: Clip) -> None:
        """Note whom to ask.

        Args:
            rtsp: serves cameras.
            http: serves those that are added with a `kind`.
            clip: of cameras that are added without one.
        """
        self._rtsp, self._http = rtsp, http
        self._clip = clip
        self._clips = {clip.path: clip}
        self._of_server: dict[str, Callable[[], Values | None]] = {
            "stop": self._stop, "start": self._start, "cpu": lambda: {"cpu_s": time.process_time()}, "late": self._late,
        }  # fmt: skip

    def answer(self, line: str) -> Values:
        """Do what a line asks for and return the answer."""
        try:
            values = json.loads(line)
            answer = self._do(values.pop("do"), values.pop("path", None), values)
            return {"done_s": time.time(), **(answer or {})}
        except (KeyError, OSError, PipelineError, TypeError, ValueError) as error:
            return {"error": f"{line.strip()}: {error}"}

    def _do(self, what: str, path: str | None, values: Values) -> Values | None:
        known = FAULTS | self._of_server.keys() | {"add", "remove"}
        if what not in known:
            raise ConfigError(f"do: expected one of {', '.join(sorted(known))}, got {what!r}")
        if what in self._of_server:
            return self._of_server[what]()
        if "clip" in values:
            values["clip"] = self._read(Path(values["clip"]))
        if what == "add":
            return {"url": self._add(path or "camera", {"clip": self._clip, **values})}
        server = self._http if path in self._http.feeds else self._rtsp
        if path is None or path not in server.feeds:
            raise ConfigError(
                f"path: expected one of {', '.join([*self._rtsp.feeds, *self._http.feeds])}, got {path!r}"
            )
        if what == "remove":
            server.remove(path)
            return None
        if server is self._http and what not in OVER_HTTP:
            raise ConfigError(f"do: expected one of {', '.join(sorted(OVER_HTTP))} of a camera over HTTP, got {what!r}")
        return {"done_s": getattr(server.feeds[path], what)(**values)}

    def _add(self, path: str, values: Values) -> str:
        if "kind" in values:
            self._http.add(path, HttpCamera(**values))
            return self._http.url(path)
        self._rtsp.add(path, Camera(**values))
        return self._rtsp.url(path)

    def _stop(self) -> None:
        self._rtsp.stop()
        self._http.stop()

    def _start(self) -> None:
        self._rtsp.start()
        self._http.start()

    def _late(self) -> Values:
        feeds = [*self._rtsp.feeds.values(), *self._http.feeds.values()]
        return {"late_s": max((feed.take_late_s() for feed in feeds), default=0.0)}

    def _read(self, path: Path) -> Clip:
        if path not in self._clips:
            self._clips[path] = read_clip(path)
        return self._clips[path]
