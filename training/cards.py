"""Put a finished file in its place: models/ gets the file and its record, configs/models/ its card."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from nodes.ops.wholebody import NAMES
from pipeline.model_files.pins import sha256_of
from training.data import STILL_WH
from training.detector_graph import DIRECTIONS, FRONT_LABEL, LABELS
from training.gaze_net import MAP_CELLS, SIZE_WH
from training.record import CARDS, MODELS, write_yaml

logger = logging.getLogger(__name__)

DETECTOR_FILE = "people-shop-480.onnx"
GAZE_FILE = "gaze-shop-480.onnx"
_PICTURE = {"shrink": "linear"}
_RECORD = "How this file was made; written by the training program."
_TRAINED_ON = "rendered scenes only (scenes/); no real picture, no other model"


def ship_detector(path: Path, facts: dict[str, Any], head_facts: dict[str, Any], replace: bool) -> None:
    """Write the detector's record, and its file and card too if it replaces the shipped one."""
    _ship(path, facts, head_facts, detector_card(), replace)


def detector_card() -> dict[str, Any]:
    """Return what the card of every detector that is trained here says."""
    directions = range(int(FRONT_LABEL), int(FRONT_LABEL) + DIRECTIONS)
    classes = {label: NAMES[label] for label in sorted({*map(int, LABELS.values()), *directions})}
    return {
        "title": "people in shops: bodies, heads, faces and where heads point",
        "family": "wholebody34",
        "input_size_wh": list(STILL_WH),
        "classes": classes,
        "picture": _PICTURE,
        "contract": {
            "inputs": {"input_bgr": _tensor("N", 3, "H", "W", range=[0.0, 255.0])},
            "outputs": {"label_xyxy_score": _tensor("N", "Q", 6)},
        },
    }


def ship_gaze(path: Path, facts: dict[str, Any], head_facts: dict[str, Any], replace: bool) -> None:
    """Write the gaze model's record, and its file and card too if it replaces the shipped one."""
    _ship(path, facts, head_facts, gaze_card(), replace)


def gaze_card() -> dict[str, Any]:
    """Return what the card of every gaze model that is trained here says."""
    return {
        "title": "where people in shops look, from rendered scenes, with in/out, and where their heads point",
        "family": "gazelle",
        "input_size_wh": list(SIZE_WH),
        "box_cell_px": 0,
        "picture": _PICTURE,
        "head_pose": {"vector": "direction"},
        "contract": {
            "inputs": {
                "image_bgr": _tensor("images", 3, "H", "W", range=[0.0, 255.0]),
                "bboxes_x1y1x2y2": _tensor(1, "heads", 4, range=[0.0, 1.0]),
                "image_row": _tensor("heads", dtype="int64", optional=True),
            },
            "outputs": {
                "heatmap": _tensor("heads", MAP_CELLS, MAP_CELLS, range=[0.0, 1.0]),
                "inout": _tensor("heads", range=[0.0, 1.0]),
                "direction": _tensor("heads", 6, range=[-1.0, 1.0]),
            },
        },
    }


def _tensor(*shape: int | str, dtype: str = "float32", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape)} | more


def _ship(path: Path, facts: dict[str, Any], head_facts: dict[str, Any], card: dict[str, Any], replace: bool) -> None:
    record = facts | {"head_network": head_facts}
    named = {"file": path.name, "sha256": sha256_of(path)} | record
    write_yaml(path.with_suffix(".record.yaml"), named, _RECORD)
    if replace:
        place(path, path.name, record, card, _TRAINED_ON)


def place(path: Path, name: str, record: dict[str, Any], card: dict[str, Any], trained_on: str) -> None:
    """Make a file the shipped one of a name, with its record and its card."""
    MODELS.mkdir(exist_ok=True)
    shipped = MODELS / name
    shutil.copyfile(path, shipped)
    write_yaml(shipped.with_suffix(".record.yaml"), {"file": name, "sha256": sha256_of(path)} | record, _RECORD)
    head = {"title": card["title"], "file": str(shipped), "url": None, "sha256": sha256_of(path), "licence": "MIT"}
    tail = {"trained_on": trained_on, "shipped": True}
    written_by = f"Written by the training program; how the file was made: {shipped.with_suffix('.record.yaml')}"
    write_yaml(CARDS / f"{shipped.stem}.yaml", head | card | tail, written_by)
    logger.info("shipped %s", shipped)
