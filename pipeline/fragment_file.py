"""A fragmented MP4 on disk that ends with a whole fragment at every moment, whatever ends the process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.outputs import cannot_write


class FragmentFile:
    """Takes what a muxer writes and passes it on fragment by fragment.

    Players that look at the end of a file first refuse one that ends within the header of a fragment, so half a
    fragment never reaches the disk. After an error nothing more is written.

    Args:
        path: the file; one that stands there is replaced.

    Raises:
        PipelineError: the file cannot be opened; names path, cause and cure.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: PipelineError | None = None
        self._pending = bytearray()
        self._written = 0
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except OSError as error:
            raise PipelineError(f"{path}: {cannot_write(error)}") from error

    def write(self, data: bytes) -> int:
        """Take bytes of the muxer.

        Never raises, because the muxer would only pass on that something failed: see `error`.
        """
        if self.error is None:
            self._pending += data
            whole = _end_of_whole_fragments(self._pending)
            if whole:
                self._put(bytes(self._pending[:whole]))
                del self._pending[:whole]
        return len(data)

    def close(self) -> None:
        """Close the file. Half a fragment is left out, and a file that got none is removed."""
        ordinary = stat.S_ISREG(os.fstat(self._fd).st_mode)
        os.close(self._fd)
        if ordinary and not self._written:
            self.path.unlink(missing_ok=True)

    def _put(self, content: bytes) -> None:
        done = 0
        try:
            while done < len(content):
                done += os.write(self._fd, content[done:])
            self._written += done
        except OSError as error:
            self.error = PipelineError(f"{self.path}: {cannot_write(error)}")
            self.error.__cause__ = error
            if done:
                os.ftruncate(self._fd, self._written)


def _end_of_whole_fragments(content: bytearray) -> int:
    """Return where the last box ends that is whole and is not the header of a fragment whose data follow."""
    at = end = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        header = 8
        if size == 1:  # the size did not fit and stands behind the name
            size, header = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        if size < header or at + size > len(content):
            break
        at += size
        if content[at - size + 4 : at - size + 8] != b"moof":
            end = at
    return end
