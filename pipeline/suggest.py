"""What somebody who wrote a wrong name probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher


def did_you_mean(word: str, known: Iterable[str], what: str, most: int | None = None) -> str:
    """Return `; did you mean 'x'? (what: x, y, z)`, with the known name most like `word`; `(what: none)` for none.

    Of more than `most` known names only so many are told, the nearest, and how many there are.
    """
    names = list(known)
    if not names:
        return f" ({what}: none)"
    by_likeness = sorted(names, key=lambda name: -SequenceMatcher(None, word.lower(), name.lower()).ratio())
    told = ", ".join(names)
    if most is not None and len(names) > most:
        told = f"{', '.join(by_likeness[:most])}, ... {len(names)} in all"
    return f"; did you mean {by_likeness[0]!r}? ({what}: {told})"
