"""Train the detector of bodies, heads, faces and head directions on rendered stills: python -m training.detector.

Its directions start from the weights of python -m training.head.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from training.arguments import read_arguments
from training.batches import CPU, picture_tensor
from training.blend import BATCHES, blend
from training.cards import DETECTOR_FILE, ship_detector
from training.data import rendered
from training.detector_draws import MOST_HEADS, DetectorBatch, DetectorDraws
from training.detector_graph import PER_CLASS, ROWS_PER_CLASS, Calibration, DetectorGraph
from training.detector_loss import ClassTargets, box_loss, centre_loss, face_losses
from training.detector_net import CLASSES, DetectorNet, maps_of
from training.draws import Draws
from training.export import check_against_torch, export_onnx, milliseconds, store_as_half
from training.face_in_head import in_heads
from training.frozen import freeze
from training.head_net import vector_loss, yaw_loss
from training.layers import fuse_batch_norm, normalise
from training.loop import Plan, begin, train
from training.measure_detector import calibrate, measure_detector
from training.mirror import boxes_mirrored, vectors_mirrored
from training.record import drawn, read_run, set_up, write_run
from training.second_look_loss import Candidates, TrueHeads, candidates, second_losses

BATCH = 16
ONLY_HEADS_BATCH, ONLY_HEADS_MOST, ONLY_HEADS_AGAIN = 20, 12, 8
"""Stills of a batch, heads of one of them and those looked at again, where only what tells of heads learns."""
REGULATION = (2e-2, 10.0)
"""Weight decay and largest norm of a gradient."""
TIMED_WH = (416, 256)
_TOLD_FROM = 0.05
"""Rows with lower scores are not compared."""
_TOLERANCE, _HALF_TOLERANCE = 5e-3, 5e-2
"""How far rows may be from those of torch: as written, and stored in half precision, which rounds weights."""


def detector_losses(maps: Tensor, targets: list[ClassTargets]) -> dict[str, Tensor]:
    """Return the losses of the maps."""
    losses = {}
    for k, (name, wanted) in enumerate(zip(CLASSES, targets, strict=True)):
        own = maps_of(maps, k)
        losses[f"{name}_centre"] = centre_loss(own[:, 0], wanted.heat, wanted.counted)
        losses[f"{name}_box"] = box_loss(own, wanted)
    return losses


class Shown(NamedTuple):
    """What a network tells of a batch."""

    maps: Tensor
    """(N, 10, h, w)."""
    vectors: Tensor
    """(M, 6) of the true heads."""
    face_logits: Tensor
    """(M,) of the true heads."""
    faces: Tensor
    """(M, 4) of the true heads."""
    candidates: Candidates
    """What the maps take for heads."""
    again_logits: Tensor
    """Of these, after the second look."""
    moved: Tensor
    """Where these were moved to."""


def show(net: DetectorNet, batch: DetectorBatch, device: torch.device = CPU, most: int = MOST_HEADS) -> Shown:
    """Return what a network tells of a batch, at most so many heads of a picture looked at again.

    True heads and what the maps take for such go through the head branch together, so that statistics are of both.
    """
    pictures = normalise(picture_tensor(batch.pictures, device))
    maps, features = net(pictures)
    maybe = candidates(maps_of(maps, CLASSES.index("head")), most)
    given = batch.head_boxes, batch.head_rows, batch.head_turn
    boxes, rows, turn = (torch.as_tensor(part).to(device) for part in given)
    turn = torch.cat([turn, turn.new_zeros(len(maybe.boxes))])
    boxes, rows = torch.cat([boxes, maybe.boxes]), torch.cat([rows, maybe.rows])
    # Every other one in the mirror: what is found is read there once more, from features of what is not mirrored.
    mirror = 1 - 2 * (torch.arange(len(boxes), device=device) % 2).to(boxes.dtype)
    known, vectors = net.heads(pictures, features, boxes, rows, turn, mirror)
    count = len(batch.head_boxes)
    face_logits, faces = net.faces(known[:count])
    again_logits, moved = net.again(known[count:], maybe.logits, maybe.boxes, mirror[count:])
    vectors, faces = vectors_mirrored(vectors[:count], mirror[:count]), boxes_mirrored(faces, mirror[:count])
    return Shown(maps, vectors, face_logits, faces, maybe, again_logits, moved)


def losses_by(
    net: DetectorNet, device: torch.device, most: int = MOST_HEADS
) -> Callable[[DetectorBatch, float], dict[str, Tensor]]:
    """Return what tells the weighted losses of a batch, for `training.loop.train`, of so many heads looked at again."""

    def losses_of(batch: DetectorBatch, _: float) -> dict[str, Tensor]:
        with torch.autocast(device.type, torch.bfloat16):
            told = show(net, batch, device, most)
        wanted = [ClassTargets(*(part.to(device) for part in target)) for target in batch.targets]
        wanted_faces = in_heads(batch.face_boxes.to(device), batch.head_boxes.to(device))
        true = TrueHeads(*(part.to(device) for part in batch.all_heads))
        vectors, wanted_vectors = told.vectors.float(), batch.vectors.to(device)
        return {
            **detector_losses(told.maps.float(), wanted),
            "direction": vector_loss(vectors, wanted_vectors),
            "yaw": yaw_loss(vectors, wanted_vectors),
            **face_losses(told.face_logits.float(), told.faces.float(), wanted_faces, batch.face_seen.to(device)),
            **second_losses(told.candidates, told.again_logits.float(), told.moved.float(), true),
        }

    return losses_of


def draws_of(shown: Draws, steps: int, seed: int, *, only_heads: bool = False) -> DetectorDraws:
    """Return what a training is shown; where only the head branch learns, more heads and no boxes to be quick about."""
    if only_heads:
        return DetectorDraws(shown, ONLY_HEADS_BATCH, steps, seed, ONLY_HEADS_MOST, small_until=0.0)
    return DetectorDraws(shown, BATCH, steps, seed)


def all_but_heads(net: DetectorNet) -> list[nn.Module]:
    """Return the parts of a network that find people: all but what tells of heads that are found."""
    return [part for part in net.children() if part not in (net.heads, net.faces, net.again)]


def export(graph: DetectorGraph, path: Path, stills: Tensor) -> dict[str, float]:
    """Write the file, check it against torch at several sizes and time it."""
    fuse_batch_norm(graph.eval())
    export_onnx(
        graph,
        (stills[:2],),
        path,
        ["input_bgr"],
        {"label_xyxy_score": ("N", ROWS_PER_CLASS * PER_CLASS, 6)},
        {"input_bgr": {0: "N", 2: "H", 3: "W"}},
        "Detector of bodies, heads, faces and head directions; contract: DEIMv2-Wholebody34",
    )
    sizes = (stills[:1], stills[:3, :, :201, :333], stills[:1, :, :192, :320])

    def difference(tolerance: float) -> float:
        return max(
            check_against_torch(path, graph, {"input_bgr": some}, tolerance, rows_from_score=_TOLD_FROM)
            for some in sizes
        )

    as_written = difference(_TOLERANCE)
    store_as_half(path)
    timed = torch.nn.functional.interpolate(stills, size=TIMED_WH[::-1], mode="bilinear")
    return {
        "torch_difference": as_written,
        "half_difference": difference(_HALF_TOLERANCE),
        "ms_a_frame_416x256": round(
            float(np.mean([milliseconds(path, {"input_bgr": s[None].numpy()}, 10) for s in timed])), 2
        ),
    }


def main() -> None:
    """Render what is missing, train, export, measure, write record and card."""
    arguments = read_arguments("detector", __doc__)
    device = set_up(arguments.seed)
    shown, seed = Draws(rendered("stills", arguments.stills), arguments.seed), arguments.seed
    draws = draws_of(shown, arguments.steps, seed, only_heads=arguments.only_heads)
    held_out, judged = rendered("stills", [arguments.held_out, arguments.calibrate])
    net = DetectorNet()
    begin(net, net.heads.head_net, arguments.init, arguments.head, arguments.take_head)
    if arguments.blend:
        blend(net, arguments.blend, show, map(DetectorDraws(shown, BATCH, BATCHES, seed), range(BATCHES)))
    if arguments.only_heads:
        freeze(*all_but_heads(net))
    net.heads.head_net.restyle = arguments.restyle
    net = net.to(device, memory_format=torch.channels_last)
    plan = Plan(arguments.steps, arguments.rate, *REGULATION, arguments.out, arguments.workers, drawn=drawn(arguments))
    most = ONLY_HEADS_AGAIN if arguments.only_heads else MOST_HEADS
    outcome = train(net, plan, draws, losses_by(net, device, most))
    path, pictures = arguments.out / DETECTOR_FILE, picture_tensor(held_out.pictures[:5], CPU)
    graph = DetectorGraph(net.cpu())
    export(graph, path, pictures)
    graph.calibration = Calibration(calibrate(path, judged))
    figures = export(graph, path, pictures) | measure_detector(path, held_out)
    facts = write_run(arguments.out, arguments, outcome, figures)
    ship_detector(path, facts, read_run(arguments.head), arguments.ship)


if __name__ == "__main__":
    main()
