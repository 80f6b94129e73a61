"""The loop that all trainings share: so many steps, a cosine rate, averaged weights, checkpoints to go on from."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from training.frozen import train_mode
from training.growth import grown

logger = logging.getLogger(__name__)

_LAST_RATE = 0.01
_AVERAGE_DECAY = 0.9985
_LOG_SECONDS = 60.0
_CHECKPOINT_SECONDS = 180.0
_AHEAD = 3
_WEIGHTS, _STATE = "last.npz", "state.npz"


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    """The learning rate falls to almost zero over them. 0 keeps the weights as they are."""
    learning_rate: float
    """Rate after the warm-up. AdamW."""
    weight_decay: float
    clip_norm: float
    """Largest norm of the gradient of one step."""
    folder: Path
    """Where checkpoints go: `last.npz` (averaged weights) and, until `forget_state`, `state.npz` to go on from."""
    workers: int = 1
    """Processes that draw batches ahead; 0: none. What is drawn does not depend on it."""
    warm_up_steps: int = 200
    """Over so many first steps the rate rises to the learning rate."""
    drawn: str = ""
    """Sets and seed, in words; a checkpoint of others is refused."""


@dataclass(frozen=True)
class Outcome:
    """What a training did."""

    steps: int
    hours: float
    """Of all sessions together."""
    losses: dict[str, float]
    """Running means at the end; none where the last steps were taken before."""


def train(
    net: nn.Module,
    plan: Plan,
    batch_at: Callable[[int], Any],
    losses_of: Callable[[Any, float], Mapping[str, Tensor]],
) -> Outcome:
    """Train for all steps and leave the averaged weights in the net; go on from a checkpoint of the same plan.

    The last checkpoint stays until `forget_state`: an error in what is made of the weights costs no training.

    Args:
        net: the network; only parameters that require gradients change, and statistics beside such.
        plan: steps and rates.
        batch_at: draws the batch of a step, arrays and nothing else; may run in other processes.
        losses_of: takes a batch and the elapsed part, 0..1, and returns its weighted losses, which are summed.

    Raises:
        ValueError: a loss is not finite, or a checkpoint is of another plan.
    """
    train_mode(net)
    weights = [p for p in net.parameters() if p.requires_grad]
    decayed = [p for p in weights if p.ndim > 1]
    groups = [
        {"params": decayed, "weight_decay": plan.weight_decay},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate)
    average = {name: value.detach().clone() for name, value in net.state_dict().items()}
    state_path = plan.folder / _STATE
    first, before_s = _go_on(state_path, plan, net, optimiser, average)
    begin = logged = saved = time.monotonic()
    running: dict[str, float] = {}
    for step, batch in zip(range(first, plan.steps), _batches(batch_at, first, plan), strict=True):
        for group in optimiser.param_groups:
            group["lr"] = plan.learning_rate * rate_at(step / plan.steps, step, plan.warm_up_steps)
        losses = losses_of(batch, step / plan.steps)
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            parts = {name: float(value.detach()) for name, value in losses.items()}
            raise ValueError(f"step {step}: expected finite losses, got {parts}; lower the learning rate")
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(weights, plan.clip_norm)
        optimiser.step()
        _follow(average, net, min(_AVERAGE_DECAY, (2 + step) / (11 + step)))
        for name, value in losses.items():
            latest = float(value.detach())
            running[name] = 0.98 * running.get(name, latest) + 0.02 * latest
        now = time.monotonic()
        if now - logged > _LOG_SECONDS:
            logged = now
            logger.info("step %d of %d, %.0f ms a step, %s", step + 1, plan.steps,
                        1e3 * (now - begin) / (step + 1 - first), _text(running))  # fmt: skip
        if now - saved > _CHECKPOINT_SECONDS:
            saved = now
            save_weights(average, plan.folder / _WEIGHTS)
            _save_state(state_path, plan, net, optimiser, average, step + 1, before_s + now - begin)
    save_weights(average, plan.folder / _WEIGHTS)
    _save_state(state_path, plan, net, optimiser, average, plan.steps, before_s + time.monotonic() - begin)
    net.load_state_dict(average)
    net.eval()
    hours = (before_s + time.monotonic() - begin) / 3600
    return Outcome(plan.steps, hours, {name: round(v, 4) for name, v in running.items()})


def forget_state(folder: Path) -> None:
    """Remove the checkpoint of a training whose weights have become what they were trained for."""
    (folder / _STATE).unlink(missing_ok=True)


def rate_at(elapsed: float, step: int, warm_up_steps: int) -> float:
    """Return the factor of the learning rate: linear warm-up over the first steps, then a cosine down to 1 %."""
    return min(1.0, (step + 1) / warm_up_steps) * (
        0.5 * (1 + math.cos(math.pi * elapsed)) * (1 - _LAST_RATE) + _LAST_RATE
    )


def save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    """Write weights as .npz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **{name: value.detach().cpu().numpy() for name, value in weights.items()})
    part.replace(path)


