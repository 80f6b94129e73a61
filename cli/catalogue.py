"""What can be read off a node class: summary, ports, and the fields of its configuration."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo

from pipeline.frames import FrameBatch
from pipeline.node import Node, Source
from pipeline.ports import config_of, ports_of

SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤", "min_length": "length ≥", "max_length": "length ≤"}
"""Limits of a field by the attribute that pydantic's metadata hold them in."""

PLAIN_NAMES = {str: "text", bool: "true or false", int: "whole number", float: "number"}


@dataclass(frozen=True)
class FieldText:
    """One value a node can be given, in words."""

    name: str
    kind: str
    """Type and limits, such as `float, ≥ 0, ≤ 1`."""
    default: str
    """As YAML has it; empty when a value must be given."""
    live: bool
    """Whether it may be changed while the graph runs."""
    text: str


def summary(cls: type[Node[Any]]) -> str:
    """Return the first line of the docstring of a node's file."""
    return (inspect.getdoc(sys.modules[cls.__module__]) or "").partition("\n")[0]


def port_lines(cls: type[Node[Any]]) -> list[tuple[str, str]]:
    """Return the ports as (`in frames` or `out`, what passes)."""
    ports = ports_of(cls)
    lines = [
        (f"in {name}", port.kind.__name__ + (", may be left out" if port.optional else ""))
        for name, port in ports.inputs.items()
    ]
    kinds = [ports.output] if ports.output else []
    if issubclass(cls, Source) and FrameBatch not in kinds:
        kinds.append(FrameBatch)  # every source puts out frames, whatever else it does
    return [*lines, ("out", " and ".join(kind.__name__ for kind in kinds) or "nothing: a sink")]


def config_fields(cls: type[Node[Any]]) -> list[FieldText]:
    """Return the fields of a node's configuration, in the order they are written."""
    return [_field(name, info) for name, info in config_of(cls).model_fields.items()]


def _field(name: str, info: FieldInfo) -> FieldText:
    limits = [
        f"{sign} {getattr(limit, attribute)}"
        for limit in info.metadata
        for attribute, sign in SIGNS.items()
        if getattr(limit, attribute, None) is not None
    ]
    extra = info.json_schema_extra
    return FieldText(
        name,
        ", ".join([_type_text(info.annotation), *limits]),
        "" if info.is_required() else _yaml_text(info.get_default(call_default_factory=True)),
        isinstance(extra, dict) and bool(extra.get("live")),
        " ".join((info.description or "").split()),
    )


def _type_text(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return " or ".join(str(arg) for arg in args)
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if arg is type(None) else _type_text(arg) for arg in args)
    if origin is typing.Annotated:
        return _type_text(args[0])
    if origin in (tuple, list):
        inner = [_type_text(arg) for arg in args if arg is not Ellipsis]
        return f"list of {inner[0]}" if len(set(inner)) == 1 else f"list ({', '.join(inner)})"
    if origin is dict:
        return f"{_type_text(args[1])} by {_type_text(args[0])}"
    return PLAIN_NAMES.get(kind, getattr(kind, "__name__", str(kind)))


def _yaml_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_yaml_text(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml_text(item)}" for key, item in value.items()) + "}"
    return str(value) if value != "" else '""'
