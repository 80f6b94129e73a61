"""Read a configuration: YAML, `--set` overrides, and for every complaint the place it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import ConfigError
from pipeline.settings import EngineConfig
from pipeline.streams import STREAM_ID, StreamConfig
from pipeline.suggest import did_you_mean
from pipeline.urls import redact
from pipeline.yaml_source import Document, Keys, parse_yaml, place_of, read_yaml

M = TypeVar("M", bound=BaseModel)
MAX_SHOWN = 60
PLAIN_WORDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "string_type": "text",
    "tuple_type": "a list",
}
"""What pydantic's kinds of error ask for, where its own words are technical."""


@dataclass(frozen=True)
class Block:
    """One mapping of a configuration and where each of its values was written."""

    name: str
    """Dotted path of the block, such as `gaze` or `streams.door`."""
    values: dict[str, Any]
    places: dict[Keys, str]
    """`file:line`, or the `--set` that gave the value, by path of keys within the block; () for the block."""

    def complaint(self, keys: Keys, problem: str) -> str:
        """Return `place: dotted.path: problem`."""
        return f"{place_of(self.places, keys)}: {'.'.join([self.name, *map(str, keys)])}: {problem}"


@dataclass(frozen=True)
class RunConfig:
    """A configuration whose streams and engine block are checked; node blocks are checked against their graph."""

    path: str
    streams: dict[str, StreamConfig]
    engine: EngineConfig
    nodes: dict[str, Block]
    places: dict[Keys, str]
    """`file:line`, or the option that gave the value, by path of keys."""

    def where(self, *keys: str | int) -> str:
        """Return where the value under `keys`, or the nearest above it, was written."""
        return place_of(self.places, keys)


def load_config(path: Path | None, sets: Iterable[str] = (), sources: Mapping[str, str] | None = None) -> RunConfig:
    """Read a configuration and apply overrides.

    Args:
        path: the YAML file; None stands for an empty one.
        sets: overrides `node.key=value`, `streams.<id>.key=value` or `engine.key=value`, the value in YAML.
        sources: url by stream id: these streams are run in place of those of the file; one that the file has, too,
            keeps its other values.

    Raises:
        ConfigError: one line for each problem of the file and the overrides, with its place and dotted key.
    """
    config, problems = read_config(path, sets, sources)
    if problems:
        raise ConfigError("\n".join(problems))
    return config


def read_config(
    path: Path | None, sets: Iterable[str] = (), sources: Mapping[str, str] | None = None
) -> tuple[RunConfig, list[str]]:
    """Do what `load_config` does, but return the problems, so that they can be shown with those of the graph.

    Raises:
        ConfigError: the file cannot be read at all.
    """
    return config_from(read_yaml(path) if path else parse_yaml("", "no configuration"), sets, sources)


def config_from(
    document: Document, sets: Iterable[str] = (), sources: Mapping[str, str] | None = None
) -> tuple[RunConfig, list[str]]:
    """Do what `read_config` does with values that were read already.

    Raises:
        ConfigError: they are no blocks.
    """
    problems = list(document.problems)
    data, places = document.data, dict(document.places)
    if not isinstance(data, dict):
        raise ConfigError(f"{document.where()}: expected blocks such as 'streams:' and node names, got {shown(data)}")
    for text in sets:
        try:
            _apply(text, data, places)
        except ConfigError as exc:
            problems.append(str(exc))
    if sources:
        _replace_streams(sources, data, places, problems)
    blocks = {name: _block(name, data[name], places, (name,), problems) for name in data}
    engine, streams = blocks.pop("engine", None), blocks.pop("streams", None)
    return (
        RunConfig(
            path=places[()],
            streams=_streams(streams, problems) if streams else {},
            engine=(validated(EngineConfig, engine, problems) if engine else None) or EngineConfig(),
            nodes={name: block for name, block in blocks.items() if block},
            places=places,
        ),
        problems,
    )


def validated(model: type[M], block: Block, problems: list[str]) -> M | None:
    """Make a `model` of a block; on failure add a line to `problems` for each wrong value and return None."""
    try:
        return model.model_validate(block.values)
    except ValidationError as exc:
        # A value that fits no member of a union is complained about once for each member.
        found: dict[Keys, list[Any]] = {}
        for error in exc.errors(include_url=False):
            found.setdefault(_keys_of(block.values, error), []).append(error)
        problems += [block.complaint(keys, _sentence(model, keys, errors)) for keys, errors in found.items()]
        return None


