"""Make weights that can learn on of the detector that ships: python -m training.unpack.

The file that ships has no batch norms any more: each was folded into its convolution. They are put back with the mean
and spread that the convolution gives on rendered stills, so the network says what the file says, and learns as before
it was folded. Weights and records lie in out/training/shipped/detector and out/training/shipped/head afterwards, for
`--init` and `--head`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from training.batches import picture_tensor
from training.data import rendered
from training.detector import BATCH
from training.detector_draws import DetectorBatch, DetectorDraws
from training.detector_net import DetectorNet
from training.draws import Draws
from training.layers import normalise
from training.loop import save_weights
from training.recipe import UNPACKED, WEIGHTS
from training.record import MODELS, RUN_FILE, set_up, write_yaml
from training.shipped_weights import read_detector

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


def with_batch_norms(fused: DetectorNet, batches: Iterable[DetectorBatch]) -> DetectorNet:
    """Return a network that says what a fused one does, in eval mode, and has its batch norms.

    Args:
        fused: in eval mode, each batch norm folded into the convolution before it.
        batches: what the mean and spread of each channel are measured on.
    """
    net = DetectorNet()
    net.eval()
    kept = {name: value for name, value in fused.state_dict().items() if name in net.state_dict()}
    net.load_state_dict(kept, strict=False)
    pairs = list(_convolutions(fused, net))
    spreads = [_Spread() for _ in pairs]
    hooks = [conv.register_forward_hook(spread) for (conv, _), spread in zip(pairs, spreads, strict=True)]
    with torch.no_grad():
        for batch in batches:
            pictures = normalise(picture_tensor(batch.pictures, torch.device("cpu")))
            _, features = fused(pictures)
            boxes, rows = torch.from_numpy(batch.head_boxes), torch.from_numpy(batch.head_rows)
            fused.heads(pictures, features, boxes, rows)
        for (conv, norm), spread in zip(pairs, spreads, strict=True):
            mean, variance = spread.mean_and_variance()
            assert conv.bias is not None
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.copy_(mean)
            norm.running_mean.copy_(mean - conv.bias)
            norm.running_var.copy_(variance)
    for hook in hooks:
        hook.remove()
    return net


def _convolutions(fused: nn.Module, net: nn.Module) -> Iterable[tuple[nn.Conv2d, nn.Module]]:
    """Yield each convolution that a batch norm was folded into, and that batch norm in the network that has it."""
    modules = dict(fused.named_modules())
    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            parent, _, number = name.rpartition(".")
            before = modules[f"{parent}.{int(number) - 1}"]
            assert isinstance(before, nn.Conv2d)
            yield before, module


def main() -> None:
    """Read the file and its record, put the batch norms back, write weights and records."""
    parser = argparse.ArgumentParser(prog="python -m training.unpack", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODELS / "people-shop-480.onnx", help="default %(default)s")
    parser.add_argument("--out", type=Path, default=UNPACKED, help="folder of the two folders (default %(default)s)")
    arguments = parser.parse_args()
    set_up(0)
    fused = read_detector(arguments.model).detector
    draws = DetectorDraws(Draws(rendered("stills", [STILLS]), 0), BATCH, BATCHES, 0)
    net = with_batch_norms(fused, map(draws, range(BATCHES)))
    record = yaml.safe_load(arguments.model.with_suffix(".record.yaml").read_text(encoding="utf-8"))
    of_head = record.pop("head_network")
    for part, weights, facts in (("detector", net, record), ("head", net.heads.head_net, of_head)):
        save_weights(weights.state_dict(), arguments.out / part / WEIGHTS)
        write_yaml(arguments.out / part / RUN_FILE, facts, f"The record of {arguments.model}.")


if __name__ == "__main__":
    main()
