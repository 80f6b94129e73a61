"""Learn a tiny set and see whether the recipe still works: python -m training.smoke, two to four minutes on two cores.

A few stills and crops of every style are rendered; head network, detector and gaze network are trained on them as the
programs do it, only shorter; the engine opens the files under the cards that ship; and all three are asked about the
pictures they learnt from and about these mirrored. What is wrong in drawing, targets, losses, export or contract shows
as a figure out of its bounds, and the program ends with 1. How well models become it does not tell.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.results import guarded
from nodes.adapters.detectors import open_detector
from nodes.adapters.gaze_models import open_gaze_model
from scenes.style import FULL, Style
from training import detector, gaze, head
from training.batches import picture_tensor
from training.cards import DETECTOR_FILE, GAZE_FILE
from training.data import Kind, Rows, rendered
from training.detector_draws import DetectorDraws
from training.detector_graph import DetectorGraph
from training.detector_net import DetectorNet
from training.draws import Draws
from training.gaze_draws import GazeDraws
from training.gaze_net import GazeNet
from training.head_crops import CropDraws
from training.head_net import HeadNet
from training.loop import Plan, load_weights, train
from training.recipe import WEIGHTS
from training.record import set_up
from training.smoke_checks import mirrored, opened, people_found, sides_told, targets_found, together

STYLES = ("plain", "full", *(field.name for field in fields(Style) if getattr(FULL, field.name)))
FIRST_SEED, NEXT_SEED = 9_700_001, 1_000
"""Of the first style, and from one style to the next; nothing is trained or measured on them elsewhere."""
_CPU = torch.device("cpu")

Figures = dict[str, float]


@dataclass(frozen=True)
class Size:
    """How much is rendered and learnt."""

    stills: int = 1
    """Of each style."""
    crops: int = 4
    """Of each style."""
    head_steps: int = 300
    detector_steps: int = 400
    gaze_steps: int = 120


BOUNDS: dict[str, tuple[float, str]] = {
    "head_loss_left": (-0.8, "the head network does not learn: look at training/head_crops.py and its loss"),
    "head_sides": (
        0.75,
        "heads turned left and right are not told apart: look at crops and at how vectors are mirrored",
    ),
    "head_sides_mirrored": (0.75, "in the mirror sides are not told apart: look at how crops and vectors are mirrored"),
    "detector_loss_left": (-0.7, "the detector does not learn: look at training/detector_draws.py and its losses"),
    "bodies_rank": (0.58, "bodies are not found where they are: look at how boxes are placed and mirrored"),
    "bodies_rank_mirrored": (0.58, "in the mirror bodies are not found: look at how boxes are mirrored"),
    "bodies_iou": (0.2, "boxes of bodies are wrong: look at the targets and the loss of boxes"),
    "heads_rank": (0.66, "heads are not found where they are: look at how pictures and boxes are placed and mirrored"),
    "heads_rank_mirrored": (0.66, "in the mirror heads are not found: look at how boxes are mirrored"),
    "heads_iou": (0.15, "boxes of heads are wrong: look at the targets and the loss of boxes"),
    "detector_difference": (-0.02, "the detector's file is not its network: look at its graph and the export"),
    "gaze_loss_left": (-0.88, "the gaze network does not learn: look at training/gaze_draws.py and its losses"),
    "targets_rank": (0.62, "maps do not follow heads: look at targets, cells and how both are mirrored"),
    "targets_rank_mirrored": (0.62, "in the mirror maps do not follow heads: look at how targets are mirrored"),
    "gaze_difference": (-0.02, "the gaze file is not its network: look at its graph and the export"),
}
"""By figure what it is at least, or, with a minus, at most; and what to look at if it is not."""


def failures(figures: Figures) -> list[str]:
    """Return one sentence for each figure that is out of its bound."""
    said = []
    for name, value in figures.items():
        bound, cure = BOUNDS[name]
        if not (value >= bound if bound > 0 else value <= -bound):
            said.append(
                f"{name}: expected at {'least' if bound > 0 else 'most'} {abs(bound):g}, got {value:.3f}; {cure}"
            )
    return said


def made(size: Size, folder: Path) -> tuple[Rows, Rows]:
    """Render the crops and the stills, each style with seeds of its own."""
    parts = []
    kinds: tuple[tuple[Kind, int], ...] = (("crops", size.crops), ("stills", size.stills))
    for kind, count in kinds:
        texts = [f"{style}:{FIRST_SEED + NEXT_SEED * k}+{count}" for k, style in enumerate(STYLES)]
        parts.append(together(rendered(kind, texts, folder)))
    return parts[0], parts[1]


def learnt(net: nn.Module, plan: Plan, draws: Callable[[int], Any], losses_by: Callable[..., Any]) -> float:
    """Train, and return which part of the losses of the first batch is left."""
    losses_of = losses_by(net, _CPU)
    batch = torch.utils.data.default_convert(draws(0))

    def loss() -> float:
        with torch.no_grad():
            return sum(float(value) for value in losses_of(batch, 0.0).values())

    net.eval()
    before = loss()
    train(net, plan, draws, losses_of)
    return loss() / before


def plan_of(steps: int, rate: float, regulation: tuple[float, float], folder: Path) -> Plan:
    """Return a short plan."""
    return Plan(steps, rate, *regulation, folder, warm_up_steps=max(1, steps // 5))


def head_figures(size: Size, crops: Rows, stills: Rows, folder: Path) -> Figures:
    """Train the head network and ask it about its crops."""
    net = HeadNet().to(memory_format=torch.channels_last)
    draws = CropDraws(Draws([crops], 0), Draws([stills], 0), 16, 1, 0)
    figures = {
        "head_loss_left": learnt(net, plan_of(size.head_steps, 2e-3, head.REGULATION, folder), draws, head.losses_by)
    }
    for side, rows in (("", crops), ("_mirrored", mirrored(crops))):
        told, truth = head.vectors_of(net, rows), rows.truth[rows.ready(), 0]
        figures[f"head_sides{side}"] = sides_told(told[:, 0], truth["head_vector"][:, 0])
    return figures


def detector_figures(size: Size, stills: Rows, folder: Path, head_weights: Path) -> Figures:
    """Train the detector, write its file, open it and ask it about its stills."""
    net = DetectorNet().to(memory_format=torch.channels_last)
    load_weights(net.heads.head_net, head_weights, grow=True)
    draws = DetectorDraws(Draws([stills], 0), 4, 4 * size.detector_steps, 0)  # four times: small pictures all along
    plan, path = plan_of(size.detector_steps, 1.5e-3, detector.REGULATION, folder), folder / DETECTOR_FILE
    figures = {"detector_loss_left": learnt(net, plan, draws, detector.losses_by)}
    shown = picture_tensor(stills.pictures[:5], _CPU)
    # Maps of so few steps are sure of no head: all are looked at.
    graph = DetectorGraph(net, alone_from=0.0)
    figures["detector_difference"] = detector.export(graph, path, shown)["torch_difference"]
    opened(path, open_detector)
    for name, called in (("body", "bodies"), ("head", "heads")):
        figures[f"{called}_rank"], figures[f"{called}_iou"] = people_found(path, stills, name)
        figures[f"{called}_rank_mirrored"], _ = people_found(path, mirrored(stills), name)
    return figures


def gaze_figures(size: Size, stills: Rows, folder: Path, head_weights: Path) -> Figures:
    """Train the gaze network, write its file, open it and ask it about its stills."""
    net = GazeNet().to(memory_format=torch.channels_last)
    load_weights(net.heads.head_net, head_weights)
    plan, path = plan_of(size.gaze_steps, 2e-3, gaze.REGULATION, folder), folder / GAZE_FILE
    draws = GazeDraws(Draws([stills], 0), 3, 5, 0)
    figures = {"gaze_loss_left": learnt(net, plan, draws, gaze.losses_by)}
    figures["gaze_difference"] = gaze.export(net, path)["torch_difference"]
    opened(path, open_gaze_model)
    for side, rows in (("", stills), ("_mirrored", mirrored(stills))):
        figures[f"targets_rank{side}"] = targets_found(path, rows)
    return figures


def figures_of(size: Size, folder: Path) -> Figures:
    """Render, train and ask; write what is made below a folder."""
    crops, stills = made(size, folder)
    weights = folder / "head" / WEIGHTS
    figures = head_figures(size, crops, stills, weights.parent)
    figures |= detector_figures(size, stills, folder / "detector", weights)
    return figures | gaze_figures(size, stills, folder / "gaze", weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the recipe."""
    parser = argparse.ArgumentParser(prog="python -m training.smoke", description=(__doc__ or "").split("\n")[0])
    parser.parse_args(arguments)
    set_up(0)
    with tempfile.TemporaryDirectory() as name:
        figures = figures_of(Size(), Path(name))
    sys.stdout.write("".join(f"{name:24}{value:8.3f}\n" for name, value in figures.items()))
    wrong = failures(figures)
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(guarded(main))
