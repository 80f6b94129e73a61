"""Train the head network on rendered head crops and stills: python -m training.head.

Its weights go into the detector (directions) and start the head branch of the gaze network.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.augment import weather
from training.batches import draw_heads, picture_tensor, shuffled
from training.data import ROOT, Rows, render_crops, render_stills, seed_range
from training.head_net import HeadNet, crop_heads, vector_loss
from training.layers import normalise
from training.loop import Plan, load_weights, train
from training.record import one_thread_each, write_run

WEIGHTS = ROOT / "head" / "last.npz"
# A batch: crops rendered for the purpose, and the heads of stills as the detector and the gaze network will see them.
CROPS = 48
STILLS = 12
_MIRROR = torch.tensor([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0])
_BOX_JITTER = 0.08
_HOLD_OUT = (9_500_000, 1000)


def draw_crops(draws: Iterator[tuple[Rows, int]], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Draw CROPS rendered crops: (CROPS, 3, 48, 48) 0-255, and their vectors (CROPS, 6)."""
    pictures, boxes, vectors = [], [], []
    for _ in range(CROPS):
        rows, index = next(draws)
        truth, picture = rows.truth[index, 0], np.array(rows.pictures[index])
        # The crops are rendered through cameras of all sorts already; half of them go through a second one.
        pictures.append(weather(picture, rng) if rng.random() < 0.5 else picture)
        boxes.append(truth["head_box"])
        vectors.append(np.concatenate([truth["head_vector"], truth["gaze_vector"]]))
    return cut(picture_tensor(pictures), torch.tensor(np.array(boxes)), rng), torch.tensor(np.array(vectors))


def cut(pictures: Tensor, boxes: Tensor, rng: np.random.Generator) -> Tensor:
    """Cut one head out of each picture, its box moved a little."""
    side = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    noise = torch.from_numpy(rng.standard_normal(boxes.shape).astype(np.float32))
    return crop_heads(pictures, boxes + noise * _BOX_JITTER * side, torch.arange(len(boxes)))


def with_mirrored(crops: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the crops (M, 3, 48, 48) and their vectors (M, 6), followed by the same seen in a mirror."""
    return torch.cat([crops, crops.flip(3)]), torch.cat([vectors, vectors * _MIRROR])


@torch.no_grad()
def measure(net: HeadNet, rows: Rows) -> dict[str, float]:
    """Return mean and median errors in degrees on untouched crops."""
    index = rows.ready()
    truth = rows.truth[index, 0]
    crops = crop_heads(
        normalise(picture_tensor(list(rows.pictures[index]))), torch.tensor(truth["head_box"]), torch.arange(len(index))
    )
    _, got = net.eval()(crops)
    figures = {}
    for name, part in (("head", slice(0, 3)), ("gaze", slice(3, 6))):
        wanted = torch.tensor(truth[f"{name}_vector"])
        error = torch.rad2deg(torch.acos(torch.cosine_similarity(got[:, part], wanted).clamp(-1, 1)))
        figures[f"{name}_error_deg_mean"] = round(float(error.mean()), 2)
        figures[f"{name}_error_deg_median"] = round(float(error.median()), 2)
    wanted_yaw = torch.atan2(torch.tensor(truth["head_vector"][:, 0]), -torch.tensor(truth["head_vector"][:, 2]))
    turn = torch.rad2deg(torch.atan2(got[:, 0], -got[:, 2]) - wanted_yaw)
    figures["yaw_mae_deg"] = round(float(((turn + 180) % 360 - 180).abs().mean()), 2)
    return figures


def main() -> None:
    """Render what is missing, train, measure, keep the weights."""
    parser = argparse.ArgumentParser(prog="python -m training.head", description=__doc__)
    parser.add_argument(
        "--crops", type=seed_range, action="append", metavar="FIRST+COUNT", help="default 1000000+24000"
    )
    parser.add_argument(
        "--stills", type=seed_range, action="append", metavar="FIRST+COUNT", help="default 1000000+6000"
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=2e-3, help="learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", type=Path, help="weights to start from")
    parser.add_argument("--out", type=Path, default=WEIGHTS.parent, help="folder of checkpoints")
    arguments = parser.parse_args()
    one_thread_each()
    crop_sets = [render_crops(*seeds) for seeds in arguments.crops or [(1_000_000, 24_000)]]
    still_sets = [render_stills(*seeds) for seeds in arguments.stills or [(1_000_000, 6000)]]
    held_out = render_crops(*_HOLD_OUT)

    rng = np.random.default_rng(arguments.seed)
    torch.manual_seed(arguments.seed)
    net = HeadNet().to(memory_format=torch.channels_last)
    if arguments.init:
        load_weights(net, arguments.init)
    crop_draws, still_draws = shuffled(crop_sets, rng), shuffled(still_sets, rng)

    def losses_at(_: float) -> dict[str, Tensor]:
        pictures, boxes, rows, _, _, of_stills = draw_heads(still_draws, rng, STILLS)
        crops, of_crops = draw_crops(crop_draws, rng)
        crops, vectors = with_mirrored(
            torch.cat([crops, crop_heads(pictures, boxes, rows)]), torch.cat([of_crops, of_stills])
        )
        crops = normalise(crops).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            _, got = net(crops)
        return {"vectors": vector_loss(got.float(), vectors)}

    outcome = train(net, Plan(arguments.minutes, arguments.rate, 1e-3, 5.0, arguments.out), losses_at)
    write_run(arguments.out, arguments, outcome, measure(net, held_out))


if __name__ == "__main__":
    main()
