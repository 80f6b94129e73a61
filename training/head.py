"""Train the head network on rendered head crops and stills: python -m training.head.

Its weights go into the detector (directions) and start the head branch of the gaze network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.arguments import program_parser
from training.data import Rows, rendered
from training.draws import Draws
from training.head_crops import CropDraws, cut
from training.head_net import HeadNet, vector_loss
from training.layers import normalise
from training.loop import Plan, load_weights, train
from training.record import drawn, set_up, write_run

# A batch: crops rendered for the purpose, and the heads of stills as the detector and the gaze network will see them.
CROPS, STILLS = 96, 16
REGULATION = (1e-2, 5.0)
"""Weight decay and largest norm of a gradient."""
_FIGURES = (("head", slice(0, 3)), ("gaze", slice(3, 6)))


def network_input(crops: Tensor, device: torch.device) -> Tensor:
    """Turn crops (M, 48, 48, 3) u8 into the network's input (M, 3, 48, 48) f32 on a device."""
    pictures = crops.to(device).permute(0, 3, 1, 2).float()
    return normalise(pictures).contiguous(memory_format=torch.channels_last)


def losses_by(net: HeadNet, device: torch.device) -> Callable[[tuple[Tensor, Tensor], float], dict[str, Tensor]]:
    """Return what gives the losses of a batch, for `training.loop.train`."""

    def losses_of(batch: tuple[Tensor, Tensor], _: float) -> dict[str, Tensor]:
        crops, wanted = batch
        with torch.autocast(device.type, torch.bfloat16):
            _, got = net(network_input(crops, device))
        return {"vectors": vector_loss(got.float(), wanted.to(device))}

    return losses_of


@torch.no_grad()
def vectors_of(net: HeadNet, rows: Rows) -> NDArray[np.float32]:
    """Return the vectors (n, 6) that a network on the CPU tells of all crops of a set."""
    index = rows.ready()
    boxes = rows.truth[index, 0]["head_box"] * np.array([*rows.pictures.shape[2:0:-1]] * 2, np.float32)
    crops = np.stack([cut(np.asarray(rows.pictures[k]), box) for k, box in zip(index, boxes, strict=True)])
    _, told = net.eval()(network_input(torch.from_numpy(crops), torch.device("cpu")))
    return np.asarray(told.numpy())


def measure(net: HeadNet, rows: Rows) -> dict[str, float]:
    """Return mean and median errors in degrees on untouched crops."""
    truth, got = rows.truth[rows.ready(), 0], vectors_of(net, rows)
    figures = {}
    for name, part in _FIGURES:
        cosine = (got[:, part] * truth[f"{name}_vector"]).sum(1) / np.linalg.norm(got[:, part], axis=1)
        error = np.degrees(np.arccos(cosine.clip(-1, 1)))
        figures[f"{name}_error_deg_mean"] = round(float(error.mean()), 2)
        figures[f"{name}_error_deg_median"] = round(float(np.median(error)), 2)
    wanted = np.arctan2(truth["head_vector"][:, 0], -truth["head_vector"][:, 2])
    turn = np.degrees(np.arctan2(got[:, 0], -got[:, 2]) - wanted)
    off = np.abs((turn + 180) % 360 - 180)
    figures["yaw_mae_deg"] = round(float(off.mean()), 2)
    figures["yaw_within_45"] = round(float((off <= 45).mean()), 4)
    return figures


def main() -> None:
    """Render what is missing, train, measure, keep the weights."""
    arguments = program_parser("head", __doc__).parse_args()
    device = set_up(arguments.seed)
    draws = CropDraws(
        Draws(rendered("crops", arguments.crops), arguments.seed),
        Draws(rendered("stills", arguments.stills), arguments.seed),
        CROPS,
        STILLS,
        arguments.seed,
    )
    (held_out,) = rendered("crops", [arguments.held_out])
    net = HeadNet()
    if arguments.init:
        load_weights(net, arguments.init)
    net = net.to(device, memory_format=torch.channels_last)
    plan = Plan(arguments.steps, arguments.rate, *REGULATION, arguments.out, arguments.workers, drawn=drawn(arguments))
    outcome = train(net, plan, draws, losses_by(net, device))
    write_run(arguments.out, arguments, outcome, measure(net.cpu(), held_out))


if __name__ == "__main__":
    main()