def shown(value: Any) -> str:
    """Return a value as it may stand in a message: short, and without passwords."""
    text = redact(repr(value))
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _streams(block: Block, problems: list[str]) -> dict[str, StreamConfig]:
    streams = {}
    for stream_id, values in block.values.items():
        if not STREAM_ID.fullmatch(stream_id):
            problem = f"expected a stream id of a-z, A-Z, 0-9, _ and - only, got {stream_id!r}; rename it"
            problems.append(block.complaint((stream_id,), problem))
            continue
        inner = _block(f"streams.{stream_id}", values, block.places, (stream_id,), problems)
        if inner and (checked := validated(StreamConfig, inner, problems)):
            streams[stream_id] = checked
    return streams


def _block(name: str, values: Any, places: Mapping[Keys, str], keys: Keys, problems: list[str]) -> Block | None:
    """Cut the block under `keys` out; when it is no mapping, add that to `problems` and return None."""
    inside = {path[len(keys) :]: place for path, place in places.items() if path[: len(keys)] == keys}
    block = Block(name, values if isinstance(values, dict) else {}, inside)
    if isinstance(values, dict) or values is None:
        return block
    problems.append(block.complaint((), f"expected keys and values, got {shown(values)}"))
    return None


def _apply(text: str, data: dict[str, Any], places: dict[Keys, str]) -> None:
    """Write one `a.b=value` into `data`."""
    path, equals, value = text.partition("=")
    keys = tuple(path.split("."))
    place = f"--set {redact(text)}"
    if not equals or len(keys) < 2 or not all(keys):
        raise ConfigError(f"{place}: expected node.key=value; write for example --set tracks.min_score=0.4")
    try:
        document = parse_yaml(value, place)
    except ConfigError as exc:
        raise ConfigError(f"{place}: expected a value as YAML has it, got {shown(value)}; quote it") from exc
    if document.problems:
        raise ConfigError(document.problems[0].replace(f"{place}:1:", f"{place}:", 1))
    target = data
    for depth, key in enumerate(keys[:-1], start=1):
        if target.get(key) is None:
            target[key] = {}
            places.setdefault(keys[:depth], place)
        target = target[key]
        if not isinstance(target, dict):
            raise ConfigError(f"{place}: {'.'.join(keys[:depth])} holds {shown(target)}, which has no keys")
    target[keys[-1]] = None if value == "" else document.data
    for stale in [old for old in places if old[: len(keys)] == keys]:
        del places[stale]
    places[keys] = place


def _replace_streams(
    sources: Mapping[str, str], data: dict[str, Any], places: dict[Keys, str], problems: list[str]
) -> None:
    """Put the streams given on the command line in place of those of the file."""
    before = data.get("streams")
    written = before if isinstance(before, dict) else {}
    for keys, place in places.items():
        if keys[:1] == ("streams",) and len(keys) > 2 and keys[1] not in sources and place.startswith("--set"):
            problems.append(f"{place}: no stream {keys[1]!r} is run{did_you_mean(str(keys[1]), sources, 'streams')}")
    data["streams"] = {}
    for stream_id, url in sources.items():
        values = written.get(stream_id)
        data["streams"][stream_id] = {**(values if isinstance(values, dict) else {}), "url": url}
        places.setdefault(("streams", stream_id), f"--source {redact(url)}")
        places["streams", stream_id, "url"] = f"--source {redact(url)}"


def _keys_of(values: dict[str, Any], error: Any) -> Keys:
    """Return the keys that a pydantic error is about; those that are written, and one that is missing."""
    keys: Keys = tuple(error["loc"])
    written = _existing(values, keys)
    return keys if error["type"] == "missing" and len(keys) == len(written) + 1 else written


def _sentence(model: type[BaseModel], keys: Keys, errors: list[Any]) -> str:
    """Return what pydantic's errors about one value come to."""
    kinds = {error["type"]: error for error in errors}
    if "extra_forbidden" in kinds:
        known = did_you_mean(str(keys[0]), model.model_fields, "keys")
        return f"unknown key{known}" if len(keys) == 1 else "unknown key; remove it"
    if "missing" in kinds:
        return "expected a value, got none; add it"
    if "value_error" in kinds:  # raised by one of our validators, which say it all
        return redact(kinds["value_error"]["msg"].removeprefix("Value error, "))
    wanted = [PLAIN_WORDS.get(kind) or error["msg"].removeprefix("Input should be ") for kind, error in kinds.items()]
    return f"expected {' or '.join(dict.fromkeys(wanted))}, got {shown(errors[0]['input'])}"


def _existing(values: Any, keys: Keys) -> Keys:
    """Return those of `keys` that lead down `values`; pydantic puts in names of types and of what is short for more."""
    found: Keys = ()
    for key in keys:
        if key in values if isinstance(values, dict) else isinstance(values, list) and key in range(len(values)):
            values = values[key]
            found = (*found, key)
    return found
