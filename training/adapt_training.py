"""Learn from footage beside rendered stills, from several seeds, and take the mean of what was learnt.

What one training learns of few frames is noise in part, which the mean of several has less of, at no cost to who runs
it (Wortsman et al., Model soups, ICML 2022).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from training.adapt_draws import AdaptDraws
from training.blend import mean
from training.data import Rows
from training.detector import ONLY_HEADS_MOST, REGULATION, all_but_heads, losses_by
from training.detector_draws import MOST_HEADS
from training.detector_net import DetectorNet
from training.draws import Draws
from training.footage import Sample
from training.frozen import freeze
from training.loop import Outcome, Plan, forget_state, train
from training.teacher import Labels

BATCH = 16


def learn(
    net: DetectorNet,
    arguments: argparse.Namespace,
    stills: Sequence[Rows],
    frames: Sequence[tuple[Sample, Labels]],
    device: torch.device,
) -> tuple[dict[str, Tensor], Outcome]:
    """Train a network several times from its own weights, and return the mean of the weights it ended with.

    Args:
        net: on the CPU, batch norms fused; has the weights of the last training when this returns.
        arguments: of the program.
        stills: rendered ones.
        frames: of footage, with their labels.
        device: where to train.

    Raises:
        ValueError: a loss is not finite, or a checkpoint is of another plan.
    """
    begun = weights_of(net)
    if arguments.only_heads:
        freeze(*all_but_heads(net))
    net.to(device, memory_format=torch.channels_last)
    share, most = round(BATCH * arguments.share), ONLY_HEADS_MOST if arguments.only_heads else MOST_HEADS
    ends, outcomes = [], []
    for seed in seeds_of(arguments):
        net.load_state_dict(begun)
        torch.manual_seed(seed)
        draws = AdaptDraws(Draws(stills, seed), frames, BATCH, share, seed, most)
        course = Plan(arguments.steps, arguments.rate, *REGULATION, folder_of(arguments, seed), arguments.workers)
        outcomes.append(train(net, course, draws, losses_by(net, device)))
        ends.append(weights_of(net))
    net.cpu()
    return mean(ends), replace(outcomes[-1], hours=sum(outcome.hours for outcome in outcomes))


def seeds_of(arguments: argparse.Namespace) -> range:
    """Return the seed of each training."""
    return range(arguments.seed, arguments.seed + arguments.times)


def folder_of(arguments: argparse.Namespace, seed: int) -> Path:
    """Return where the training from a seed keeps its checkpoint."""
    return Path(arguments.out) / f"seed-{seed}"


def forget_states(arguments: argparse.Namespace) -> None:
    """Remove the checkpoints of trainings whose weights have become what they were trained for."""
    for seed in seeds_of(arguments):
        forget_state(folder_of(arguments, seed))


def weights_of(net: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights of a network, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
