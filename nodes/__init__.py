"""The stages. One file per stage; its name is the `type:` in a graph."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from pipeline.errors import GraphError
from pipeline.node import Node
from pipeline.suggest import did_you_mean

VERBS = (
    "decode", "read", "detect", "track", "estimate", "locate", "smooth", "hit", "measure", "identify", "draw", "write",
    "publish", "serve",
)  # fmt: skip
"""A node file is called verb_object, so that listing the folder reads as the catalogue."""


def node_types() -> list[str]:
    """Return the names of all stages, ordered as data passes them."""
    found = [path.stem for path in Path(__file__).parent.glob("*_*.py") if path.stem.split("_")[0] in VERBS]
    return sorted(found, key=lambda name: (VERBS.index(name.split("_")[0]), name))


def resolve(type_name: str) -> type[Node[Any]]:
    """Return the class of a stage, importing its file and no other.

    Raises:
        GraphError: there is no such file, or it does not hold the class its name promises.
    """
    known = node_types()
    if type_name not in known:
        raise GraphError(f"unknown node type {type_name!r}{did_you_mean(type_name, known, 'nodes/ has')}")
    module = importlib.import_module(f"nodes.{type_name}")
    wanted = re.sub(r"(?:^|_)([a-z0-9])", lambda letter: letter[1].upper(), type_name)
    cls = getattr(module, wanted, None)
    if not (inspect.isclass(cls) and issubclass(cls, Node)):
        raise GraphError(f"nodes/{type_name}.py: expected a class {wanted}(Node[Config]), got none; name it so")
    return cls
