"""The files of this checkout and the packages they name, for the tests that read the repository itself."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("benchmarks", "cli", "nodes", "pipeline", "run_graph", "scenes", "training")
"""The importable names at the top of the tree; tests and examples apart, which may import anything."""

LEFT_OUT = {"build", "fetched", "out", "prepared", "shared", "__pycache__"}
BINARY = {".gif", ".jpg", ".mp4", ".npy", ".npz", ".onnx", ".png"}


def all_files() -> list[Path]:
    """Return every file of the checkout, sorted, relative to it; results, caches and environments are left out."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not (name.startswith(".") or name in LEFT_OUT)]
        # In a worktree .git is a file.
        found += [Path(folder, name).relative_to(ROOT) for name in names if name != ".git"]
    return sorted(found)


def python_files() -> list[Path]:
    return [file for file in all_files() if file.suffix == ".py"]


def text_files() -> list[Path]:
    return [file for file in all_files() if file.suffix not in BINARY]


def package_names(requirements: list[str]) -> set[str]:
    """Return the names of packages, in lower case, out of lines such as `onnxruntime-gpu[cuda]>=1.28`."""
    return {re.split(r"[\[<>=!~ ]", line)[0].lower() for line in requirements}
