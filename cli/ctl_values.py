"""Values as they are typed, `path=value`, on their way to a graph."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipeline.errors import ConfigError
from pipeline.urls import redact
from pipeline.yaml_source import parse_yaml


def values_of(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Return values by dotted path out of words `path=value`, the value in YAML.

    Raises:
        ConfigError: a word is not of that form, or a path is given twice.
    """
    values: dict[str, Any] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        where = f"{option} {redact(text)}"
        if not equals or not all(path.split(".")):
            raise ConfigError(f"{where}: expected path=value; write for example {option} max_fps=10")
        if path in values:
            raise ConfigError(f"{where}: {path} is given twice; leave one out")
        document = parse_yaml(value, where)
        if document.problems:
            raise ConfigError(document.problems[0])
        values[path] = None if value == "" else _json_ready(document.data)
    return values


def nested(values: dict[str, Any], option: str) -> dict[str, Any]:
    """Return values with dotted paths as blocks within blocks.

    Raises:
        ConfigError: one path goes on where another has its value.
    """
    made: dict[str, Any] = {}
    for path, value in values.items():
        *above, last = path.split(".")
        block = made
        for key in above:
            block = block.setdefault(key, {})
            if not isinstance(block, dict):
                raise ConfigError(f"{option} {path}: {key} has a value already; leave one out")
        if last in block:
            raise ConfigError(f"{option} {path}: {last} has values already; leave one out")
        block[last] = value
    return made


def _json_ready(value: Any) -> Any:
    """Return what YAML gave as JSON has it: times as text."""
    if isinstance(value, dict):
        return {str(key): _json_ready(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_json_ready(held) for held in value]
    return value.isoformat() if isinstance(value, date) else value
