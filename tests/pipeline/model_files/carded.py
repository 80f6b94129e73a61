"""A checkout with a card, and what fetches its file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import PipelineError
from pipeline.model_files.pulling import Store
from pipeline.model_files.settings import Settings
from pipeline.model_files.transfer import Means

NET = b"a model" * 1000
SHA256 = hashlib.sha256(NET).hexdigest()
CARD = {
    "file": "models/fetched/net.onnx",
    "family": "adder",
    "contract": {"inputs": {"x": {"shape": ["N"]}}, "outputs": {"y": {"shape": ["N"]}}},
}


def write(root: Path, name: str = "net", **changes: Any) -> None:
    folder = root / "configs/models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({**CARD, **changes}))


def store(root: Path, environ: dict[str, str] | None = None, **settings: Any) -> Store:
    means = Means(timeout_s=5, sleep=lambda s: None)
    return Store(root, Settings(**settings), means, environ or {})


def refusal(where: Store, name: str = "net", **how: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        where.pull(name, **how)
    return str(caught.value)
