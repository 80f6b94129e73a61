"""How far fetching is: a line that is written over on a terminal, one every few seconds anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from cli.log_format import is_json
from cli.model_states import size_text
from cli.progress import clock_text

BAR_EVERY_S, LINE_EVERY_S = 0.1, 5.0


class FetchProgress:
    """Shows how many bytes of a file are here."""

    def __init__(self, out: TextIO | None = None, now_s: Callable[[], float] = time.monotonic) -> None:
        self._out = out or sys.stderr
        self._now_s = now_s
        self._name = ""
        self._begun: tuple[float, int] = (0.0, 0)
        self._said_s = 0.0

    def observe(self, name: str, done: int, total: int | None) -> None:
        """Show how far a file is, when it is time to."""
        if is_json():
            return
        now_s, on_terminal = self._now_s(), self._out.isatty()
        if name != self._name or done < self._begun[1]:
            self._name, self._begun, self._said_s = name, (now_s, done), now_s
        if now_s - self._said_s < (BAR_EVERY_S if on_terminal else LINE_EVERY_S):
            return
        self._said_s = now_s
        text = self._text(now_s, done, total)
        self._out.write(f"\r{text}\x1b[K" if on_terminal else f"{text}\n")
        self._out.flush()

    def finish(self) -> None:
        """Wipe the line off, so that what follows stands on one of its own."""
        if self._said_s > self._begun[0] and self._out.isatty():
            self._out.write("\r\x1b[K")
            self._out.flush()
        self._said_s = self._begun[0]

    def _text(self, now_s: float, done: int, total: int | None) -> str:
        begun_s, before = self._begun
        rate = (done - before) / (now_s - begun_s) if now_s > begun_s else 0.0
        parts = [self._name]
        if total:
            parts.append(f"{done / total:4.0%}")
        parts.append(f"{size_text(done)} of {size_text(total)}" if total else size_text(done))
        parts.append(f"{rate / 1e6:.1f} MB/s")
        if total and rate:
            parts.append(f"eta {clock_text((total - done) / rate)}")
        return "  ".join(parts)
