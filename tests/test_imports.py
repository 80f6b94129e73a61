"""Imports point down: run_graph, cli -> nodes -> pipeline; and only declared packages are imported."""

import ast
import sys
import tomllib
from pathlib import Path, PurePath
from typing import Any

import pytest

from tests.repository import OURS, ROOT, package_names, python_files

MAY_IMPORT = {
    "pipeline": {"pipeline"},
    "scenes": {"scenes"},
    "nodes/ops": {"nodes.ops", "pipeline.namespaces"},
    "nodes/adapters": {"nodes.adapters", "nodes.ops", "pipeline"},
    "nodes/surgery": {"nodes.surgery", "nodes.ops", "pipeline"},
    "nodes": {"nodes.types", "nodes.ops", "nodes.adapters", "pipeline", "scenes"},
    "cli": {"cli", "nodes", "pipeline"},
    "run_graph.py": {"cli", "nodes", "pipeline"},
    "benchmarks": {"benchmarks", "nodes", "scenes", "pipeline"},
    "training": {"training", "benchmarks", "nodes", "scenes", "pipeline"},
}
"""What the files below a path may import of ours; the longest path that fits a file counts."""

PACKAGE_OF = {
    "array_api_strict": "array-api-strict",
    "cupy": "cupy-cuda13x",
    "cupyx": "cupy-cuda13x",
    "cv2": "opencv-python-headless",
    "prometheus_client": "prometheus-client",
    "pynvml": "nvidia-ml-py",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""The package that an import comes from, where their names differ."""


def imported(file: PurePath, source: str) -> set[str]:
    """Return the dotted names that a file imports; `from a import b` counts as `a.b`, a module or a name in one."""
    found: set[str] = set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            above = file.parts[: len(file.parts) - statement.level] if statement.level else ()
            module = ".".join([*above, *filter(None, [statement.module])])
            found |= {f"{module}.{alias.name}" for alias in statement.names}
    return found


def wrong_way(file: PurePath, source: str) -> list[str]:
    """Return one complaint for each import of ours that a file may not make."""
    path = file.as_posix()
    rules = [place for place in MAY_IMPORT if path == place or path.startswith(f"{place}/")]
    if not rules:
        return []
    allowed = MAY_IMPORT[max(rules, key=len)]
    return [
        f"{path} imports {name}"
        for name in sorted(imported(file, source))
        if name.split(".")[0] in OURS and not any(f"{name}.".startswith(f"{place}.") for place in allowed)
    ]


def undeclared(file: PurePath, source: str, declared: set[str]) -> list[str]:
    """Return one complaint for each import of a package that is not among the declared ones."""
    tops = {name.split(".")[0] for name in imported(file, source)}
    theirs = tops - set(sys.stdlib_module_names) - set(OURS)
    return [f"{file.as_posix()} imports {top}" for top in sorted(theirs) if PACKAGE_OF.get(top, top) not in declared]


def declared_packages(*extras: str) -> set[str]:
    project = declarations()["project"]
    optional = project["optional-dependencies"]
    return package_names(project["dependencies"] + [line for extra in extras for line in optional[extra]])


def declarations() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_imports_point_down() -> None:
    complaints = [line for file in python_files() for line in wrong_way(file, (ROOT / file).read_text("utf-8"))]

    assert complaints == []


def test_only_declared_packages_are_imported() -> None:
    running = declared_packages("cpu", "gpu", "trt", "serve", "lap")
    peers = running | package_names(declarations()["dependency-groups"]["bench"])
    declared = {"training": running | declared_packages("train"), "benchmarks/peer_trackers.py": peers}
    declared["benchmarks/cuda_trace.py"] = running | declared_packages("train")
    preparing = running | declared_packages("prepare")
    declared |= {f.as_posix(): preparing for f in python_files() if f.parts[:2] == ("nodes", "surgery")}

    complaints = [
        line
        for file in python_files()
        if file.parts[0].removesuffix(".py") in OURS
        for line in undeclared(
            file,
            (ROOT / file).read_text("utf-8"),
            declared.get(file.as_posix(), declared.get(file.parts[0], running)),
        )
    ]

    assert complaints == []


@pytest.mark.parametrize(
    ("path", "line", "refused"),
    [
        ("pipeline/graph.py", "from nodes import resolve", "nodes.resolve"),
        ("pipeline/graph.py", "import nodes", "nodes"),
        ("pipeline/graph.py", "from pipeline.errors import GraphError", None),
        ("nodes/hit_aoi.py", "from nodes.smooth_gaze import Config", "nodes.smooth_gaze.Config"),
        ("nodes/hit_aoi.py", "from .smooth_gaze import Config", "nodes.smooth_gaze.Config"),
        ("nodes/hit_aoi.py", "from nodes import ops, types", None),
        ("nodes/hit_aoi.py", "def f():\n    import cli", "cli"),
        ("nodes/ops/boxes.py", "from pipeline.values import Value", "pipeline.values.Value"),
        ("nodes/ops/boxes.py", "from pipeline.namespaces import namespace", None),
        ("nodes/ops/boxes.py", "from . import angles", None),
        ("nodes/types.py", "from nodes.typesetting import x", "nodes.typesetting.x"),
        ("scenes/people.py", "from nodes.ops import boxes", "nodes.ops.boxes"),
        ("run_graph.py", "from scenes import shop", "scenes.shop"),
        ("examples/listener.py", "import cli", None),
    ],
)
def test_wrong_way_names_the_file_and_the_import(path: str, line: str, refused: str | None) -> None:
    assert wrong_way(PurePath(path), line) == ([f"{path} imports {refused}"] if refused else [])


def test_undeclared_knows_packages_by_their_own_names() -> None:
    source = "import json\nimport cv2\nimport onnx.helper\nfrom pipeline import node"

    assert undeclared(Path("cli/x.py"), source, {"opencv-python-headless"}) == ["cli/x.py imports onnx"]
