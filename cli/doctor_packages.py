"""What of the packages that pyproject.toml names is installed. Needs none of them."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

USES = {
    "run": "what every run needs",
    "cpu": "models on the CPU",
    "gpu": "models on an NVIDIA GPU",
    "trt": "TensorRT",
    "serve": "--serve: HTTP and metrics",
    "lap": "another solver for tracks",
    "prepare": "models prepare",
    "train": "training",
}
"""What each group of packages is for; `run` are those that no extra names."""
ONE_FOLDER = (
    ("onnxruntime", "onnxruntime-gpu"),
    ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
)
"""Packages that write the same folder: of two that are installed one overwrote the other."""
PINNED = {name: f"python -m pip install -r requirements/{name}.txt" for name in ("run", "gpu")}
"""Bring all that a run on the CPU needs, or one on a GPU, at the versions that are tested."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Group:
    """What was found of a group of packages."""

    name: str
    state: Literal["works", "absent", "broken"]
    told: str
    cure: str
    needed: bool
    """Whether nothing runs without it."""


def installed(pyproject: Path) -> Iterable[Group]:
    """Yield what is found of each group of packages, those that every run needs first.

    Args:
        pyproject: the file that names them.
    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    on_gpu = bool(version_of("onnxruntime-gpu") and not version_of("onnxruntime"))
    for name, wanted in {"run": project["dependencies"], **extras}.items():
        if name == "cpu" and on_gpu:
            yield Group(name, "works", f"{USES[name]}: onnxruntime-gpu runs them, too", "", False)
            continue
        pins = {"run": "gpu" if on_gpu else "run", "cpu": "run", "gpu": "gpu"}.get(name)
        yield _group(name, wanted, pins, needed=name in ("run", "gpu" if on_gpu else "cpu"))
    for names in ONE_FOLDER:
        here = [name for name in names if version_of(name)]
        if len(here) > 1:
            kept = here[-1] if names[0].startswith("onnx") else here[0]
            cure = f"python -m pip uninstall -y {' '.join(here)} && python -m pip install {kept}"
            yield Group(names[0], "broken", f"{' and '.join(here)} write the same folder: keep one", cure, False)


def version_of(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _group(name: str, wanted: Sequence[str], pins: str | None, *, needed: bool) -> Group:
    use = USES.get(name, "")
    lacking = [text for text in wanted if version_of(_package(text)) is None]
    here = [f"{_package(text)} {version_of(_package(text))}" for text in wanted if text not in lacking]
    old = [] if lacking else [text for text in wanted if not _fits(text)]
    if not lacking and not old:
        return Group(name, "works", f"{use}: {', '.join(here)}", "", needed)
    cure = _install(lacking or old, pins)
    if old:
        return Group(name, "broken", f"{use}: expected {', '.join(old)}, got {', '.join(here)}", cure, needed)
    told = f"{use}: not here: {', '.join(_package(text) for text in lacking)}"
    return Group(name, "broken", told, cure, True) if needed else Group(name, "absent", told, cure, False)


def _install(wanted: Sequence[str], pins: str | None) -> str:
    """Return what installs packages, pinned if they are, in place of those that write the same folder."""
    names = [_package(text) for text in wanted]
    rivals = [other for group in ONE_FOLDER for other in group if set(group) & set(names) and other not in names]
    away = [name for name in rivals if version_of(name)]
    first = f"python -m pip uninstall -y {' '.join(away)} && " if away else ""
    return first + (PINNED[pins] if pins else f"python -m pip install {' '.join(map(repr, wanted))}")


def _package(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found is not None
    return found.group()


def _fits(requirement: str) -> bool:
    """Tell whether the installed version is one that was asked for; True where nobody can compare versions."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return True
    return Requirement(requirement).specifier.contains(version_of(_package(requirement)) or "", prereleases=True)
