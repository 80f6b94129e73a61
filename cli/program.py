"""Tell graphs from verbs, and turn every failure into a paragraph and an exit code."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from logging import ERROR
from pathlib import Path

from cli.log_format import set_up, tell
from cli.options import option_parser

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

VERBS = {
    "nodes": "list the stages that graphs are made of",
    "models": "list, show, fetch and check models: models list",
    "explain": "say what a stage reads, makes and can be told: explain hit_aoi",
    "replay": "decide the events of a recorded run again, without models and pictures: replay out/rec --assert",
    "ctl": "watch and steer a graph that runs with --serve: ctl streams list",
    "listen": "print or keep events as they are published: listen tcp://127.0.0.1:5570 --since -1h",
    "keys": "make keys for encrypted events: keys DIR",
    "doctor": "say what is installed, what works, what is missing, and what to type",
}
"""What can stand in place of a graph: a file of this folder with a `main(argv) -> int`."""

NEED_NO_PACKAGES = ("doctor",)
"""Verbs that help where packages are missing."""

PACKAGES = {
    "av": "av",
    "cv2": "opencv-python-headless",
    "msgspec": "msgspec",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "packaging": "packaging",
    "pydantic": "pydantic",
    "scipy": "scipy",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""What everything needs, as imported and as installed."""


def main(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed, 2 wrong input or values, 130 interrupted."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return _say(f"{sys.executable}: expected Python {wanted} or newer, got {sys.version.split()[0]}; install one")
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return DONE if argv else WRONG_INPUT
    first, *rest = argv
    if first.endswith((".yaml", ".yml")):
        if {"-h", "--help"} & set(rest):
            option_parser().print_help()
            return DONE
        return _guarded("run", list(argv))
    if first in VERBS:
        return _guarded(first, rest)
    return _say(
        f"{first!r}: expected a graph (a file that ends in .yaml) or a verb, got neither; "
        f"type for example: python run_graph.py graphs/retail.yaml (verbs: {', '.join(VERBS)})"
    )


def overview() -> str:
    """Return what `--help` says without a graph."""
    graphs = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "graphs").glob("*.yaml"))
    width = max(len(name) for name in [*graphs, *VERBS])
    return "\n".join([
        "Who looked at what, for how long: runs a graph of stages on cameras and clips.",
        "",
        "  python run_graph.py graphs/retail.yaml                        the demo clip",
        "  python run_graph.py graphs/retail.yaml --source clip.mp4      your own footage",
        "  python run_graph.py graphs/retail.yaml --help                 everything else",
        "",
        "graphs",
        *(f"  {name:<{width}}  {_first_comment(ROOT / name)}" for name in graphs),
        "",
        "verbs",
        *(f"  {name:<{width}}  {text}" for name, text in VERBS.items()),
    ])  # fmt: skip


def missing_packages() -> list[str]:
    """Return the names of packages that must be installed before anything can run."""
    return [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]


def _guarded(command: str, argv: list[str]) -> int:
    missing = () if command in NEED_NO_PACKAGES else missing_packages()
    if missing:
        return _say(how_to_install(missing))
    from pipeline.errors import ConfigError, GraphError, ModelError, PipelineError, SourceError

    set_up()
    try:
        return int(importlib.import_module(f"cli.{command}").main(argv))
    except PipelineError as exc:
        _say(str(exc))
        return WRONG_INPUT if isinstance(exc, ConfigError | GraphError | ModelError | SourceError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough: `run_graph.py nodes | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def how_to_install(missing: list[str]) -> str:
    """Return the paragraph for somebody whose Python lacks packages."""
    ready = ROOT / ".venv" / "bin" / "python"
    if ready.exists():
        cure = f"this checkout has an environment with them: type {_short(ready)} {_short(ROOT / 'run_graph.py')} ..."
    else:
        there = "" if Path.cwd() == ROOT else f"cd {_short(ROOT)} && "
        cure = (
            f"type: {there}make demo, or: {there}python3 -m venv .venv && "
            ".venv/bin/pip install -r requirements/run.txt && .venv/bin/python run_graph.py graphs/retail.yaml"
        )
    return f"{sys.executable}: expected installed packages, got none of {', '.join(missing)}; {cure}"


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _first_comment(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].lstrip("# ")


def _say(paragraph: str) -> int:
    tell(paragraph, ERROR)
    return WRONG_INPUT
