"""From `--source` and the `streams:` block to the streams of a run."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config import RunConfig
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.streams import STREAM_ID
from pipeline.urls import FILE_SUFFIXES, is_camera, is_url, redact

GLOB = re.compile(r"[*?\[]")


def named_sources(texts: Iterable[str]) -> dict[str, str]:
    """Read `[ID=]URL` values into urls by stream id; a glob or folder of videos gives one stream for each video.

    An id that is not given comes from the name of the file, or from host and path of a URL.

    Raises:
        ConfigError: an id is malformed, two are equal, or a glob fits nothing; one line for each.
    """
    urls: dict[str, str] = {}
    problems: list[str] = []
    for text in texts:
        stream_id, url = _split(text)
        found = _videos(url)
        if not found:
            problems.append(f"--source {redact(text)}: no file fits {url!r}; check the path")
        elif stream_id and not STREAM_ID.fullmatch(stream_id):
            problems.append(
                f"--source {redact(text)}: expected a stream id of a-z, 0-9, _ and - only, got {stream_id!r}; "
                f"write --source {id_of(stream_id)}={redact(url)}"
            )
        else:
            for one in found:
                own_id = id_of(one) if not stream_id else stream_id if len(found) == 1 else f"{stream_id}-{id_of(one)}"
                if own_id in urls:
                    problems.append(
                        f"--source {redact(one)}: expected a stream id of its own, got {own_id!r}, "
                        f"which {redact(urls[own_id])} has; write --source other={redact(one)}"
                    )
                urls.setdefault(own_id, one)
    if problems:
        raise ConfigError("\n".join(problems))
    return urls


def id_of(url: str) -> str:
    """Return the stream id that a URL gets when none is written."""
    if url.isdecimal():
        name = f"camera-{url}"
    elif is_url(url):
        parts = urlsplit(url)
        name = Path(parts.path).stem if parts.path.lower().endswith(FILE_SUFFIXES) else f"{parts.hostname}{parts.path}"
    else:
        name = Path(url).resolve().stem
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_") or "stream"


def streams_to_run(config: RunConfig, is_live: Callable[[str], bool], root: Path) -> list[Stream]:
    """Return the streams of a configuration, files found and made absolute where they lie beside the program.

    Raises:
        ConfigError: there are none, or files do not exist; one line for each.
    """
    if not config.streams:
        raise ConfigError(f"{config.path}: expected streams, got none; add --source clip.mp4 or a block 'streams:'")
    streams = []
    problems = []
    for stream_id, stream in config.streams.items():
        url = _located(stream.url, root)
        if url is None:
            place = config.where("streams", stream_id, "url")
            places = " and ".join(dict.fromkeys([str(Path.cwd()), str(root)]))
            wanted = "a file, glob, folder of pictures, camera index or URL"
            problems.append(
                f"{place}: streams.{stream_id}.url: expected {wanted}, got {redact(stream.url)!r}, "
                f"which does not exist; check the path (looked in {places})"
            )
        else:
            live = is_live(url)
            streams.append(Stream(stream_id, stream.model_copy(update={"url": url}), live))
    if problems:
        raise ConfigError("\n".join(problems))
    return streams


def files_of(url: str) -> list[Path]:
    """Return the files that a URL stands for, sorted: itself, what a glob fits, or what a folder holds."""
    if is_url(url) or is_camera(url):
        return []
    path = Path(url)
    if path.is_dir():
        return sorted(child for child in path.iterdir() if child.is_file())
    if path.exists():
        return [path]
    return sorted(Path(found) for found in glob.glob(url))


def _split(text: str) -> tuple[str, str]:
    """Split `[ID=]URL`; a path that exists is a path, whatever is in its name."""
    head, equals, tail = text.partition("=")
    if not equals or Path(text).exists() or not re.fullmatch(r"[^/\\.:?]*", head):
        return "", text
    return head, tail


def _videos(url: str) -> list[str]:
    """Return the streams behind a URL: several for a glob or folder that holds videos, itself otherwise."""
    if is_url(url) or is_camera(url):
        return [url]
    path = Path(url).expanduser()
    if path.exists() and not path.is_dir():
        return [str(path)]
    if not path.exists() and not GLOB.search(url):
        return [str(path)]  # that it does not exist is told with the other streams that don't
    files = files_of(str(path))
    videos = [str(file) for file in files if file.suffix.lower() in FILE_SUFFIXES]
    return videos or ([str(path)] if files or path.exists() else [])


def _located(url: str, root: Path) -> str | None:
    """Return where a file lies: below the current folder or else beside the program; None when nowhere."""
    if is_url(url) or is_camera(url):
        return url
    path = Path(url).expanduser()
    for candidate in (path, root / path):
        if files_of(str(candidate)) or candidate.exists():
            return str(candidate)
    return None
