"""Put a prepared model in its place, with its card and its report, and find it there again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from nodes.surgery.recipe import Prepared, Variant
from pipeline.cards import ModelCard
from pipeline.outputs import make_folder, write_atomically
from pipeline.part_file import PartFile
from pipeline.yaml_source import read_yaml

_KEPT = (
    "page", "licence", "forbids", "family", "input_size_wh", "box_cell_px", "classes", "face_to_head", "head_pose",
    "trained_on",
)  # fmt: skip
"""What the card of a prepared file says as that of the released one does."""
_WIDTH = 118


def card_path(folder: Path, name: str, variant: Variant) -> Path:
    """Return where the card of a prepared model stands."""
    return folder / f"{name}.{variant}.yaml"


def report_path(folder: Path, key: str) -> Path:
    """Return where the report on a prepared file stands."""
    return folder / f"{key}.report.yaml"


def place(prepared: Prepared, released: ModelCard, variant: Variant, key: str, folder: Path) -> Path:
    """Write file, report and card, each as a whole or not at all, the card last; return the card's path.

    Args:
        prepared: what was made.
        released: the card of the released file.
        variant: which one it is.
        key: name of the file.
        folder: where; it is made if need be.

    Raises:
        PipelineError: something cannot be written.
    """
    make_folder(folder)
    file = PartFile(folder / f"{key}.onnx")
    try:
        file.write(prepared.content)
        file.finish()
    finally:
        file.close()
    write_atomically(report_path(folder, key), as_yaml(prepared.report))
    path = card_path(folder, released.name, variant)
    write_atomically(path, as_yaml(_card(prepared, released, variant, key)))
    return path


def found(folder: Path, name: str, variant: Variant, key: str) -> Path | None:
    """Return the path of a card whose file is here, is the wanted one, and is whole; else None."""
    path, file = card_path(folder, name, variant), folder / f"{key}.onnx"
    if not (path.is_file() and file.is_file() and report_path(folder, key).is_file()):
        return None
    card = read_yaml(path).data
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    same = isinstance(card, dict) and card.get("file") == file.name and card.get("sha256") == sha256
    return path if same else None


def as_yaml(document: dict[str, Any]) -> str:
    """Return a document as YAML, numbers with four significant digits."""
    return yaml.safe_dump(_plain(document), sort_keys=False, width=_WIDTH, allow_unicode=True)


def _card(prepared: Prepared, released: ModelCard, variant: Variant, key: str) -> dict[str, Any]:
    kept = released.model_dump(include=set(_KEPT), exclude_unset=True, exclude_none=True)
    made = {name: value for name, value in prepared.card.items() if value is not None}
    return {
        "name": f"{released.name}:{variant}",
        "title": f"{released.title or released.name}: made by `models prepare`",
        "file": f"{key}.onnx",
        "sha256": hashlib.sha256(prepared.content).hexdigest(),
        "bytes": len(prepared.content),
        **{name: kept[name] for name in _KEPT if name in kept},
        **made,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
