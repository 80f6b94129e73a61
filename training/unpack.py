"""Make weights that can learn on of the models that ship: python -m training.unpack.

The files that ship have no batch norms any more: each was folded into its convolution. They are put back with the mean
and spread that the convolution gives on rendered stills, so a network says what its file says, and learns as before
it was folded. Weights and records lie in out/training/shipped/detector, .../head and .../gaze afterwards, for `--init`
and `--head`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from training import detector, gaze
from training.cards import DETECTOR_FILE, GAZE_FILE
from training.data import rendered
from training.detector_draws import DetectorDraws
from training.detector_net import DetectorNet
from training.draws import Draws
from training.gaze_draws import GazeDraws
from training.gaze_net import GazeNet
from training.loop import save_weights
from training.recipe import UNPACKED, WEIGHTS
from training.record import MODELS, RUN_FILE, set_up, write_yaml
from training.shipped_weights import read_detector, read_gaze

STILLS, BATCHES = "full:3000000+400", 25


class _Spread:
    """Running sums of what a convolution gives, channel by channel."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, torch.zeros(()), torch.zeros(())

    def __call__(self, _: nn.Module, __: tuple[Tensor, ...], given: Tensor) -> None:
        values = given.detach().double().transpose(0, 1).flatten(1)
        self.count += values.shape[1]
        self.total, self.squares = self.total + values.sum(1), self.squares + values.square().sum(1)

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self.total / self.count
        return mean.float(), (self.squares / self.count - mean.square()).clamp(min=0.0).float()


def put_batch_norms_back(
    net: nn.Module, fused: nn.Module, show: Callable[[nn.Module, Any], object], batches: Iterable[Any]
) -> None:
    """Make a network say in eval mode what a fused one does, with its batch norms.

    Args:
        net: gets the weights.
        fused: the same network in eval mode, each batch norm folded into the convolution before it.
        show: takes a batch through all of a network.
        batches: what the mean and spread of each channel are measured on.
    """
    net.eval()
    kept = {name: value for name, value in fused.state_dict().items() if name in net.state_dict()}
    net.load_state_dict(kept, strict=False)
    pairs = list(_convolutions(fused, net))
    spreads = [_Spread() for _ in pairs]
    hooks = [conv.register_forward_hook(spread) for (conv, _), spread in zip(pairs, spreads, strict=True)]
    with torch.no_grad():
        for batch in batches:
            show(fused, batch)
        for (conv, norm), spread in zip(pairs, spreads, strict=True):
            mean, variance = spread.mean_and_variance()
            assert conv.bias is not None
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.copy_(mean)
            norm.running_mean.copy_(mean - conv.bias)
            norm.running_var.copy_(variance)
    for hook in hooks:
        hook.remove()


def _convolutions(fused: nn.Module, net: nn.Module) -> Iterable[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Yield each convolution that a batch norm was folded into, and that batch norm in the network that has it."""
    modules = dict(fused.named_modules())
    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            parent, _, number = name.rpartition(".")
            before = modules[f"{parent}.{int(number) - 1}"]
            assert isinstance(before, nn.Conv2d)
            yield before, module


def main() -> None:
    """Read files and records, put the batch norms back, write weights and records."""
    parser = argparse.ArgumentParser(prog="python -m training.unpack", description=__doc__)
    for name, file in (("detector", DETECTOR_FILE), ("gaze", GAZE_FILE)):
        parser.add_argument(f"--{name}", type=Path, default=MODELS / file, help="file of it (default %(default)s)")
    parser.add_argument("--out", type=Path, default=UNPACKED, help="folder of the folders (default %(default)s)")
    arguments = parser.parse_args()
    set_up(0)
    found, looks = read_detector(arguments.detector, "--detector").detector, read_gaze(arguments.gaze, "--gaze").net
    shown = Draws(rendered("stills", [STILLS]), 0)
    people, heads = DetectorNet(), GazeNet()
    drawn = map(DetectorDraws(shown, detector.BATCH, BATCHES, 0), range(BATCHES))
    put_batch_norms_back(people, found, detector.show, drawn)
    looking = map(GazeDraws(shown, gaze.BATCH, gaze.MOST_HEADS, 0), range(BATCHES))
    put_batch_norms_back(heads, looks, gaze.show, looking)
    record, of_gaze = _record(arguments.detector), _record(arguments.gaze)
    of_head = record.pop("head_network")
    for part, net, facts, file in (
        ("detector", people, record, arguments.detector),
        ("head", people.heads.head_net, of_head, arguments.detector),
        ("gaze", heads, of_gaze, arguments.gaze),
    ):
        save_weights(net.state_dict(), arguments.out / part / WEIGHTS)
        write_yaml(arguments.out / part / RUN_FILE, facts, f"The record of {file}.")


def _record(file: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(file.with_suffix(".record.yaml").read_text(encoding="utf-8"))
    return told


if __name__ == "__main__":
    main()
