"""What crosses between host and device, counted: zero copy is a figure here and no promise."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Crossed = dict[str, dict[str, int]]
"""`copies`, `bytes`, and `large`: how many of the copies had `LARGE_BYTES` or more; by thread, way and what it was."""
LARGE_BYTES = 2**18
"""What a picture or a map of features takes, and rows of detections and gaze do not."""
Way = Literal["to_device", "to_host", "decoded"]
"""`decoded`: made on the device by its decoder, so that nothing crossed."""
What = Literal["pictures", "tables", "values"]
"""`pictures`: planes of decoded frames; `tables`: where kernels find them, a few hundred bytes; `values`: what models
say, on its way to the nodes."""


@dataclass
class Traffic:
    """Copies and bytes so far, by thread, way and what it was."""

    copies: Counter[tuple[str, Way, What]] = field(default_factory=Counter)
    moved_bytes: Counter[tuple[str, Way, What]] = field(default_factory=Counter)
    large: Counter[tuple[str, Way, What]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, way: Way, what: What, size: int) -> None:
        """Count one copy of `size` bytes that the calling thread makes."""
        key = threading.current_thread().name, way, what
        with self._lock:
            self.copies[key] += 1
            self.moved_bytes[key] += size
            self.large[key] += size >= LARGE_BYTES

    def total(self, way: Way, what: What | None = None) -> tuple[int, int]:
        """Return copies and bytes of one way, of all threads."""
        with self._lock:
            keys = [key for key in self.copies if key[1] == way and what in (None, key[2])]
            return sum(self.copies[key] for key in keys), sum(self.moved_bytes[key] for key in keys)

    def to_dict(self) -> Crossed:
        """Return copies and bytes by thread, way and what it was, such as `people: to_device pictures`."""
        with self._lock:
            return {
                f"{key[0]}: {key[1]} {key[2]}": {
                    "copies": count,
                    "bytes": self.moved_bytes[key],
                    "large": self.large[key],
                }
                for key, count in sorted(self.copies.items())
            }


def since(now: Crossed, before: Crossed) -> Crossed:
    """Return what crossed after `before` was told, both as `Traffic.to_dict` has it; what did not cross is left out."""
    none = {"copies": 0, "bytes": 0, "large": 0}
    new = {key: {unit: count - before.get(key, none)[unit] for unit, count in row.items()} for key, row in now.items()}
    return {key: row for key, row in new.items() if row["copies"]}