def load_weights(net: nn.Module, path: Path, *, grow: bool = False) -> None:
    """Read weights that save_weights wrote; with `grow` of a smaller network, too, which the net then repeats.

    Raises:
        ValueError: the file holds other names or shapes than the net.
    """
    with np.load(path, allow_pickle=False) as file:
        weights = {name: torch.from_numpy(file[name]) for name in file.files}
    try:
        net.load_state_dict(grown(weights, net) if grow else weights)
    except RuntimeError as exc:
        raise ValueError(f"{path}: expected the weights of {type(net).__name__}; {exc}") from exc


def begin(net: nn.Module, head_net: nn.Module, init: Path | None, head: Path, take_head: bool) -> None:
    """Give a network the weights to begin with: all those of `init`, or in its head branch those of `head`.

    With `take_head` the head branch begins with those of `head`, although there is an `init`. Weights may be of a
    smaller network: what is said is the same.

    Raises:
        ValueError: a file holds other names or shapes than the net.
    """
    if init:
        load_weights(net, init, grow=True)
    if take_head or not init:
        load_weights(head_net, head, grow=True)


class _Steps(Dataset[Any]):
    """The batches of the steps from `first` on, as a data set of torch."""

    def __init__(self, batch_at: Callable[[int], Any], first: int, count: int) -> None:
        self._batch_at, self._first, self._count = batch_at, first, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Any:
        return self._batch_at(self._first + index)


def _batches(batch_at: Callable[[int], Any], first: int, plan: Plan) -> Iterator[Any]:
    if first >= plan.steps:
        return iter(())
    ahead = {"prefetch_factor": _AHEAD} if plan.workers else {}
    steps = _Steps(batch_at, first, plan.steps - first)
    return iter(DataLoader(steps, batch_size=None, num_workers=plan.workers, **ahead))


def _words(plan: Plan) -> str:
    return json.dumps([plan.steps, plan.learning_rate, plan.weight_decay, plan.clip_norm, plan.drawn])


def _save_state(
    path: Path,
    plan: Plan,
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: Mapping[str, Tensor],
    step: int,
    spent_s: float,
) -> None:
    """Write all that the next step depends on."""
    arrays = {f"net/{name}": value for name, value in net.state_dict().items()}
    arrays |= {f"average/{name}": value for name, value in average.items()}
    for number, kept in optimiser.state_dict()["state"].items():
        arrays |= {f"adam/{number}/{name}": value for name, value in kept.items()}
    facts = {"step": torch.tensor(step), "spent_s": torch.tensor(spent_s)}
    part = path.with_suffix(".part.npz")
    flat = {name: value.detach().cpu().numpy() for name, value in (arrays | facts).items()}
    np.savez(part, plan=np.array(_words(plan)), **flat)
    part.replace(path)


def _go_on(
    path: Path, plan: Plan, net: nn.Module, optimiser: torch.optim.Optimizer, average: dict[str, Tensor]
) -> tuple[int, float]:
    """Read a checkpoint if there is one; return the next step and the seconds spent before."""
    if not path.exists():
        return 0, 0.0
    with np.load(path, allow_pickle=False) as file:
        if str(file["plan"]) != _words(plan):
            raise ValueError(
                f"{path}: expected a checkpoint of {_words(plan)}, got one of {file['plan']}; remove it to begin anew, "
                "or name another folder with --out"
            )
        held = {name: torch.from_numpy(file[name]) for name in file.files if name != "plan"}
    net.load_state_dict({name[4:]: value for name, value in held.items() if name.startswith("net/")})
    for name, value in average.items():
        value.copy_(held[f"average/{name}"])
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in held.items():
        if name.startswith("adam/"):
            _, number, what = name.split("/")
            moments.setdefault(int(number), {})[what] = value
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    logger.info("%s: going on at step %d", path, int(held["step"]))
    return int(held["step"]), float(held["spent_s"])


def _follow(average: dict[str, Tensor], net: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                average[name].lerp_(value, 1.0 - decay)
            else:
                average[name].copy_(value)


def _text(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
