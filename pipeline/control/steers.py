"""What the HTTP API asks of a run, as types: all that it knows of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pipeline.errors import RefusedError
from pipeline.status import RunStatus


class Steers(Protocol):
    """Tells of a run and changes it. Every method may be called from any thread, and may block for a moment."""

    def status(self) -> RunStatus:
        """Return what the run says of itself now."""

    def add(self, stream_id: str, values: Mapping[str, Any]) -> None:
        """Begin to read a stream.

        Raises:
            ConfigError: a value is wrong.
            RefusedError: there is such a stream, or none can be added.
        """

    def remove(self, stream_id: str) -> None:
        """End a stream and forget it.

        Raises:
            UnknownStreamError: there is none of that id.
        """

    def pause(self, stream_id: str) -> None:
        """Stop reading a stream, but keep it.

        Raises:
            UnknownStreamError: there is none of that id.
        """

    def resume(self, stream_id: str) -> None:
        """Read a paused stream again.

        Raises:
            UnknownStreamError: there is none of that id.
        """

    def configure(self, values: Mapping[str, Any]) -> list[str]:
        """Change values by dotted path, all or none; None removes an area. Return the paths that changed.

        Raises:
            ConfigError: a path or value is wrong.
            RefusedError: a value cannot change while the run goes on.
        """

    def reload(self) -> list[str]:
        """Read the configuration again and apply what changed; return the paths that did.

        Raises:
            ConfigError: the file is wrong.
            RefusedError: a value in it cannot change while the run goes on.
        """


class OnlyTells:
    """Stands for a run that cannot be changed, such as one of files: what comes out shall depend on the input alone."""

    def __init__(self, status: Callable[[], RunStatus], why: str) -> None:
        """Take what tells the status, and the sentence that changes are refused with."""
        self.status = status
        self._why = why

    def add(self, stream_id: str, values: Mapping[str, Any]) -> None:
        """Refuse."""
        raise RefusedError(self._why)

    def remove(self, stream_id: str) -> None:
        """Refuse."""
        raise RefusedError(self._why)

    def pause(self, stream_id: str) -> None:
        """Refuse."""
        raise RefusedError(self._why)

    def resume(self, stream_id: str) -> None:
        """Refuse."""
        raise RefusedError(self._why)

    def configure(self, values: Mapping[str, Any]) -> list[str]:
        """Refuse."""
        raise RefusedError(self._why)

    def reload(self) -> list[str]:
        """Refuse."""
        raise RefusedError(self._why)
