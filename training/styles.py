"""Change the style of what a network sees while it learns, so that it goes by shapes and not by contrast and colour.

Rendered heads are all drawn by one hand: the statistics of the first features say which hand, and real cameras have
others. So these are drawn anew now and then, as far off as those of one head are from those of another: DSU (Li et al.,
Uncertainty Modeling for Out-of-Distribution Generalization, ICLR 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor

_PART = 0.5
"""Of crops whose style is changed."""
_GAIN = (0.2, 3.0)
"""Least and largest change of contrast; crops that are nearly even could be changed by any."""
_LEAST_VARIANCE = 1e-6


def restyled(features: Tensor) -> Tensor:
    """Return features (M, C, h, w) of M > 1 crops, in half of them the mean and the spread of each channel drawn anew.

    The mean of a channel in a crop moves by a normal number times the standard deviation of that mean over the crops,
    its spread by one times that of the spreads.
    """
    with torch.no_grad():
        own = features.float()
        mean = own.mean((2, 3), keepdim=True)
        spread = (own.var((2, 3), keepdim=True) + _LEAST_VARIANCE).sqrt()
        chosen = (torch.rand(len(own), 1, 1, 1, device=own.device) < _PART).float()
        gain = 1.0 + chosen * torch.randn_like(spread) * spread.std(0, keepdim=True) / spread
        shift = chosen * torch.randn_like(mean) * mean.std(0, keepdim=True)
        gain = gain.clamp(*_GAIN)
        level = mean + shift - mean * gain
    return features * gain.to(features.dtype) + level.to(features.dtype)
