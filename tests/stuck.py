"""A pytest plugin: ends a run in which a test is stuck, with the test's name and where it stands as the last lines.

Pytest's own fault handler, which ends a run after `faulthandler_timeout`, names no test and prints the innermost frames
first, so that the end of a log says nothing. It stays as the net for a test that lets no other thread run.
"""

import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Generator
from pathlib import Path

import pytest

SHARE = 0.8
"""Of `faulthandler_timeout`: a test that takes longer is stuck."""


def pytest_configure(config: pytest.Config) -> None:
    limit_s = SHARE * float(config.getini("faulthandler_timeout") or 0.0)
    config.pluginmanager.register(StuckTests(limit_s), "stuck-tests")


def where(thread_id: int | None, below: Path) -> list[str]:
    """Return the frames of a thread whose files are the project's own, the innermost last."""
    stack = traceback.extract_stack(sys._current_frames()[thread_id]) if thread_id in sys._current_frames() else []
    return [
        f"  {Path(frame.filename).relative_to(below)}:{frame.lineno} in {frame.name}"
        for frame in stack
        if Path(frame.filename).is_relative_to(below) and "site-packages" not in frame.filename
    ]


class StuckTests:
    """Watches each test from a thread; `limit_s` of 0 is no limit."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self.stderr = os.dup(2)  # before pytest captures it

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        if not self.limit_s:
            return (yield)
        watch = threading.Timer(self.limit_s, self.end, (item.nodeid, item.config.rootpath, threading.get_ident()))
        watch.daemon = True
        watch.start()
        try:
            return (yield)
        finally:
            watch.cancel()
            watch.join()  # who counts threads counts the same before and after

    def end(self, nodeid: str, root: Path, thread_id: int) -> None:
        """Print all stacks, then the test's name and its own frames; end the process at once with status 1."""
        faulthandler.dump_traceback(self.stderr)
        lines = [f"{nodeid}: stuck: expected an end within {self.limit_s:g} s; it is at", *where(thread_id, root)]
        os.write(self.stderr, ("\n" + "\n".join(lines) + "\n").encode())
        os._exit(1)

    def pytest_unconfigure(self) -> None:
        os.close(self.stderr)
