"""What must be so before a detector is adapted: room on the disk, people in the footage, no other run half done."""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.model_files.pins import sha256_of
from pipeline.outputs import make_folder
from training.data import MOST_PEOPLE, PERSON, STILL_WH, SeedSet
from training.labelled_footage import Clip
from training.teacher import WANTED

LEAST_BOXES = 20
"""Fewer accepted boxes teach nothing, and on fewer held-back ones nothing can be compared."""
_OTHER_BYTES = 200_000_000


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse numbers that make no sense."""
    for name, low, high in (
        ("per_second", 0.01, 100.0), ("most", 4, 100_000), ("accept", 0.0, 1.0), ("ignore", 0.0, arguments.accept),
        ("still_s", 0.0, 1e9), ("steps", 1, 1_000_000), ("rate", 1e-7, 0.1), ("share", 0.05, 0.9), ("margin", 0.0, 1.0),
        ("times", 1, 100),
    ):  # fmt: skip
        value = getattr(arguments, name)
        if not low <= value <= high:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{option}: expected {low:g} to {high:g}, got {value:g}; correct it")
    for part in arguments.parts:
        if not 0.0 < part <= 1.0:
            raise ConfigError(f"--parts: expected parts above 0, up to 1, got {part:g}; correct it")


def check_record(arguments: argparse.Namespace) -> None:
    """Refuse to ship what nobody could tell the making of."""
    record = arguments.model.with_suffix(".record.yaml")
    if arguments.ship and not record.exists():
        raise ConfigError(
            f"{record}: expected the record of the model to start from, got no file; what ships tells how it was made: "
            "start from a file of python -m training.detector, or leave --ship out"
        )


def check_room(sets: Sequence[SeedSet], root: Path) -> None:
    """Refuse to begin where the rendered stills would not fit on the disk."""
    make_folder(root)
    of_one = STILL_WH[0] * STILL_WH[1] * 3 + MOST_PEOPLE * PERSON.itemsize
    needed = _OTHER_BYTES + sum(one.count * of_one for one in sets if not one.folder(root).exists())
    free = shutil.disk_usage(root).free
    if free < needed:
        raise ConfigError(
            f"{root}: expected {needed / 1e6:.0f} MB free for rendered stills, got {free / 1e6:.0f} MB; free some, "
            "name another folder with --rendered, or ask for fewer with --stills"
        )


def check_people(clips: Sequence[Clip], folder: Path) -> None:
    """Refuse to begin where too few people were seen."""
    for held, what in ((False, "to learn from"), (True, "to compare on")):
        count = sum(clip.count(WANTED, held) for clip in clips)
        frames = sum(clip.held_back.count(held) for clip in clips)
        if count < LEAST_BOXES:
            raise ConfigError(
                f"--footage {str(folder)!r}: expected {LEAST_BOXES} people or more that all views agree on in the "
                f"{frames} frames {what}, got {count}: nothing {what}; give footage with more people in it, take more "
                "frames of it with --per-second, or lower --accept"
            )


def check_checkpoint(out: Path, clips: Sequence[Clip], arguments: argparse.Namespace) -> None:
    """Refuse to go on with what was begun on other footage or labels."""
    given = [sha256_of(arguments.model), arguments.stills, arguments.share, arguments.only_heads]
    digest = hashlib.sha256(repr(given).encode())
    for clip in clips:
        for label in clip.labels:
            digest.update(label.boxes.box.tobytes() + label.verdict.tobytes() + label.nose.tobytes())
    begun = out / "begun.txt"
    if any(out.glob("*/state.npz")) and begun.exists() and begun.read_text(encoding="utf-8") != digest.hexdigest():
        raise ConfigError(f"{out}: expected a run on this footage, got one begun on other; name another --out")
    begun.write_text(digest.hexdigest(), encoding="utf-8")
