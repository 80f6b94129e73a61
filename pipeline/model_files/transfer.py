"""Bring a file from a web server into a part that is held: cut connections are made again, and it goes on there."""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import shutil
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError

from pipeline.errors import FetchError, PipelineError
from pipeline.model_files.connection import Answer, ask, goes_through_proxy
from pipeline.model_files.held_part import HeldPart, Note
from pipeline.model_files.room import ELSEWHERE
from pipeline.urls import redact

logger = logging.getLogger(__name__)

BLOCK = 1 << 18
ENOUGH = 1 << 20
"""Bytes in one connection that show that trying again gets on."""
LONGEST_WAIT_S = 30.0
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others when asked again."""


@dataclass(frozen=True)
class Means:
    """What fetching needs of the world around it, and whom it tells how far it is."""

    timeout_s: float = 30.0
    """Longest silence of a server."""
    waits_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Seconds before each new try; after the last one it is given up."""
    sleep: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = field(default=lambda folder: shutil.disk_usage(folder).free)
    progress: Callable[[str, int, int | None], None] = field(default=lambda name, done, total: None)
    """Called with the name of the file, the bytes that are here, and those of the whole where known."""


@dataclass(frozen=True)
class Asked:
    """A file that is wanted from an address."""

    url: str
    most_bytes: int
    """More is refused."""
    bytes: int | None = None
    """The exact size, where it is known."""
    sha256: str | None = None
    """Its checksum, where it is known."""
    plain_http: bool = False
    """Whether the server may send us on to other hosts without encryption."""

    @property
    def told(self) -> str:
        """The address without passwords, as it stands in messages."""
        return redact(self.url)


class _Cut(Exception):
    """Not all came; what did can be kept, and asking again may help. `again_s` is how long the server wants peace."""

    def __init__(self, why: str, again_s: float | None = None) -> None:
        super().__init__(why)
        self.again_s = again_s


def bring(asked: Asked, part: HeldPart, means: Means) -> str:
    """Bring a whole file into its part, and return its checksum. What is there already is gone on with.

    Raises:
        FetchError: it cannot be had there; what came stays in the part.
        PipelineError: it cannot be written.
    """
    tries, began_elsewhere = 0, part.size > 0
    while True:
        before = part.size
        try:
            if not _is_whole(asked, part):
                _once(asked, part, means)
            got = part.digest.hexdigest()
            if asked.sha256 in (None, got):
                return got
            if not began_elsewhere:
                part.discard()
                raise FetchError(f"{asked.told}: expected the sha256 {asked.sha256}, got {got}; it was thrown away")
            logger.info("%s: what was gone on with is no part of it; begun anew", asked.told)
            part.restart(Note(_origin(asked), None, None))
            began_elsewhere = False
        except _Cut as cut:
            tries = 1 if part.size - before >= ENOUGH else tries + 1
            if tries > len(means.waits_s):
                kept = f"; {part.size} bytes are kept in {part.path}: type the same again to go on" if part.size else ""
                raise FetchError(f"{asked.told}: expected the file, got {cut}{kept}") from cut
            wait_s = min(max(means.waits_s[tries - 1], cut.again_s or 0.0), LONGEST_WAIT_S)
            logger.info("%s: %s; tried again in %g s", asked.told, cut, wait_s)
            means.sleep(wait_s)


def _is_whole(asked: Asked, part: HeldPart) -> bool:
    """Tell whether all is there already: whoever fetched it was killed just before the end."""
    note = part.note()
    if note is None or note.origin != _origin(asked) or note.bytes is None or part.size != note.bytes:
        return False
    part.go_on()
    return True


def _once(asked: Asked, part: HeldPart, means: Means) -> None:
    """Ask once, and take what comes.

    Raises:
        _Cut: not all came.
        FetchError: asking again is of no use.
    """
    note = part.note()
    ours = note is not None and note.origin == _origin(asked)
    # Without a name for the version, only a checksum tells whether both parts are of the same file.
    can_go_on = bool(part.size and note and ours and (note.validator or (asked.sha256 and note.bytes)))
    begin = part.size if can_go_on else 0
    try:
        answer = ask(asked.url, begin, note.validator if note else None, means.timeout_s, asked.plain_http)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(asked, error) from error
    try:
        _take(asked, part, means, answer, begin, note)
    except (OSError, http.client.HTTPException) as error:
        raise _failed(asked, error) from error
    finally:
        answer.close()


