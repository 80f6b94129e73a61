"""Average two networks of one descent: what each learnt apart from the other is noise in part, and that is halved.

Weights of networks that were trained on from the same ones may be averaged as if they were two measurements of one
thing (Wortsman et al., Model soups, ICML 2022). Batch norms may not: theirs are measured anew, but for parts that both
networks have alike, which stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.loop import load_weights

BATCHES = 60
"""Of stills, on which batch norms are measured."""


def blend(net: nn.Module, other: Path, show: Callable[[nn.Module, Any], object], batches: Iterable[Any]) -> None:
    """Give a network the mean of its weights and of others.

    Args:
        net: with the weights of one.
        other: file of the weights of the other.
        show: takes a batch through all of a network.
        batches: stills that batch norms are measured on.

    Raises:
        ValueError: the file holds other names or shapes than the net.
    """
    beside = deepcopy(net)
    load_weights(beside, other)
    parts = list(zip(net.children(), beside.children(), strict=True))
    alike = [part for part, other_part in parts if _same(part.state_dict(), other_part.state_dict())]
    there = beside.state_dict()
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value.add_(there[name]).div_(2)
    _measure_norms(net, alike, show, batches)


def between(begun: Mapping[str, Tensor], learnt: Mapping[str, Tensor], part: float) -> dict[str, Tensor]:
    """Return weights on the way from those that a training began with to those it ended with; batch norms are fused.

    What a short training on something new forgets comes back on that way sooner than what it learnt is lost (WiSE-FT,
    Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).

    Args:
        begun: weights by name.
        learnt: the same names and shapes.
        part: 0 begun, 1 learnt.
    """
    return {
        name: torch.lerp(begun[name], value, part) if value.is_floating_point() else value
        for name, value in learnt.items()
    }


def mean(several: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of weights by name; what is no floating point number is that of the first."""
    return {
        name: torch.stack([weights[name] for weights in several]).mean(0) if value.is_floating_point() else value
        for name, value in several[0].items()
    }


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def _measure_norms(
    net: nn.Module, fixed: list[nn.Module], show: Callable[[nn.Module, Any], object], batches: Iterable[Any]
) -> None:
    """Measure the batch norms of a network on batches, but for those in parts of it that are to stay as they are."""
    kept = {module for part in fixed for module in part.modules()}
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d) and module not in kept]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    net.train()
    for part in fixed:
        part.eval()
    with torch.no_grad():
        for batch in batches:
            show(net, batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
