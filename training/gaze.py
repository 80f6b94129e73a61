"""Train the gaze target model on rendered stills and ship it: python -m training.gaze.

The head branch starts from the weights of python -m training.head.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.arguments import read_arguments
from training.batches import CPU, picture_tensor
from training.blend import BATCHES, blend
from training.cards import GAZE_FILE, ship_gaze
from training.data import rendered
from training.draws import Draws
from training.export import check_against_torch, default_input, export_onnx, milliseconds, store_as_half
from training.gaze_draws import GazeBatch, GazeDraws
from training.gaze_net import MAP_CELLS, SIZE_WH, GazeGraph, GazeNet
from training.head_net import vector_loss
from training.layers import fuse_batch_norm
from training.loop import Plan, begin, train
from training.measure_gaze import measure_gaze
from training.record import drawn, read_run, set_up, write_run

BATCH, MOST_HEADS = 12, 5
REGULATION = (2e-2, 5.0)
"""Weight decay and largest norm of a gradient."""
_SIGMA = 0.08
"""Spread of the wanted map about the target, in frame heights: where a head looks is not known better from so small a
picture. Narrower maps part neighbours hardly better and rank the rest of the picture worse, wider ones part less."""


def target_maps(points: Tensor, rows: int, columns: int) -> Tensor:
    """Return (M, rows, columns) maps, 1 at the points (M, 2) and falling around them, round in the picture."""
    aspect = SIZE_WH[0] / SIZE_WH[1]
    x = (torch.arange(columns, device=points.device) + 0.5) / columns
    y = (torch.arange(rows, device=points.device) + 0.5) / rows
    across = torch.exp(-(((x - points[:, 0:1]) * aspect) ** 2) / (2 * _SIGMA**2))
    down = torch.exp(-((y - points[:, 1:2]) ** 2) / (2 * _SIGMA**2))
    return down.unsqueeze(2) * across.unsqueeze(1)


def gaze_losses(
    maps: Tensor, in_frame: Tensor, vectors: Tensor, points: Tensor, inside: Tensor, wanted: Tensor
) -> dict[str, Tensor]:
    """Return the weighted losses: map as probabilities and as a distribution (in-frame heads only), in-frame, vectors.

    Args:
        maps: (M, h, w) logits.
        in_frame: (M,) logits.
        vectors: (M, 6).
        points: (M, 2) targets, fractions.
        inside: (M,) bool, the target is in the picture.
        wanted: (M, 6) true vectors.
    """
    losses = {
        "in_frame": F.binary_cross_entropy_with_logits(in_frame, inside.float()),
        "vectors": 0.7 * vector_loss(vectors, wanted),
    }
    if inside.any():
        logits, truth = maps[inside], target_maps(points[inside], *maps.shape[1:])
        each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * (1 + 4 * truth)
        losses["map"] = 3.0 * each.mean()
        share = truth.flatten(1) / truth.flatten(1).sum(1, keepdim=True).clamp(min=1e-6)
        losses["place"] = -0.5 * (share * logits.flatten(1).log_softmax(1)).sum(1).mean()
    return losses


def show(net: GazeNet, batch: GazeBatch, device: torch.device = CPU) -> tuple[Tensor, Tensor, Tensor]:
    """Return map logits, in-frame logits and vectors, as a network tells them of a batch."""
    boxes, rows = (torch.as_tensor(part).to(device) for part in (batch.boxes, batch.rows))
    told: tuple[Tensor, Tensor, Tensor] = net(picture_tensor(batch.pictures, device), boxes, rows)
    return told


def losses_by(net: GazeNet, device: torch.device) -> Callable[[GazeBatch, float], dict[str, Tensor]]:
    """Return what gives the losses of a batch, for `training.loop.train`."""

    def losses_of(drawn: GazeBatch, _: float) -> dict[str, Tensor]:
        batch = GazeBatch(*(part.to(device) for part in drawn))
        with torch.autocast(device.type, torch.bfloat16):
            maps, in_frame, vectors = show(net, batch, device)
        told = maps.float(), in_frame.float(), vectors.float()
        return gaze_losses(*told, batch.points, batch.inside, batch.vectors)

    return losses_of


def export(net: GazeNet, path: Path) -> dict[str, float]:
    """Write the file, check it against torch and time it."""
    graph = fuse_batch_norm(GazeGraph(net).eval())
    generator = torch.Generator().manual_seed(0)

    def inputs(heads: int, pictures: int = 1) -> dict[str, Tensor]:
        corner = torch.rand(1, heads, 2, generator=generator) * 0.8
        boxes = torch.cat([corner, corner + 0.05 + 0.15 * torch.rand(1, heads, 2, generator=generator)], 2)
        seen = torch.rand((pictures, 3, SIZE_WH[1], SIZE_WH[0]), generator=generator) * 255
        return {"image_bgr": seen, "bboxes_x1y1x2y2": boxes, "image_row": torch.arange(heads) % pictures}

    example = inputs(3, 2)
    export_onnx(
        graph,
        tuple(example.values()),
        path,
        list(example),
        {"heatmap": ("heads", MAP_CELLS, MAP_CELLS), "inout": ("heads",), "direction": ("heads", 6)},
        {"image_bgr": {0: "images"}, "bboxes_x1y1x2y2": {1: "heads"}, "image_row": {0: "heads"}},
        "Gaze target model; contract: Gaze-LLE-DINOv3 inout, image_row for many pictures",
    )
    store_as_half(path)
    default_input(path, "image_row")
    figures = {
        "torch_difference": max(
            check_against_torch(path, graph, inputs(*count), tolerance=2e-2) for count in ((1, 1), (2, 1), (7, 3))
        )
    }
    for heads in (1, 3, 10):
        feed = {name: value.numpy() for name, value in inputs(heads).items()}
        figures[f"ms_{heads}_heads"] = round(milliseconds(path, feed), 2)
    return figures


def main() -> None:
    """Render what is missing, train, export, measure, write record and card."""
    arguments = read_arguments("gaze", __doc__)
    device = set_up(arguments.seed)
    draws = GazeDraws(Draws(rendered("stills", arguments.stills), arguments.seed), BATCH, MOST_HEADS, arguments.seed)
    (held_out,) = rendered("stills", [arguments.held_out])
    net = GazeNet()
    begin(net, net.heads.head_net, arguments.init, arguments.head, arguments.take_head)
    if arguments.blend:
        blend(net, arguments.blend, show, map(draws, range(BATCHES)))
    net = net.to(device, memory_format=torch.channels_last)
    plan = Plan(arguments.steps, arguments.rate, *REGULATION, arguments.out, arguments.workers, drawn=drawn(arguments))
    outcome = train(net, plan, draws, losses_by(net, device))
    path = arguments.out / GAZE_FILE
    figures: dict[str, float] = export(net.cpu(), path) | measure_gaze(path, held_out)
    facts = write_run(arguments.out, arguments, outcome, figures)
    ship_gaze(path, facts, read_run(arguments.head), arguments.ship)


if __name__ == "__main__":
    main()
