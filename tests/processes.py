"""Programs that a test starts: whatever becomes of the test, they end with it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.pipeline.rig import PATIENCE_S


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program as `subprocess.Popen` does, and kill it at the end if it still runs."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait until something holds; fail if the program ends before, or if it takes longer than anything should."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline_s, "waited for something that never happened"
        threading.Event().wait(0.01)
