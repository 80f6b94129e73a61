#!/usr/bin/env python3
"""Lose two cameras, get them back, add a third, and account for every frame: `make example-live`.

    python -m examples.live [FOLDER]

What two terminals would do, in one script. A test server stands for the cameras. The retail graph runs on two of them;
it is watched over HTTP, as Prometheus or Kubernetes would do it, and steered with `run_graph.py ctl`. The server is
killed and started again: nobody touches the graph, which says meanwhile what it lacks. Then a third camera is added,
and Ctrl-C ends it all. Results and the log stay in FOLDER (default: out/example-live).

Exit codes: 0 all was as it should be; 1 something was not; 2 it could not be run.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.cameras.process import CameraProcess
from benchmarks.machine import free_port
from benchmarks.results import ROOT
from pipeline.errors import PipelineError

FOLDER = ROOT / "out" / "example-live"
VALUES = (
    "engine.ready_s=2",  # a camera without a frame for so long is not ready; 10 s would be long to watch
    "engine.back_off_cap_s=1",  # tries at least once a second; 30 s is kinder to a network with many cameras
    "frames.read_timeout_s=2",
)
WITHIN_S = 30.0
"""When something has not happened by then, it will not."""
INTERRUPTED = 130
SHOWN = re.compile(r"gazegraph_(frames_out_total|stream_(state|losses_total|frames_dropped_total){.*}) (?!0\.0$)")
"""Metrics that are printed: a few of some forty, where they are not 0."""
LOSSES = "gazegraph_stream_losses_total"


class Graph:
    """`run_graph.py` as a process of its own, asked over HTTP."""

    def __init__(self, graph: Sequence[str], folder: Path, urls: dict[str, str]) -> None:
        """Start it on some streams; what it says goes to files in a folder."""
        self.folder, self.port = folder, free_port()
        command = [*graph, "--source", *(f"{name}={url}" for name, url in urls.items())]
        command += ["--serve", f"127.0.0.1:{self.port}", "--log", "json", "--out", str(folder), "--set", *VALUES]
        with (folder / "said.txt").open("wb") as out, (folder / "log.jsonl").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "run_graph.py", *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=log
            )

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of an answer; status 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=WITHIN_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_for(self, what: str, reached: Callable[[], bool]) -> None:
        """Wait until something is so.

        Raises:
            PipelineError: the graph ended instead, or it took too long.
        """
        until_s = time.monotonic() + WITHIN_S
        while not reached():
            if self.process.poll() is not None:
                raise PipelineError(f"graph: expected {what}, got exit code {self.process.returncode}: {self._last()}")
            if time.monotonic() > until_s:
                raise PipelineError(f"graph: expected {what} within {WITHIN_S:g} s, got {self.get('/health/ready')[1]}")
            time.sleep(0.05)

    def misses(self, *streams: str) -> bool:
        """Tell whether the graph is not ready for want of each of the streams; one is late a moment before another."""
        status, body = self.get("/health/ready")
        return status == 503 and all(f"stream {name}:" in body for name in streams)

    def is_ready(self, *streams: str) -> bool:
        """Tell whether frames of exactly these streams come out of the graph."""
        status, body = self.get("/health/ready")
        return status == 200 and sorted(json.loads(body)["streams"]) == sorted(streams)

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WITHIN_S)

    def _last(self) -> str:
        return (self.folder / "log.jsonl").read_text("utf-8", "replace")[-1000:].strip() or "it said nothing"


def tour(graph_args: Sequence[str], folder: Path) -> list[str]:
    """Do all of it, say how it goes, and return what was not as it should be.

    Raises:
        PipelineError: the graph ended, or something did not come in time.
    """
    wrong: list[str] = []
    with CameraProcess(paths=["door", "till"]) as cameras:
        graph = Graph(graph_args, folder, cameras.urls)
        try:
            graph.wait_for("frames of two cameras", lambda: graph.is_ready("door", "till"))
            say("ready", "frames of door and till go through the graph")

            cameras.do("stop")
            say("kill", "the cameras' server is gone")
            graph.wait_for("both to be missed", lambda: graph.misses("door", "till"))
            show_health(graph)

            cameras.do("start")
            began_s = time.monotonic()
            graph.wait_for("frames of two cameras again", lambda: graph.is_ready("door", "till"))
            say("restart", f"ready again {time.monotonic() - began_s:.1f} s after the server; nobody touched the graph")

            ctl(graph, "streams", "add", "yard", cameras.add("yard"))
            graph.wait_for("frames of three cameras", lambda: graph.is_ready("door", "till", "yard"))
            ctl(graph, "streams", "list")
            wrong += show_metrics(graph)
            say("GET", f"/health/ready: {graph.get('/health/ready')[0]}")

            code = graph.interrupt()
            say("Ctrl-C", f"exit code {code}")
        finally:
            graph.process.kill()
            graph.process.wait()
    sys.stdout.write((folder / "said.txt").read_text("utf-8"))
    wrong += [] if code == INTERRUPTED else [f"exit code: expected {INTERRUPTED}, got {code}"]
    return wrong + unaccounted(folder)


def show_health(graph: Graph) -> None:
    """Print what the graph lacks, in its own words."""
    status, body = graph.get("/health/ready")
    health = json.loads(body)
    say("GET", f"/health/ready: {status}")
    for reason in health["reasons"]:
        say("", reason)


def show_metrics(graph: Graph) -> list[str]:
    """Print some metrics; return what is wrong with them."""
    lines = graph.get("/metrics")[1].splitlines()
    say("GET", f"/metrics: {sum(not line.startswith('#') for line in lines)} values, among them")
    for line in filter(SHOWN.match, lines):
        say("", line)
    lost = [line for line in lines if line.startswith(LOSSES)]
    return [] if lost else [f"metrics: expected {LOSSES} after the server was killed, got none"]


def ctl(graph: Graph, *words: str) -> None:
    """Steer the graph from a command line.

    Raises:
        PipelineError: it refused.
    """
    command = ["run_graph.py", "ctl", "--at", str(graph.port), *words]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipelineError(f"ctl {' '.join(words)}: expected it to be done, got: {done.stderr.strip()}")
    say("ctl", " ".join(words))
    for line in done.stdout.splitlines():
        say("", line)


def unaccounted(folder: Path) -> list[str]:
    """Return a line for each stream and node of a finished run where frames are missing: in = out + dropped."""
    summary: dict[str, Any] = json.loads((folder / "door" / "summary.json").read_text("utf-8"))
    wrong = [f"run: expected no error, got {summary['error']}"] if summary["error"] else []
    if sorted(summary["streams"]) != ["door", "till", "yard"]:
        wrong.append(f"run: expected accounts of door, till and yard, got {', '.join(summary['streams'])}")
    for name, account in {**summary["streams"], **summary["edges"]}.items():
        missing = account["in"] - account["out"] - sum(account["dropped"].values())
        wrong += [f"{name}: {missing} frames are not accounted for"] if missing else []
    return wrong


def say(what: str, text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{what:<8} {text}\n")
    sys.stdout.flush()


def retail() -> list[str]:
    """Return the shipped graph as `run_graph.py` takes it, publishing where nobody else does."""
    return ["graphs/retail.yaml", "--set", f"bus.endpoint=tcp://127.0.0.1:{free_port()}"]


def main(argv: Sequence[str], graph: Sequence[str] | None = None) -> int:
    """Run the example in the folder named on the command line and return the exit code."""
    folder = Path(argv[0]).resolve() if argv else FOLDER
    if argv and folder.exists() and any(folder.iterdir()):
        sys.stderr.write(f"{folder}: expected a new or empty folder, got one with files; give another one\n")
        return 2
    if not argv:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        wrong = tour(graph or retail(), folder)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    say("files", f"{folder}")
    say("in all", "every frame is accounted for" if not wrong else "not as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
