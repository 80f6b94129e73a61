"""From `--source` and the `streams:` block to the streams of a run."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config import RunConfig
from pipeline.errors import ConfigError
from pipeline.frames import Stream
from pipeline.streams import STREAM_ID
from pipeline.urls import FILE_SUFFIXES, is_camera, is_url, redact


def named_sources(texts: Iterable[str]) -> dict[str, str]:
    """Read `[ID=]URL` values into urls by stream id; a glob or folder of videos gives one stream for each video.

    An id that is not given comes from the name of the file, or from host and path of a URL.

    Raises:
        ConfigError: an id is malformed, or two are equal; one line for each.
    """
    urls: dict[str, str] = {}
    problems: list[str] = []
    for text in texts:
        given_id, url = _split(text)
        if given_id and not STREAM_ID.fullmatch(given_id):
            problems.append(
                f"--source {redact(text)}: expected a stream id of a-z, A-Z, 0-9, _ and - only, got {given_id!r}; "
                f"write --source {_as_id(given_id)}={redact(url)}"
            )
            continue
        for stream_id, one in _each(given_id, url):
            if stream_id in urls:
                problems.append(
                    f"--source {redact(one)}: expected a stream id of its own, got {stream_id!r}, "
                    f"which {redact(urls[stream_id])} has; write --source other={redact(one)}"
                )
            urls.setdefault(stream_id, one)
    if problems:
        raise ConfigError("\n".join(problems))
    return urls


def streams_to_run(
    config: RunConfig, is_live: Callable[[str], bool], root: Path, *, may_be_gone: bool = False
) -> list[Stream]:
    """Return the streams of a configuration, found in the current folder or else beside the program.

    Args:
        config: a checked configuration.
        is_live: tells whether a URL is live.
        root: the folder of the program, where relative paths that the current folder lacks are looked for.
        may_be_gone: whether a file need not exist, because a recording stands in for it.

    Raises:
        ConfigError: there are none, or files do not exist; one line for each.
    """
    if not config.streams:
        raise ConfigError(f"{config.path}: expected streams, got none; add --source clip.mp4 or a block 'streams:'")
    streams: dict[str, Stream] = {}
    problems = []
    for stream_id, stream in config.streams.items():
        url = _located(stream.url, root) or (stream.url if may_be_gone else None)
        if url is None:
            looked = " and ".join(dict.fromkeys([str(Path.cwd()), str(root)]))
            problems.append(
                f"{config.where('streams', stream_id, 'url')}: streams.{stream_id}.url: expected a file, glob, folder, "
                f"camera index or URL, got {stream.url!r}, which is not there; check the path (looked in {looked})"
            )
            continue
        for own_id, one in _each(stream_id, url):
            streams[own_id] = Stream(own_id, stream.model_copy(update={"url": one}), is_live(one) or stream.realtime)
            alike = next(id for id in streams if id.lower() == own_id.lower())
            if alike != own_id:
                problems.append(
                    f"{config.where('streams', stream_id)}: streams.{own_id}: expected an id that differs from "
                    f"{alike!r} in more than capitals, got {own_id!r}: some disks would mix their results; rename one"
                )
    if problems:
        raise ConfigError("\n".join(problems))
    return list(streams.values())


def dated(streams: Iterable[Stream], now: datetime) -> list[Stream]:
    """Return the streams, live ones beginning now on the wall clock unless their configuration says when."""
    return [
        replace(stream, config=stream.config.model_copy(update={"start_time": now}))
        if stream.live and stream.config.start_time is None
        else stream
        for stream in streams
    ]


def id_of(url: str) -> str:
    """Return the stream id that a URL gets when none is written."""
    if url.isdecimal():
        return f"camera-{url}"
    if not is_url(url):
        return _as_id(Path(url).resolve().stem)
    parts = urlsplit(url)
    is_file = parts.path.lower().endswith(FILE_SUFFIXES)
    return _as_id(Path(parts.path).stem if is_file else f"{parts.hostname or ''}{parts.path}")


def files_of(url: str) -> list[Path]:
    """Return the files that a URL stands for, sorted: itself, what a glob fits, or what a folder holds."""
    if is_url(url) or is_camera(url):
        return []
    path = Path(url)
    if os.path.isdir(path):  # those of os.path know that what no file can be called does not exist
        return sorted(child for child in path.iterdir() if child.is_file())
    return [path] if os.path.exists(path) else sorted(Path(found) for found in glob.glob(url))


def _as_id(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_") or "stream"


def _split(text: str) -> tuple[str, str]:
    """Split `[ID=]URL`; what exists as a path is a path, whatever is in its name."""
    head, equals, tail = text.partition("=")
    if not equals or os.path.exists(text) or not re.fullmatch(r"[^/\\.:?*]+", head):
        return "", text
    return head, tail


def _each(given_id: str, url: str) -> list[tuple[str, str]]:
    """Return id and url of the streams behind a URL: one for each video of a glob or folder, itself for all else."""
    path = Path(url).expanduser()
    if is_url(url) or is_camera(url) or os.path.isfile(path):
        return [(given_id or id_of(url), url)]
    videos = [str(file) for file in files_of(str(path)) if file.suffix.lower() in FILE_SUFFIXES]
    if not videos:  # a folder or glob of pictures is one stream, and what does not exist is told later
        return [(given_id or id_of(url), url)]
    return [(f"{given_id}-{id_of(video)}" if given_id else id_of(video), video) for video in videos]


def _located(url: str, root: Path) -> str | None:
    """Return where a file lies; None when nowhere."""
    if is_url(url) or is_camera(url):
        return url
    path = Path(url).expanduser()
    return next((str(place) for place in (path, root / path) if os.path.exists(place) or files_of(str(place))), None)
