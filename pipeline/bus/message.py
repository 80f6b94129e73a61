"""What is handed to a publisher."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Message(Struct, frozen=True, gc=False):
    """One message to be published, and kept where there is a log."""

    topic: str
    """Segments that each end with a slash: `look/shop/3/`."""
    id: str
    """The same whenever the same is told."""
    source: str
    generation: int
    """Rises whenever the source counts anew."""
    sequence: int
    """Rises within (source, generation)."""
    contenttype: str
    key: str
    """Of what the message tells the state of: the last one of a key that is held is part of a snapshot."""
    holds: bool
    """False for the last message of a key."""
    data: bytes


class Begun(Struct, frozen=True):
    """From here on a source is in this generation: what it holds of older ones was never ended."""

    source: str
    generation: int


class Kept(NamedTuple):
    """A message with its place in the log."""

    message: Message
    position: int
    previous: tuple[int, int, int]
    recorded_ns: int
    """Nanoseconds since 1970."""
