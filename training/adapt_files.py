"""What adapting leaves behind: the model, its card, its record and the report."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from pipeline.model_files.pins import sha256_of
from training.adapt_report import Figures
from training.batches import picture_tensor
from training.cards import DETECTOR_FILE, detector_card, place
from training.data import Rows
from training.detector import export
from training.detector_graph import LABELS, Calibration, DetectorGraph
from training.labelled_footage import Clip
from training.loop import Outcome
from training.measure_detector import calibrate
from training.record import run_facts, write_yaml
from training.teacher import THING, UNKNOWN, WANTED


def write_model(graph: DetectorGraph, path: Path, judged: Rows, shown: Rows) -> None:
    """Export twice: the scores of the first file tell how those of the second are to be calibrated."""
    pictures = picture_tensor(shown.pictures[:5], torch.device("cpu"))
    graph.calibration = Calibration(dict.fromkeys(LABELS, (1.0, 0.0)))
    export(graph, path, pictures)
    graph.calibration = Calibration(calibrate(path, judged))
    export(graph, path, pictures)


def report_of(
    arguments: argparse.Namespace,
    clips: Sequence[Clip],
    outcome: Outcome,
    before: Figures,
    after: Figures,
    against: list[str],
    part: float,
) -> dict[str, Any]:
    """Return all that is to be known of a run.

    Args:
        arguments: of the program.
        clips: the footage with its labels.
        outcome: of the training.
        before: figures of the detector it started from.
        after: of what was learnt, or of the part of it that was tried last.
        against: what speaks against that.
        part: 0 to 1, how much of what was learnt that is.
    """
    names = {"accepted": WANTED, "open": UNKNOWN, "things": THING}
    labels = {
        clip.name: {"frames": len(clip.frames), "held_back": sum(clip.held_back)}
        | {name: clip.count(verdict) for name, verdict in names.items()}
        | {"walkers": clip.walkers()}
        for clip in clips
    }
    return {
        **run_facts(arguments, outcome),
        "started_from_sha256": sha256_of(arguments.model),
        "labels": labels,
        "before": before,
        "after": after,
        "against": against,
        "part_of_what_was_learnt": part,
    }


def write_card(path: Path, report: dict[str, Any]) -> None:
    """Write card and record beside the model."""
    checksum = sha256_of(path)
    card = detector_card() | {"title": "people, adapted to own cameras: bodies, heads, faces and where heads point"}
    head = {"title": card.pop("title"), "file": path.name, "url": None, "sha256": checksum}
    tail = {"trained_on": _trained_on(report, "own footage")}
    write_yaml(path.with_suffix(".yaml"), head | card | tail, "Written by python -m training.adapt.")
    write_yaml(path.with_suffix(".record.yaml"), {"file": path.name, "sha256": checksum, **report}, "How it was made.")


def ship(path: Path, report: dict[str, Any], model: Path, footage_of: str) -> None:
    """Replace the shipped detector by one that was adapted.

    Args:
        path: the adapted file.
        report: of its run.
        model: the file it started from; its record lies beside it.
        footage_of: whose footage it is and under which licence.
    """
    before = yaml.safe_load(model.with_suffix(".record.yaml").read_text(encoding="utf-8"))
    place(path, DETECTOR_FILE, report | {"started_from": before}, detector_card(), _trained_on(report, footage_of))


def _trained_on(report: dict[str, Any], footage_of: str) -> str:
    frames = sum(clip["frames"] - clip["held_back"] for clip in report["labels"].values())
    return f"rendered scenes, and {frames} frames of {footage_of}, labelled by the detector it started from"
