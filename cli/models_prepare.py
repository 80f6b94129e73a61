"""`run_graph.py models prepare NAME`: make a model file that takes bytes and many pictures, and keeps its whole map."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cli import program
from nodes.adapters.detectors import FAMILIES
from nodes.ops.wholebody import NAMES
from pipeline.cards import load_card, no_file
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ConfigError, ModelError
from pipeline.model_files.folders import prepared_folder
from pipeline.model_files.pins import sha256_of
from pipeline.session import Session

if TYPE_CHECKING:
    from nodes.surgery.detector_trial import Decode, Outputs
    from nodes.surgery.graph import Array

DEMO = "scenes/demo/shop.mp4"
_VARIANTS = ("prepared", "fp16", "int8")
_LEAST_SCORE = 0.25
"""Things with a lower score are not compared."""


def main(argv: Sequence[str]) -> int:
    """Prepare a model, and say where it is and what that changed.

    Raises:
        ConfigError: no such card, a family that is not prepared, or a clip that is not there.
        ModelError: the file is missing or damaged, or cannot be rewritten.
    """
    arguments = _parser().parse_args(argv)
    _check_installed()
    from nodes.surgery import recipe, shelf
    from nodes.surgery.job import Source

    root = program.ROOT
    clips = tuple(arguments.calibrate or [root / DEMO])
    for clip in clips:
        if not clip.is_file():
            raise ConfigError(f"--calibrate {clip}: expected a video file, got none; correct the path")
    card, path = load_card(arguments.name, root)
    if card.prepared_from:
        raise ConfigError(f"model {arguments.name!r}: expected a released model, got one that is prepared already")
    if not path.is_file():
        raise ModelError(no_file(card, path))
    folder, variant = prepared_folder(root), arguments.variant
    key = recipe.key(sha256_of(path), variant, clips)
    place = shelf.found(folder, card.name, variant, key)
    if place is None and arguments.report:
        raise ConfigError(
            f"model {arguments.name!r}: expected a file that was prepared, got none of this variant; leave out --report"
        )
    if place is None:
        decode = _decoder(Session(card, path, CpuDevice(1))) if card.family in FAMILIES else None
        made = recipe.prepare(Source(card, path, clips, root), variant, decode)
        place = shelf.place(made, card, variant, key, folder)
        print(f"prepared: {place.with_name(key + '.onnx')}")
    else:
        print(f"prepared already: {place.with_name(key + '.onnx')}")
    print(f"its card: {place}\nin a graph: --set NODE.model={arguments.name}:{variant}\n")
    print(shelf.report_path(folder, key).read_text("utf-8"), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run_graph.py models prepare", description=__doc__.partition(": ")[2])
    parser.add_argument("name", metavar="NAME", help="card of a gaze model or of a detector, as `models list` has them")
    parser.add_argument(
        "--as", dest="variant", choices=_VARIANTS, default="prepared",
        help="prepared: in the precision it has; fp16: in half precision, for GPUs; int8: with sums in 8 bits",
    )  # fmt: skip
    parser.add_argument(
        "--calibrate", metavar="CLIP", type=Path, nargs="+",
        help="footage like yours, on which it is tried and to which int8 is fitted; default: the demo clip",
    )  # fmt: skip
    parser.add_argument("--report", action="store_true", help="tell again about what was prepared, and make nothing")
    return parser


def _check_installed() -> None:
    if importlib.util.find_spec("onnx") is None:
        raise ConfigError("models prepare: expected the package onnx, got none; type: pip install onnx ml_dtypes")


def _decoder(session: Session) -> Decode:
    """Return what reads the outputs of a detector as the stages do."""
    family = FAMILIES[session.card.family].of(session)
    least = np.full(len(NAMES), _LEAST_SCORE, np.float32)

    def decode(outputs: Outputs, picture: int) -> tuple[Array, Array, Array]:
        rows = family.rows(outputs, picture, least)
        return rows.label, rows.box, rows.score

    return decode
