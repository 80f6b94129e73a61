"""What stands in `recording.json` beside the recorded edges of a whole run: all that a replay must know of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from pipeline.config import Block, shown, validated
from pipeline.errors import ConfigError
from pipeline.graph import NODE_NAME
from pipeline.lineage import Model
from pipeline.streams import STREAM_ID

MANIFEST = "recording.json"
VERSION = 1
LIVE = "live"
"""What the run of all live streams is called."""
MAX_BYTES = 16_000_000
"""Of a manifest; forty streams with fifty areas each take one."""

Id = Annotated[str, StringConstraints(pattern=f"^{STREAM_ID.pattern}$")]
Edge = Annotated[str, StringConstraints(pattern=f"^{NODE_NAME.pattern}$")]


def _inside(file: str) -> str:
    stream_id, _, name = file.partition("/")
    if not STREAM_ID.fullmatch(stream_id) or name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise ValueError(f"expected <stream>/<file>, got {file!r}")
    return file


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Log(_Part):
    """A file of events that the recorded run wrote; a copy is in `<run>/logs/`."""

    file: Annotated[str, AfterValidator(_inside)]
    """`<stream>/<name>`, below the folder of results."""
    lines: int
    sha256: str


class RecordedStream(_Part):
    """A stream as it was run: with the time at which it began, and without passwords in its url."""

    live: bool
    config: dict[str, Any]


class RecordedRun(_Part):
    """One run of the graph: on one file, or on all live streams together."""

    streams: tuple[Id, ...]
    ended: str = ""
    """How it ended: done, interrupted, or what failed; empty when it did not, because it was killed."""
    logs: tuple[Log, ...] | None = None
    """None when a replay must not be held to what was written, because the run failed or was killed."""


class Manifest(_Part):
    """What stands in `recording.json`."""

    gazegraph: Literal["recording"] = "recording"
    version: Literal[1] = 1
    graph: Annotated[str, StringConstraints(pattern=r"^[^/\\]+$")]
    """Name of the graph's file."""
    graph_text: str
    edges: tuple[Edge, ...]
    values: dict[str, dict[str, Any]]
    """Values of all nodes by name, defaults written out, and of `engine`."""
    models: dict[str, Model]
    """Name and checksum of each model, by card."""
    streams: dict[Id, RecordedStream]
    runs: dict[Id, RecordedRun]
    """By name of the folder: that of the stream of a file, `live` for all live streams."""


def read_manifest(folder: Path) -> Manifest:
    """Read what is known of a recording.

    Raises:
        ConfigError: the folder holds no recording, or one of another version, or a damaged one.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: expected a recording, got more than {MAX_BYTES} bytes; record it again")
        plain = json.loads(content.decode("utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(_no_recording(folder)) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: expected a recording, got no JSON ({error}); record it again") from error
    if not isinstance(plain, dict) or plain.get("gazegraph") != "recording":
        raise ConfigError(f"{path}: expected a recording, got something else; give the folder of a recording")
    if plain.get("version") != VERSION:
        raise ConfigError(
            f"{path}: expected a recording of version {VERSION}, got {plain.get('version')!r:.40}; "
            "replay it with the program that made it, or record it again"
        )
    problems: list[str] = []
    manifest = validated(Manifest, Block("recording", plain, {(): str(path)}), problems)
    if manifest is None:
        raise ConfigError("\n".join(problems))
    live = tuple(id for id, stream in manifest.streams.items() if stream.live)
    wanted = {id: (id,) for id, stream in manifest.streams.items() if not stream.live} | ({LIVE: live} if live else {})
    got = {name: run.streams for name, run in manifest.runs.items()}
    if not wanted or got != wanted:
        raise ConfigError(f"{path}: expected runs of all streams, {shown(wanted)}, got {shown(got)}; record it again")
    return manifest


def _no_recording(folder: Path) -> str:
    if not folder.is_dir():
        got, cure = "no such folder", "check the path"
    elif edges := sorted({file.stem for file in folder.rglob("*.ticks")}):
        got = f"single edges ({', '.join(edges)})"
        cure = f"replay one with: run_graph.py GRAPH --replay {edges[0]}={folder}"
    else:
        got, cure = f"a folder without {MANIFEST}", f"make one with: run_graph.py GRAPH --record {folder}"
    return f"{folder}: expected a recording of a whole run, got {got}; {cure}"
