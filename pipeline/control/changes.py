"""What may change while a graph runs: nodes, streams and engine as they are, held against what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from pipeline.errors import ConfigError, RefusedError
from pipeline.frames import Stream
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Source
from pipeline.settings import EngineConfig
from pipeline.streams import StreamConfig

LIVE_OF_STREAM = frozenset(
    {
        "aois", "masks", "hfov_deg", "camera_matrix", "camera_size_wh", "camera_origin", "max_fps", "when_full",
        "max_age_ms",
    }
)  # fmt: skip
"""Values of a stream that may change while it is read."""
FIXED_OF_STREAM = {
    "url": "what came from elsewhere would be another stream",
    "realtime": "it would be read in another way",
    "start_time": "the times of its events would jump",
}
LAID_OUT = "threads and queues are laid out when a run begins; restart"


@dataclass
class Findings:
    """What is wrong with changes, and what of them can only be had otherwise: all of it, before anything is done."""

    problems: list[str] = field(default_factory=list)
    """Values that make no sense."""
    refusals: list[str] = field(default_factory=list)
    """Values that make sense, but not while the graph runs."""
    where: Callable[..., str] = lambda *keys: ""
    """Tells by path of keys where a value was written; nothing for what stands in no file."""

    def refuse(self, keys: tuple[str, ...], what: str) -> None:
        """Note that something cannot be had, with the reason and the cure."""
        place = self.where(*keys)
        self.refusals.append(f"{place}: {'.'.join(keys)}: {what}" if place else f"{'.'.join(keys)}: {what}")

    def fixed(self, keys: tuple[str, ...], why: str) -> None:
        """Note that a value cannot change, with the reason and the cure."""
        self.refuse(keys, f"cannot change while the graph runs, because {why}")

    def raise_any(self) -> None:
        """Complain if there is anything to complain of.

        Raises:
            ConfigError: values are wrong; what is refused is told, too.
            RefusedError: values are right but cannot be had.
        """
        if self.problems:
            raise ConfigError("\n".join([*self.problems, *self.refusals]))
        if self.refusals:
            raise RefusedError("\n".join(self.refusals))


def node_changes(spec: NodeSpec, wanted: BaseModel, found: Findings) -> dict[str, Any]:
    """Return the values of a node that change, as JSON has them; those that cannot are noted."""
    told = wanted.model_dump(mode="json")
    changes = {}
    for key in differing(spec.config, wanted):
        if why := _why_fixed(spec, key):
            found.fixed((spec.name, key), f"{why}; restart")
        else:
            changes[key] = told[key]
    return changes


def stream_changes(stream: Stream, wanted: StreamConfig, found: Findings) -> list[str]:
    """Return the dotted paths of what changes of a stream, areas one by one; what cannot is noted."""
    paths = []
    for key in differing(stream.config, wanted):
        keys = ("streams", stream.id, key)
        if not stream.live:
            found.fixed(keys, "files are run as configured; change the configuration and run it again")
        elif key not in LIVE_OF_STREAM:
            found.fixed(keys, f"{FIXED_OF_STREAM[key]}; remove the stream and add it again")
        elif key == "aois":
            before, after = stream.config.aois, wanted.aois
            names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
            paths += [".".join([*keys, name]) for name in names] or [".".join(keys)]
        else:
            paths.append(".".join(keys))
    return paths


def check_engine(running: EngineConfig, wanted: EngineConfig, found: Findings) -> None:
    """Note what would have to change of the engine."""
    for key in differing(running, wanted):
        found.fixed(("engine", key), LAID_OUT)


def check_layout(running: Graph, wanted: Graph, found: Findings) -> None:
    """Note what would have to change of the nodes that there are, and of what they read."""
    before, after = ({spec.name: spec for spec in graph.nodes} for graph in (running, wanted))
    told = [f"{wanted.path}: {name}: cannot be taken out" for name in before if name not in after]
    told += [f"{spec.where}: {name}: cannot be put in" for name, spec in after.items() if name not in before]
    for name, spec in after.items():
        for key, attribute in (("type", "type"), ("in", "inputs"), ("stage", "stage")):
            if name in before and getattr(before[name], attribute) != getattr(spec, attribute):
                told.append(f"{spec.where}: {name}.{key}: cannot change")
    found.refusals += [f"{line} while the graph runs, because {LAID_OUT}" for line in told]


def differing(a: BaseModel, b: BaseModel) -> Iterator[str]:
    """Yield the fields in which two configurations of one kind differ; areas in another order do."""
    for key in type(a).model_fields:
        one, other = getattr(a, key), getattr(b, key)
        if one != other or (isinstance(one, Mapping) and list(one) != list(other)):
            yield key


def _why_fixed(spec: NodeSpec, key: str) -> str | None:
    """Return why a value of a node cannot change; None for one that can."""
    extra = type(spec.config).model_fields[key].json_schema_extra
    marks = extra if isinstance(extra, dict) else {}
    if issubclass(spec.cls, Source):
        return "sources are made with it"
    if marks.get("live"):
        return None
    return "models are opened when a run begins" if marks.get("card") else "it is taken up when a run begins"
