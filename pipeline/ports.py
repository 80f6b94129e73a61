"""What a node class takes and makes, read off the signature of its `process()`, and the values it can be given."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from pipeline.node import Node, NodeConfig
from pipeline.values import Value


@dataclass(frozen=True)
class Port:
    """One input of a node: the kind of value it takes, and whether the graph may leave it open."""

    kind: type[Value]
    optional: bool


@dataclass(frozen=True)
class Ports:
    """The inputs and the output of a node, read off `process()`."""

    inputs: dict[str, Port]
    output: type[Value] | None


def ports_of(cls: type[Node[Any]]) -> Ports:
    """Read the ports of a node class off the annotations of its `process()`.

    Raises:
        TypeError: an annotation is missing or is not a `Value`; names class and parameter.
    """
    hints = get_type_hints(cls.process)
    if "return" not in hints:
        raise TypeError(f"{cls.__name__}.process: expected a return annotation, got none; write -> None for a sink")
    output = hints.pop("return")
    if output is not type(None) and not (isinstance(output, type) and issubclass(output, Value)):
        raise TypeError(f"{cls.__name__}.process: expected a Value or None as return type, got {output!r}")
    if output is Value:
        raise TypeError(f"{cls.__name__}.process: expected one kind of Value as return type, got any; name it")
    inputs = {}
    for name, hint in hints.items():
        kinds = [kind for kind in (get_args(hint) if _is_union(hint) else (hint,)) if kind is not type(None)]
        if len(kinds) != 1 or not (isinstance(kinds[0], type) and issubclass(kinds[0], Value)):
            wanted = "one kind of Value (or that | None)"
            raise TypeError(f"{cls.__name__}.process: {name}: expected {wanted}, got {hint!r}")
        inputs[name] = Port(kinds[0], optional=_is_union(hint))
    return Ports(inputs, output if issubclass(output, Value) else None)


def config_of(cls: type[Node[Any]]) -> type[NodeConfig]:
    """Return the `Config` of a node class: the argument of its `Node[...]` or `Source[...]` base."""
    for base in getattr(cls, "__orig_bases__", ()):
        if isinstance(get_origin(base), type) and issubclass(get_origin(base), Node):
            kind = get_args(base)[0]
            if isinstance(kind, type) and issubclass(kind, NodeConfig):
                return kind
    raise TypeError(f"{cls.__name__}: expected a base such as Node[Config], got {cls.__bases__!r}")


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType)
