"""Train the gaze target model on rendered stills and ship it: python -m training.gaze.

The head branch starts from the weights of python -m training.head.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training import head
from training.batches import draw_heads, shuffled
from training.cards import GAZE_FILE, ship_gaze
from training.data import ROOT, render_stills, seed_range
from training.export import check_against_torch, export_onnx, milliseconds
from training.gaze_net import MAP_CELLS, SIZE_WH, GazeGraph, GazeNet
from training.head_net import vector_loss
from training.layers import fuse_batch_norm
from training.loop import Plan, load_weights, train
from training.measure_gaze import measure_gaze
from training.record import one_thread_each, read_run, write_run

FOLDER = ROOT / "gaze"
BATCH = 12
_SIGMA_CELLS = 3.0
_HOLD_OUT = (9_000_000, 600)
_MEASURED_STILLS = 600


def target_maps(points: Tensor) -> Tensor:
    """Return (M, 64, 64) maps, 1 at the points (M, 2) and falling around them with sigma 3 cells."""
    cells = torch.arange(MAP_CELLS) + 0.5
    x = torch.exp(-((cells - points[:, 0:1] * MAP_CELLS) ** 2) / (2 * _SIGMA_CELLS**2))
    y = torch.exp(-((cells - points[:, 1:2] * MAP_CELLS) ** 2) / (2 * _SIGMA_CELLS**2))
    return y.unsqueeze(2) * x.unsqueeze(1)


def gaze_losses(
    maps: Tensor, in_frame: Tensor, vectors: Tensor, points: Tensor, inside: Tensor, wanted: Tensor
) -> dict[str, Tensor]:
    """Return the weighted losses: map as probabilities and as a distribution (in-frame heads only), in-frame, vectors.

    Args:
        maps: (M, 64, 64) logits.
        in_frame: (M,) logits.
        vectors: (M, 6).
        points: (M, 2) targets, fractions.
        inside: (M,) bool, the target is in the picture.
        wanted: (M, 6) true vectors.
    """
    losses = {
        "in_frame": F.binary_cross_entropy_with_logits(in_frame, inside.float()),
        "vectors": vector_loss(vectors, wanted),
    }
    if inside.any():
        logits, truth = maps[inside], target_maps(points[inside])
        each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * (1 + 4 * truth)
        losses["map"] = 20.0 * each.mean()
        share = truth.flatten(1) / truth.flatten(1).sum(1, keepdim=True)
        losses["place"] = -0.3 * (share * logits.flatten(1).log_softmax(1)).sum(1).mean()
    return losses


def export(net: GazeNet, path: Path) -> dict[str, float]:
    """Write the file, check it against torch and time it."""
    graph = fuse_batch_norm(GazeGraph(net).eval())
    size = (1, 3, SIZE_WH[1], SIZE_WH[0])
    generator = torch.Generator().manual_seed(0)

    def inputs(heads: int) -> dict[str, Tensor]:
        corner = torch.rand(1, heads, 2, generator=generator) * 0.8
        boxes = torch.cat([corner, corner + 0.05 + 0.15 * torch.rand(1, heads, 2, generator=generator)], 2)
        return {"image_bgr": torch.rand(size, generator=generator) * 255, "bboxes_x1y1x2y2": boxes}

    export_onnx(
        graph,
        tuple(inputs(3).values()),
        path,
        ["image_bgr", "bboxes_x1y1x2y2"],
        {"heatmap": ("heads", MAP_CELLS, MAP_CELLS), "inout": ("heads",)},
        {"bboxes_x1y1x2y2": {1: "heads"}},
        "Gaze target model trained on rendered scenes; contract: Gaze-LLE-DINOv3 inout",
    )
    figures = {"torch_difference": max(check_against_torch(path, graph, inputs(heads)) for heads in (1, 2, 7))}
    for heads in (1, 3, 10):
        feed = {name: value.numpy() for name, value in inputs(heads).items()}
        figures[f"ms_{heads}_heads"] = round(milliseconds(path, feed), 2)
    return figures


def main() -> None:
    """Render what is missing, train, export, measure, write record and card."""
    parser = argparse.ArgumentParser(prog="python -m training.gaze", description=__doc__)
    parser.add_argument(
        "--stills", type=seed_range, action="append", metavar="FIRST+COUNT", help="default 1000000+6000"
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", type=Path, help="weights to start from, in place of the head weights")
    parser.add_argument("--head", type=Path, default=head.WEIGHTS, help="weights of python -m training.head")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of checkpoints and of the exported file")
    parser.add_argument("--ship", action="store_true", help="replace the shipped file, its record and its card")
    arguments = parser.parse_args()
    one_thread_each()
    sets = [render_stills(*seeds) for seeds in arguments.stills or [(1_000_000, 6000)]]
    held_out = render_stills(*_HOLD_OUT)

    rng = np.random.default_rng(arguments.seed)
    torch.manual_seed(arguments.seed)
    net = GazeNet().to(memory_format=torch.channels_last)
    if arguments.init:
        load_weights(net, arguments.init)
    else:
        load_weights(net.head_net, arguments.head, "head_net")
    draws = shuffled(sets, rng)

    def losses_at(_: float) -> dict[str, Tensor]:
        pictures, boxes, rows, points, inside, wanted = draw_heads(draws, rng, BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            maps, in_frame, vectors = net(pictures, boxes, rows)
        return gaze_losses(maps.float(), in_frame.float(), vectors.float(), points, inside, wanted)

    outcome = train(net, Plan(arguments.minutes, arguments.rate, 1e-2, 5.0, arguments.out), losses_at)
    path = arguments.out / GAZE_FILE
    figures: dict[str, float] = export(net, path) | measure_gaze(path, held_out, _MEASURED_STILLS)
    facts = write_run(arguments.out, arguments, outcome, figures)
    ship_gaze(path, facts, read_run(arguments.head), arguments.ship)


if __name__ == "__main__":
    main()
