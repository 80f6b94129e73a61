"""Read YAML that a stranger wrote: plain values only, each with the line it stands on, a key at most once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError

Keys = tuple[str | int, ...]
MAX_BYTES = 4_000_000
MAX_VALUES = 100_000
"""Aliases may repeat a part of a file; a file that unfolds to more values than this is refused."""

PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "timestamp", "str", "seq", "map")
)


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, with the place of each."""

    data: Any
    places: dict[Keys, str]
    """`file:line` by path of keys; the path () stands for the whole file."""
    problems: tuple[str, ...]
    """What is wrong but did not keep the rest from being read: doubled keys, tags, merge keys."""

    def where(self, *keys: str | int) -> str:
        """Return the place of the value under `keys`, or of the nearest value above it that was written."""
        return place_of(self.places, keys)


def place_of(places: dict[Keys, str], keys: Keys) -> str:
    """Return the place of `keys`, or of the longest beginning of `keys` that has one."""
    for length in range(len(keys), 0, -1):
        if keys[:length] in places:
            return places[keys[:length]]
    return places[()]


def read_yaml(path: Path) -> Document:
    """Read a YAML file; an empty one reads as `{}`.

    Raises:
        ConfigError: there is no such file, it is not text, not YAML, or unfolds to something enormous.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {MAX_BYTES} bytes of YAML, got {path.stat().st_size}")
        text = path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}); check the path") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{path}: expected UTF-8 text, got byte {exc.object[exc.start]:#04x} at {exc.start}") from exc
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Document:
    """Read YAML text; `name` stands for it in messages.

    Raises:
        ConfigError: the text is not YAML or unfolds to something enormous; names line and column.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        at = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{name}{at}: not YAML: {exc.problem or exc.context}") from exc
    except yaml.YAMLError as exc:  # characters that YAML forbids
        raise ConfigError(f"{name}: not YAML: {' '.join(str(exc).split())}") from exc
    except RecursionError:
        raise ConfigError(f"{name}: not YAML: nested too deeply") from None
    builder = _Builder(name)
    data = {} if root is None else builder.build(root, ())
    return Document(data, {(): name, **builder.places}, tuple(builder.problems))


@dataclass
class _Builder:
    """Turns composed YAML into values; PyYAML's own constructor would lose lines and keep the last of two keys."""

    name: str
    places: dict[Keys, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    count: int = 0
    open: set[int] = field(default_factory=set)
    constructor: Any = field(default_factory=yaml.constructor.SafeConstructor)

    def build(self, node: yaml.Node, keys: Keys) -> Any:
        self.count += 1
        if self.count > MAX_VALUES or id(node) in self.open:
            raise ConfigError(f"{self._at(node)}: unfolds to more than {MAX_VALUES} values; use fewer aliases")
        if node.tag not in PLAIN_TAGS:
            self._complain(node, keys, f"expected a plain value, got the tag {node.tag!r}; remove it")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, keys)
        self.open.add(id(node))
        built = self._mapping(node, keys) if isinstance(node, yaml.MappingNode) else self._sequence(node, keys)
        self.open.remove(id(node))
        return built

    def _scalar(self, node: yaml.ScalarNode, keys: Keys) -> Any:
        try:
            return self.constructor.construct_object(node)
        except ValueError as exc:  # looks like a date, but is none
            self._complain(node, keys, f"expected a plain value, got {node.value!r} ({exc}); mend it or quote it")
            return None

    def _sequence(self, node: yaml.Node, keys: Keys) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self.places[(*keys, index)] = self._at(item)
            items.append(self.build(item, (*keys, index)))
        return items

    def _mapping(self, node: yaml.Node, keys: Keys) -> dict[Hashable, Any]:
        built: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, keys, "expected a name as key, got a list or mapping")
                continue
            key = key_node.value
            if key_node.tag == "tag:yaml.org,2002:merge":
                self._complain(key_node, (*keys, key), "merge keys are not read; write the keys out")
            elif key in built:
                first = self.places[(*keys, key)].rpartition(":")[2]
                self._complain(key_node, (*keys, key), f"given twice, first in line {first}; remove one")
            else:
                self.places[(*keys, key)] = self._at(key_node)
                built[key] = self.build(value_node, (*keys, key))
        return built

    def _complain(self, node: yaml.Node, keys: Keys, problem: str) -> None:
        dotted = ".".join(str(key) for key in keys)
        self.problems.append(f"{self._at(node)}: {dotted}: {problem}" if dotted else f"{self._at(node)}: {problem}")

    def _at(self, node: yaml.Node) -> str:
        return f"{self.name}:{node.start_mark.line + 1}"
