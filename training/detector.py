"""Train the detector of bodies, heads and head directions on rendered stills and ship it: python -m training.detector.

The directions come from the weights of python -m training.head, which the exported graph holds too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training import head
from training.augment import People, Pictures, cut_out, place, weather
from training.batches import LEAST_BODY_PX, LEAST_HEAD_PX, picture_tensor, shuffled, still
from training.cards import DETECTOR_FILE, ship_detector
from training.clutter import heap
from training.data import ROOT, STILL_WH, Rows, render_stills, seed_range
from training.detector_graph import DetectorGraph
from training.detector_loss import box_loss, centre_loss, class_targets
from training.detector_net import DetectorNet
from training.export import check_against_torch, export_onnx, milliseconds
from training.head_net import HeadNet
from training.layers import fuse_batch_norm
from training.loop import Plan, load_weights, train
from training.measure_detector import measure_detector
from training.record import one_thread_each, read_run, write_run

FOLDER = ROOT / "detector"
BATCH = 16
_SCALE = (0.6, 1.6)
_HEAP_PART = 0.35
_CUT_OUT_PART = 0.2
# Small pictures first: boxes are learnt from four times as many in the same time.
_SIZES = ((0.35, (352, 224)), (1.0, STILL_WH))
_HOLD_OUT = (9_000_000, 600)
_MEASURED_STILLS = 600


def draw_batch(
    draws: Iterator[tuple[Rows, int]], rng: np.random.Generator, size_wh: tuple[int, int]
) -> tuple[list[Pictures], list[People]]:
    """Return augmented stills and their people."""
    pictures, everybody = [], []
    for _ in range(BATCH):
        picture, people = place(*still(*next(draws)), size_wh, rng, _SCALE)
        if rng.random() < _HEAP_PART:
            picture, people = heap(picture, people, rng)
        if rng.random() < _CUT_OUT_PART:
            picture, people = cut_out(picture, people, rng)
        pictures.append(weather(picture, rng))
        everybody.append(people)
    return pictures, everybody


def detector_losses(
    head_maps: Tensor, body_maps: Tensor, everybody: list[People], size_wh: tuple[int, int]
) -> dict[str, Tensor]:
    """Return the losses of both classes."""
    losses = {}
    for name, maps, least_px in (("head", head_maps, LEAST_HEAD_PX), ("body", body_maps, LEAST_BODY_PX)):
        boxes = [getattr(people, f"{name}_box") for people in everybody]
        visible = [getattr(people, f"{name}_visible") for people in everybody]
        targets = class_targets(boxes, visible, size_wh, least_px)
        losses[f"{name}_centre"] = centre_loss(maps[:, 0], targets.heat, targets.counted)
        losses[f"{name}_box"] = box_loss(maps, targets)
    return losses


def export(detector: DetectorNet, head_net: HeadNet, path: Path, stills: Tensor) -> dict[str, float]:
    """Write the file, check it against torch on real-sized pictures and time it."""
    graph = DetectorGraph(detector, head_net, STILL_WH).eval()
    fuse_batch_norm(graph)
    export_onnx(
        graph,
        (stills[:2],),
        path,
        ["input_bgr"],
        {"label_xyxy_score": ("N", 4 * graph.per_class, 6)},
        {"input_bgr": {0: "N", 2: "H", 3: "W"}},
        "Detector of bodies, heads and head directions trained on rendered scenes; contract: DEIMv2-Wholebody34",
    )
    largest = check_against_torch(path, graph, {"input_bgr": stills[:1]}, rows_from_score=0.05)
    return {
        "torch_difference": max(
            largest,
            check_against_torch(path, graph, {"input_bgr": stills[:3, :, :201, :333]}, rows_from_score=0.05),
        ),
        "ms_a_frame": round(
            float(np.mean([milliseconds(path, {"input_bgr": s[None].numpy()}, 10) for s in stills])), 2
        ),
    }


def main() -> None:
    """Render what is missing, train, export, measure, write record and card."""
    parser = argparse.ArgumentParser(prog="python -m training.detector", description=__doc__)
    parser.add_argument(
        "--stills", type=seed_range, action="append", metavar="FIRST+COUNT", help="default 1000000+6000"
    )
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", type=Path, help="weights to start from")
    parser.add_argument(
        "--head", type=Path, default=head.WEIGHTS, help="weights of the head network or of a gaze network"
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of checkpoints and of the exported file")
    parser.add_argument("--ship", action="store_true", help="replace the shipped file, its record and its card")
    arguments = parser.parse_args()
    one_thread_each()
    sets = [render_stills(*seeds) for seeds in arguments.stills or [(1_000_000, 6000)]]
    held_out = render_stills(*_HOLD_OUT)

    rng = np.random.default_rng(arguments.seed)
    torch.manual_seed(arguments.seed)
    net = DetectorNet().to(memory_format=torch.channels_last)
    if arguments.init:
        load_weights(net, arguments.init)
    draws = shuffled(sets, rng)

    def losses_at(elapsed: float) -> dict[str, Tensor]:
        size_wh = next(size for until, size in _SIZES if elapsed < until)
        pictures, everybody = draw_batch(draws, rng, size_wh)
        with torch.autocast("cpu", torch.bfloat16):
            head_maps, body_maps = net(picture_tensor(pictures))
        return detector_losses(head_maps, body_maps, everybody, size_wh)

    outcome = train(net, Plan(arguments.minutes, arguments.rate, 1e-3, 10.0, arguments.out), losses_at)
    head_net = HeadNet()
    load_weights(head_net, arguments.head, "head_net")
    path = arguments.out / DETECTOR_FILE
    figures: dict[str, float | list[float]] = {}
    figures |= export(net, head_net.eval(), path, picture_tensor(list(held_out.pictures[:5])))
    figures |= measure_detector(path, held_out, _MEASURED_STILLS)
    facts = write_run(arguments.out, arguments, outcome, figures)
    ship_detector(path, facts, read_run(arguments.head), arguments.ship)


if __name__ == "__main__":
    main()
