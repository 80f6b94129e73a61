"""A graph that publishes and a consumer that keeps what it hears in a file, as processes to be killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from benchmarks.results import ROOT
from pipeline.errors import PipelineError

POLL_S = 0.001
STUCK_S = 60.0
"""When nothing has happened for so long, nothing will."""
FLOWING_S = 0.05
"""Events flow when one came no longer ago than this."""
BOTH = ("publisher", "consumer")


class Pair:
    """A publisher and a consumer. A publisher that has come to its end is run again while the consumer lacks events."""

    def __init__(
        self, folder: Path, publisher: Sequence[str], consumer: Sequence[str], heard: Path, wanted: bytes
    ) -> None:
        """Start nothing yet.

        Args:
            folder: for what they say.
            publisher: arguments with which Python runs it.
            consumer: the same for the consumer.
            heard: the file that the consumer writes.
            wanted: what that should hold in the end.
        """
        self.heard, self.wanted = heard, wanted
        self._folder, self._commands = folder, {"publisher": publisher, "consumer": consumer}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._size, self._grew_s = 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self, names: Sequence[str] = BOTH) -> None:
        """Start those that are not running."""
        for name in names:
            if name not in self._running:
                with self._told(name).open("ab") as told:
                    self._running[name] = started(self._commands[name], told)

    def kill(self, names: Sequence[str] = BOTH) -> None:
        """Kill those that are running, with no chance to tidy up."""
        for process in [self._running.pop(name) for name in names if name in self._running]:
            process.kill()
            process.wait()

    def missing(self) -> int:
        """Return how many bytes the consumer should have and has not."""
        size = self.heard.stat().st_size if self.heard.exists() else 0
        if size != self._size:
            self._size, self._grew_s = size, time.monotonic()
        return len(self.wanted) - size

    def flowing(self) -> bool:
        """Tell whether the consumer got something just now and has not all yet."""
        return self.missing() > 0 and time.monotonic() - self._grew_s < FLOWING_S

    def run_until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is reached or the consumer has all.

        Raises:
            PipelineError: a process failed, or nothing happens any more.
        """
        since_s = time.monotonic()
        while not reached() and self.missing() > 0:
            time.sleep(POLL_S)
            self.start([name for name in list(self._running) if self.ended(name)])
            if time.monotonic() - max(since_s, self._grew_s) > STUCK_S:
                raise PipelineError(f"consumer: expected {self.missing()} bytes more, got none; {self._said()}")

    def run_to_end(self) -> None:
        """Wait until the consumer has all and the publisher has ended: what comes twice has come by then.

        Raises:
            PipelineError: a process failed, or nothing happens any more.
        """
        self.run_until(lambda: False)
        while not self.ended("publisher"):
            time.sleep(POLL_S)

    def ended(self, name: str) -> bool:
        """Tell whether a process is not running.

        Raises:
            PipelineError: it failed, or is a consumer that ended by itself.
        """
        process = self._running.get(name)
        code = None if process is None else process.poll()
        if code is not None:
            del self._running[name]
            if code or name == "consumer":
                raise PipelineError(f"{name}: expected it to run on, got exit code {code}; {self._said()}")
        return name not in self._running

    def found(self) -> Counter[str]:
        """Compare what the consumer has with what it should have; see `compare`."""
        return compare(self.wanted.splitlines(), self.heard.read_bytes().splitlines())

    def _told(self, name: str) -> Path:
        return self._folder / f"{name}.txt"

    def _said(self) -> str:
        ends = {name: self._told(name).read_text("utf-8", "replace")[-1000:] for name in self._commands}
        return "; ".join(f"{name} said: {text.strip() or 'nothing'}" for name, text in ends.items())


def compare(wanted: Sequence[bytes], got: Sequence[bytes]) -> Counter[str]:
    """Count events that a log lacks or has in another place (`gaps`), and those that it has too often (`duplicates`).

    An event that is none of those wanted counts as a duplicate, too.
    """
    missing, surplus = Counter(wanted) - Counter(got), Counter(got) - Counter(wanted)
    moved = 0 if missing or surplus else sum(one != other for one, other in zip(wanted, got, strict=True))
    return Counter({"gaps": missing.total() + moved, "duplicates": surplus.total()})


def run_alone(command: Sequence[str], said: Path) -> None:
    """Run a publisher to its end, in peace; what it says goes to a file.

    Raises:
        PipelineError: it failed.
    """
    with said.open("wb") as told:
        code = started(command, told).wait()
    if code:
        text = said.read_text("utf-8", "replace")[-1000:].strip()
        raise PipelineError(f"publisher: expected a run to its end, got exit code {code}; it said: {text or 'nothing'}")


def started(arguments: Sequence[str], told: BinaryIO) -> subprocess.Popen[bytes]:
    """Start Python in the folder of the program; what it says goes to a file."""
    return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
