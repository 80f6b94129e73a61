"""A checkout with cards of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from tests.repository import ROOT

GAZE = ROOT / "models/gaze-shop-480.onnx"
SHA256 = hashlib.sha256(GAZE.read_bytes()).hexdigest()
CARD = yaml.safe_load((ROOT / "configs/models/gaze-shop-480.yaml").read_text())
"""Of a model that ships, so that there is one to fetch."""


def write(root: Path, name: str, **changes: Any) -> None:
    card = {**CARD, "file": f"models/fetched/{name}.onnx", "sha256": None, "shipped": False, **changes}
    (root / f"configs/models/{name}.yaml").write_text(yaml.safe_dump(card, sort_keys=False))


def put(root: Path, name: str, content: bytes) -> None:
    path = root / f"models/fetched/{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
