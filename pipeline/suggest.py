"""What somebody who wrote a wrong name probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def did_you_mean(word: str, known: Iterable[str], what: str) -> str:
    """Return `; did you mean 'x'? (what: x, y, z)`, with the known name most like `word`; `(what: none)` for none."""
    names = list(known)
    if not names:
        return f" ({what}: none)"
    nearest = max(names, key=lambda name: SequenceMatcher(None, word.lower(), name.lower()).ratio())
    return f"; did you mean {nearest!r}? ({what}: {', '.join(names)})"
