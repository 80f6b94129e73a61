"""From plain values that somebody asks for to checked configurations of streams and nodes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from pipeline.config import Block, shown, validated
from pipeline.control.changes import Findings
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.node import NodeConfig, Source
from pipeline.streams import STREAM_ID, StreamConfig
from pipeline.suggest import did_you_mean
from pipeline.urls import is_camera, is_url, redact

M = TypeVar("M", bound=BaseModel)


def checked(model: type[M], name: str, values: Mapping[str, Any], found: Findings) -> M | None:
    """Make a configuration of values that were written nowhere; what is wrong with them is noted."""
    problems: list[str] = []
    made = validated(model, Block(name, dict(values), {(): ""}), problems)
    found.problems += [problem.removeprefix(": ") for problem in problems]
    return made


def check_id(stream_id: str, taken: Collection[str], found: Findings) -> None:
    """Note what speaks against the id of a stream that is to be added."""
    alike = next((other for other in taken if other.lower() == stream_id.lower()), stream_id)
    if not STREAM_ID.fullmatch(stream_id):
        wanted = f"expected a stream id of a-z, A-Z, 0-9, _ and - only, got {shown(stream_id)}; choose another"
        found.problems.append(f"streams: {wanted}")
    elif stream_id in taken:
        found.refuse(("streams", stream_id), "expected another id, got one that is taken; remove that stream first")
    elif alike != stream_id:
        found.refuse(
            ("streams", stream_id),
            f"expected an id that differs from {alike!r} in more than capitals, got {stream_id!r}: some disks would "
            "mix their results; choose another",
        )


def live_stream(stream_id: str, config: StreamConfig, graph: Graph, root: Path, found: Findings) -> Stream | None:
    """Return a stream that can be added to a run; where it cannot, that is noted.

    Args:
        stream_id: what it is called.
        config: its values.
        graph: has the source that is to read it.
        root: where relative paths that the current folder lacks are looked for.
        found: takes what is wrong.
    """
    source = graph.source.cls
    assert issubclass(source, Source)
    keys = "streams", stream_id, "url"
    if source.is_live(config.url):
        return Stream(stream_id, config, live=True)
    if not config.realtime or is_url(config.url) or is_camera(config.url):
        wanted = "expected the URL of something live, or a file with realtime: true"
        cure = "run files by themselves, because none of their frames may be dropped"
        found.refuse(keys, f"{wanted}, got {shown(config.url)}; {cure}")
        return None
    path = Path(config.url).expanduser()
    place = next((one for one in (path, root / path) if one.is_file()), None)
    if place is None:
        problem = f"expected a file, got {shown(config.url)}, which is not there; check the path"
        found.problems.append(f"{'.'.join(keys)}: {problem}")
        return None
    return Stream(stream_id, config.model_copy(update={"url": str(place)}), live=True)


def node_with(graph: Graph, name: str, fields: Mapping[str, Any], root: Path, found: Findings) -> NodeConfig | None:
    """Return the values of a node with some others; what is wrong with them is noted."""
    names = [spec.name for spec in graph.nodes]
    if name not in names:
        found.problems.append(f"{redact(name)}: {graph.path} has no such node{did_you_mean(name, names, 'nodes')}")
        return None
    before = graph.node(name).config
    after = checked(type(before), name, {**before.model_dump(), **fields}, found)
    if after is not None:
        known = before.problems(root)
        for key, told in after.problems(root).items():
            found.problems += [f"{name}.{key}: {one}" for one in told if one not in known.get(key, [])]
    return after


def stream_with(stream: Stream, fields: Mapping[str, Any], found: Findings) -> StreamConfig | None:
    """Return the values of a stream with some others; what is wrong with them is noted.

    Args:
        stream: as it is.
        fields: by key; `aois.<name>` is one of its areas, which None removes.
        found: takes what is wrong.
    """
    values = stream.config.model_dump()
    for key, value in fields.items():
        head, dot, name = key.partition(".")
        if head != "aois" or not dot or not isinstance(values["aois"], dict):
            values[key] = value
        elif value is not None:
            values["aois"] = {**values["aois"], name: value}
        elif name in values["aois"]:
            values["aois"] = {other: area for other, area in values["aois"].items() if other != name}
        else:
            hint = did_you_mean(name, values["aois"], "areas")
            found.problems.append(f"streams.{stream.id}.{key}: expected an area, got no such one{hint}")
    return checked(StreamConfig, f"streams.{stream.id}", values, found)
