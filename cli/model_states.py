"""What is known of each model: its card, and how its file stands on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.cards import ModelCard, load_card


@dataclass(frozen=True)
class Known:
    """A model."""

    name: str
    card: ModelCard
    path: Path
    """Where its file lies, or will."""
    state: str
    """`ships`, `here`, `pinned` (here, and held to the first one that came), `not fetched`, or why it cannot be."""

    @property
    def bytes(self) -> int | None:
        """Size of the file; None where it is not known."""
        return self.path.stat().st_size if self.path.is_file() else self.card.bytes


def known(name: str, root: Path) -> Known:
    """Return what is known of a model.

    Raises:
        ConfigError: there is no such card, or it is wrong.
    """
    card, path = load_card(name, root)
    return Known(name, card, path, _state(card, path))


def size_text(size: int | None) -> str:
    """Return a size for people."""
    if size is None:
        return "?"
    if size < 1e5:
        return f"{size / 1e3:.1f} kB"
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"


def _state(card: ModelCard, path: Path) -> str:
    if path.is_file():
        return "ships" if card.shipped else "pinned" if card.pinned else "here"
    if card.url:
        return "not fetched"
    return "missing" if card.shipped or not card.convert else "no ONNX published"
