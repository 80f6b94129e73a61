"""A reader's own way to the door, which is shut when its stream is removed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.admission import Admission
from pipeline.node import Frame


class Entrance:
    """What the thread of one reader tells the door; nothing, once it is shut.

    A thread may sit in a call of its source long after its stream was removed, and another stream may have the id by
    then: what it says at last is not of that one.
    """

    def __init__(self, admission: Admission, stream_id: str) -> None:
        """Take the door and the id of the stream."""
        self._admission, self._id = admission, stream_id
        self._busy = threading.Lock()
        self._shut = False

    def shut(self) -> None:
        """Let nothing more through; returns when what is on its way is through, so remove the stream first."""
        with self._busy:
            self._shut = True

    # on the reader's thread; see `Admission`

    def offer(self, frame: Frame, taken_ns: int | None) -> bool:
        """Hand a frame over; tell whether the stream goes on."""
        with self._busy:
            return not self._shut and self._admission.offer(self._id, frame, taken_ns)

    def dropped(self, cause: str, count: int = 1) -> None:
        """Note frames that were refused before they came to the door."""
        self._say(self._admission.dropped, cause, count)

    def discontinuity(self) -> None:
        """Begin a new generation."""
        self._say(self._admission.discontinuity)

    def lost(self) -> None:
        """Say that the stream is lost."""
        self._say(self._admission.lost)

    def pause(self) -> None:
        """Refuse what waits of the stream."""
        self._say(self._admission.pause)

    def end(self) -> None:
        """Note that the stream has no more frames."""
        self._say(self._admission.end)

    def _say(self, call: Callable[..., None], *what: str | int) -> None:
        with self._busy:
            if not self._shut:
                call(self._id, *what)
