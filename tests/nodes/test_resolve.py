"""Node types are files, found by their names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nodes import node_types, resolve
from pipeline.errors import GraphError
from tests.repository import ROOT


def test_resolve_imports_only_the_file_asked_for() -> None:
    code = """if True:
        import sys, nodes
        cls = nodes.resolve("hit_aoi")
        print(cls.__name__, *(name for name in nodes.node_types() if f"nodes.{name}" in sys.modules))
    """

    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout == "HitAoi hit_aoi\n"


def test_resolve_suggests_a_type() -> None:
    with pytest.raises(GraphError) as caught:
        resolve("hit_aio")

    assert str(caught.value) == (
        f"unknown node type 'hit_aio'; did you mean 'hit_aoi'? (nodes/ has: {', '.join(node_types())})"
    )


def test_resolve_wants_the_class_that_the_file_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    import nodes.hit_aoi

    monkeypatch.setattr(nodes.hit_aoi, "HitAoi", 3)

    with pytest.raises(GraphError) as caught:
        resolve("hit_aoi")

    assert str(caught.value) == "nodes/hit_aoi.py: expected a class HitAoi(Node[Config]), got none; name it so"
