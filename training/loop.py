"""The loop that all trainings share: a fixed time, a cosine rate, averaged weights, checkpoints, a log line."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

_WARM_UP_STEPS = 150
_LAST_RATE = 0.01
_AVERAGE_DECAY = 0.998
_LOG_SECONDS = 30.0
_CHECKPOINT_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    minutes: float
    """Wall time; the learning rate falls to almost zero over it. 0 keeps the weights as they are."""
    learning_rate: float
    """Rate after the warm-up. AdamW."""
    weight_decay: float
    clip_norm: float
    """Largest norm of the gradient of one step."""
    folder: Path
    """Where checkpoints go: `last.npz` (averaged weights)."""


@dataclass(frozen=True)
class Outcome:
    """What a training did."""

    steps: int
    hours: float
    losses: dict[str, float]
    """Running means at the end."""


def train(
    net: nn.Module,
    plan: Plan,
    losses_at: Callable[[float], Mapping[str, Tensor]],
    now_s: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Train until the time is over and leave the averaged weights in the net.

    Args:
        net: the network; only parameters that require gradients change.
        plan: time and rates.
        losses_at: draws a batch and returns its weighted losses, which are summed; gets the elapsed part, 0..1.
        now_s: the clock.

    Raises:
        ValueError: a loss is not finite.
    """
    net.train()
    weights = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    average = {name: value.detach().clone() for name, value in net.state_dict().items()}
    running: dict[str, float] = {}
    begin = now_s()
    logged = saved = begin
    steps = 0
    while (spent_s := now_s() - begin) < 60.0 * plan.minutes:
        elapsed = spent_s / (60.0 * plan.minutes)
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * rate_at(elapsed, steps)
        losses = losses_at(elapsed)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            parts = {name: float(value.detach()) for name, value in losses.items()}
            raise ValueError(f"step {steps}: expected finite losses, got {parts}; lower the learning rate")
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(weights, plan.clip_norm)
        optimiser.step()
        steps += 1
        _follow(average, net, min(_AVERAGE_DECAY, (1 + steps) / (10 + steps)))
        for name, value in losses.items():
            latest = float(value.detach())
            running[name] = 0.98 * running.get(name, latest) + 0.02 * latest
        now = now_s()
        if now - logged > _LOG_SECONDS:
            logged = now
            logger.info("%5.1f min, step %d, %s", (now - begin) / 60, steps, _text(running))
        if now - saved > _CHECKPOINT_SECONDS:
            saved = now
            save_weights(average, plan.folder / "last.npz")
    net.load_state_dict(average)
    save_weights(average, plan.folder / "last.npz")
    net.eval()
    return Outcome(steps, (now_s() - begin) / 3600, {name: round(v, 4) for name, v in running.items()})


def rate_at(elapsed: float, step: int) -> float:
    """Return the factor of the learning rate: linear warm-up over the first steps, then a cosine down to 1 %."""
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * (
        0.5 * (1 + math.cos(math.pi * elapsed)) * (1 - _LAST_RATE) + _LAST_RATE
    )


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights as .npz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **{name: value.numpy() for name, value in weights.items()})
    part.replace(path)


def load_weights(net: nn.Module, path: Path, part: str = "") -> None:
    """Read weights that save_weights wrote.

    Args:
        net: takes the weights.
        path: the .npz file.
        part: name of a part of a larger network; if the file holds such a part, its weights are taken.

    Raises:
        ValueError: the file holds other names or shapes than the net.
    """
    with np.load(path, allow_pickle=False) as file:
        inner = [name for name in file.files if part and name.startswith(f"{part}.")]
        weights = {name.removeprefix(f"{part}."): torch.from_numpy(file[name]) for name in inner or file.files}
    try:
        net.load_state_dict(weights)
    except RuntimeError as exc:
        raise ValueError(f"{path}: expected the weights of {type(net).__name__}; {exc}") from exc


def _follow(average: dict[str, Tensor], net: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                average[name].lerp_(value, 1.0 - decay)
            else:
                average[name].copy_(value)


def _text(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