def _take(asked: Asked, part: HeldPart, means: Means, answer: Answer, begin: int, note: Note | None) -> None:
    if answer.status == 416 or (answer.status == 206 and not _continues(answer, begin, note)):
        part.restart(Note(_origin(asked), None, None))
        raise _Cut("bytes of another version, which are not gone on with")
    if answer.status not in (200, 206):
        raise _refused(asked, answer)
    whole = answer.total if answer.total is not None else asked.bytes
    _check_size(asked, answer, whole)
    if answer.status == 206:
        part.go_on()
    else:
        part.restart(Note(_origin(asked), answer.validator, whole))
    _check_room(part, means, whole)
    means.progress(part.place.name, part.size, whole)
    while block := answer.read(BLOCK):
        if part.size + len(block) > (whole if whole is not None else asked.most_bytes):
            part.discard()
            raise FetchError(f"{asked.told}: expected at most {whole or asked.most_bytes} bytes, got more; refused")
        part.write(block)
        means.progress(part.place.name, part.size, whole)
    if whole is not None and part.size < whole:
        raise _Cut(f"{part.size} of {whole} bytes before the server hung up")


def _continues(answer: Answer, begin: int, note: Note | None) -> bool:
    same_size = note is None or None in (note.bytes, answer.total) or note.bytes == answer.total
    same_version = note is None or note.validator is None or answer.validator in (None, note.validator)
    return begin > 0 and answer.begin == begin and same_size and same_version


def _check_size(asked: Asked, answer: Answer, whole: int | None) -> None:
    if whole is None and not answer.marked_end and asked.sha256 is None:
        raise FetchError(
            f"{asked.told}: expected to be told how large the file is, got neither a size nor an end that can be seen; "
            "write its sha256 or its bytes into the card"
        )
    if whole is not None and asked.bytes not in (None, whole):
        raise FetchError(f"{asked.told}: expected {asked.bytes} bytes, got {whole}; it is another file")
    if whole is not None and whole > asked.most_bytes:
        raise FetchError(f"{asked.told}: expected at most {asked.most_bytes} bytes, got {whole}; refused")


def _check_room(part: HeldPart, means: Means, whole: int | None) -> None:
    missing = (whole or 0) - part.size
    free = means.free_bytes(part.place.parent)
    if missing > free:
        raise PipelineError(f"{part.place}: expected {missing} free bytes, got {free}; free space or {ELSEWHERE}")


def _refused(asked: Asked, answer: Answer) -> Exception:
    if answer.status in PASSING:
        return _Cut(f"the answer {answer.status}", answer.again_s)
    why = {401: "a user and a password are wanted", 403: "it is not given to us", 404: "there is no such file"}
    return FetchError(
        f"{asked.told}: expected the file, got the answer {answer.status}, {why.get(answer.status, 'no file')}; "
        "see whether the address opens in a browser"
    )


def _failed(asked: Asked, error: Exception) -> Exception:
    """Return what a failure of a connection is to us."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return FetchError(
            f"{asked.told}: expected a certificate that is trusted, got {cause.verify_message}; name the authorities "
            "to trust in SSL_CERT_FILE"
        )
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
        return FetchError(f"{asked.told}: expected a host, got no such name; is there a network?")
    if isinstance(cause, TimeoutError):
        return _Cut("silence for too long")
    if isinstance(cause, OSError) and cause.errno in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE):
        way = " by the proxy that the environment names" if goes_through_proxy(asked.url) else ""
        return _Cut(f"a connection that was {'refused' if cause.errno == errno.ECONNREFUSED else 'cut'}{way}")
    return _Cut(f"no connection ({' '.join(str(cause).split()) or type(cause).__name__})")


def _origin(asked: Asked) -> str:
    return hashlib.sha256(asked.url.encode()).hexdigest()[:16]
