"""Keep a part of a network as it is while the rest learns."""

from __future__ import annotations

from torch import nn


def freeze(*modules: nn.Module) -> None:
    """Let the weights of modules get no gradient."""
    for module in modules:
        module.requires_grad_(False)


def train_mode(net: nn.Module) -> None:
    """Put a network in training mode, but for modules all of whose weights are frozen: their statistics stay, too."""
    net.train()
    for module in net.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()
