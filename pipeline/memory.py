"""Keep the C library from holding on to memory that decoders have freed: it does so for each of many threads apart."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_M_ARENA_MAX = -8


def few_arenas(count: int) -> None:
    """Let threads share so many heaps, where the C library has one for nearly each (glibc); for those to come.

    Threads of streams come and go, and leave holes in up to eight heaps a core. What is in use stays the same over
    thousands of streams, but the holes grow for days until they are large enough for all that comes.
    """
    if library := _glibc():
        library.mallopt(_M_ARENA_MAX, count)


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc); a few milliseconds."""
    if library := _glibc():
        library.malloc_trim(0)


@cache
def _glibc() -> Any:
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
