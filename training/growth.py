"""Give a larger network the weights of a smaller one of the same make, so that it says what the smaller one says.

What is new reads all there is, with weights drawn as usual; what was there does not read what is new yet, and learns
to. The idea is that of Net2Net (Chen et al., ICLR 2016); nothing is there twice, so nothing has to be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def grown(weights: Mapping[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Return weights of the size of a network that say what smaller ones say.

    Channels that were there are the first ones in every layer. Of what a flattened map gives to a linear layer that
    holds, too, as channels change slowest.

    Args:
        weights: of a network of the same layers, each of them as large or smaller in each of its dimensions. What has
            another name or form, or is larger, is returned as it is.
        net: whose own weights are what is new; parts of which there are no weights at all have to say nothing at first.
    """
    own = net.state_dict()
    parts = {_part(name) for name in weights}
    new = {name: value for name, value in own.items() if _part(name) not in parts}
    return new | {name: _in_corner(held, own[name]) if name in own else held for name, held in weights.items()}


def _part(name: str) -> str:
    return name.partition(".")[0]


def _in_corner(held: Tensor, own: Tensor) -> Tensor:
    smaller = held.ndim == own.ndim and all(a <= b for a, b in zip(held.shape, own.shape, strict=True))
    if held.shape == own.shape or not smaller:
        return held
    whole = own.clone()
    if held.ndim > 1:
        whole[: held.shape[0], held.shape[1] :] = 0.0
    whole[tuple(slice(0, size) for size in held.shape)] = held
    return whole
