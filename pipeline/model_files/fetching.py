"""Bring a model file into its place, from a mirror, its makers or out of their archive: whole and checked, or not."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from pipeline.errors import ConfigError, FetchError
from pipeline.model_files.addresses import file_name
from pipeline.model_files.archives import is_archive, take_out
from pipeline.model_files.held_part import BLOCK, HeldPart, Note
from pipeline.model_files.pins import sha256_of
from pipeline.model_files.settings import MIRROR, Settings
from pipeline.model_files.transfer import Asked, Means, bring
from pipeline.urls import redact

logger = logging.getLogger(__name__)

MODEL_BYTES = 2**31 - 1
"""Most that is taken for a model of unknown size: ONNX holds no more in one file."""
ARCHIVE_BYTES = 2**34


@dataclass(frozen=True)
class Wanted:
    """A model file that is not here."""

    place: Path
    """Where it will stand."""
    url: str
    """Where it, or its archive, can be had."""
    member: str | None = None
    """Its name in the archive."""
    sha256: str | None = None
    archive_sha256: str | None = None
    bytes: int | None = None

    @property
    def most_bytes(self) -> int:
        """Size that is not exceeded."""
        return self.bytes or MODEL_BYTES


def fetch(wanted: Wanted, settings: Settings, means: Means) -> str:
    """Bring a file into its place and return its checksum. What stood there before stays until then.

    When several processes want the same, one fetches it, and the others wait for it.

    Raises:
        FetchError: it cannot be had anywhere; says of each place why. What came of it is gone on with next time.
        ConfigError: nothing is fetched, because there is no network.
        PipelineError: it cannot be written.
    """
    failures: list[str] = []
    sources = _sources(wanted, settings)
    for source in sources:
        before = _stamp(wanted.place)
        with HeldPart(
            wanted.place, lambda: logger.info("%s: another process fetches it; waiting", wanted.place)
        ) as part:
            if _stamp(wanted.place) != before:
                return sha256_of(wanted.place)
            try:
                got = source.into(part, means)
                part.finish()
                return got
            except FetchError as error:
                failures.append(str(error))
                if source is not sources[-1]:
                    logger.info("%s; tried elsewhere", error)
    if not failures:
        raise ConfigError(f"{wanted.place}: expected a network or a mirror to fetch it from, got neither")
    raise FetchError("\n".join(failures))


class _Source(Protocol):
    """Where a file may be had."""

    def into(self, part: HeldPart, means: Means) -> str:
        """Bring the file into a part and return its checksum.

        Raises:
            FetchError: it cannot be had here.
        """
        ...


@dataclass(frozen=True)
class _Mirror:
    """A folder of a web server in which files lie by name."""

    wanted: Wanted
    url: str
    plain_http: bool

    def into(self, part: HeldPart, means: Means) -> str:
        url = f"{self.url.rstrip('/')}/{quote(self.wanted.place.name)}"
        wanted = self.wanted
        return bring(Asked(url, wanted.most_bytes, wanted.bytes, wanted.sha256, self.plain_http), part, means)


@dataclass(frozen=True)
class _Folder:
    """A folder of this machine in which files lie by name."""

    wanted: Wanted
    folder: Path

    def into(self, part: HeldPart, means: Means) -> str:
        path = self.folder / self.wanted.place.name
        part.restart(_anew(str(path)))
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                while block := file.read(BLOCK):
                    part.write(block)
                    means.progress(part.place.name, part.size, size)
        except OSError as error:
            raise FetchError(f"{path}: cannot be read ({error.strerror}); put it there or unset {MIRROR}") from error
        return _checked(self.wanted, str(path), part)


@dataclass(frozen=True)
class _Makers:
    """The file itself, as its makers published it."""

    wanted: Wanted

    def into(self, part: HeldPart, means: Means) -> str:
        wanted = self.wanted
        return bring(Asked(wanted.url, wanted.most_bytes, wanted.bytes, wanted.sha256), part, means)


@dataclass(frozen=True)
class _Archive:
    """An archive that the file is in."""

    wanted: Wanted
    member: str

    def into(self, part: HeldPart, means: Means) -> str:
        archive = archive_of(self.wanted)
        if not archive.is_file():
            self._bring(archive, means)
        logger.info("%s: taken out of %s", self.member, archive.name)
        part.restart(_anew(self.wanted.url))
        try:
            take_out(archive, self.member, part, self.wanted.most_bytes)
            return _checked(self.wanted, f"{redact(self.wanted.url)}, {self.member!r} in it", part)
        except FetchError:
            part.discard()
            archive.unlink(missing_ok=True)
            raise

    def _bring(self, archive: Path, means: Means) -> None:
        asked = Asked(self.wanted.url, ARCHIVE_BYTES, sha256=self.wanted.archive_sha256)
        with HeldPart(archive, lambda: logger.info("%s: another process fetches it; waiting", archive)) as whole:
            if not archive.is_file():
                bring(asked, whole, means)
                whole.finish()


def archive_of(wanted: Wanted) -> Path:
    """Return where the archive of a file is kept while files are taken out of it."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", file_name(wanted.url))
    return wanted.place.parent / f"{hashlib.sha256(wanted.url.encode()).hexdigest()[:8]}-{name}"


def _sources(wanted: Wanted, settings: Settings) -> list[_Source]:
    """Return where a file may be had, the nearest first."""
    sources: list[_Source] = []
    if isinstance(settings.mirror, Path):
        sources.append(_Folder(wanted, settings.mirror))
    elif settings.mirror and not settings.offline:
        sources.append(_Mirror(wanted, settings.mirror, settings.plain_http))
    if settings.offline:
        return sources
    if is_archive(file_name(wanted.url)):
        return [*sources, _Archive(wanted, wanted.member or wanted.place.name)]
    return [*sources, _Makers(wanted)]


def _checked(wanted: Wanted, where: str, part: HeldPart) -> str:
    got = part.digest.hexdigest()
    if wanted.bytes not in (None, part.size):
        problem = f"expected {wanted.bytes} bytes, got {part.size}"
    elif wanted.sha256 not in (None, got):
        problem = f"expected the sha256 {wanted.sha256}, got {got}"
    else:
        return got
    part.discard()
    raise FetchError(f"{where}: {problem}; it was thrown away")


def _anew(origin: str) -> Note:
    """Return the note of a part that is never gone on with."""
    return Note(f"whole of {hashlib.sha256(origin.encode()).hexdigest()[:16]}", None, None)


def _stamp(place: Path) -> tuple[int, int] | None:
    """Return what changes when another file takes a place."""
    try:
        status = place.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
