"""The training loop: rates, averaged weights, checkpoints."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.loop import Plan, load_weights, rate_at, save_weights, train  # noqa: E402


def plan(folder: Path) -> Plan:
    return Plan(minutes=1.0, learning_rate=0.05, weight_decay=0.0, clip_norm=10.0, folder=folder)


def clock() -> Callable[[], float]:
    """Return a clock that moves on by 0.1 s each time it is read."""
    ticks = itertools.count()
    return lambda: 0.1 * next(ticks)


def test_the_rate_warms_up_and_falls() -> None:
    assert rate_at(0.0, 0) == pytest.approx(1 / 150)
    assert rate_at(0.0, 149) == pytest.approx(1.0)
    assert rate_at(0.5, 1000) == pytest.approx(0.505)
    assert rate_at(1.0, 1000) == pytest.approx(0.01)


def test_training_lowers_the_loss_and_leaves_averaged_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = torch.nn.Linear(2, 1)
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])

    def losses_at(_: float) -> "dict[str, torch.Tensor]":
        return {"square": ((net(points) - points.sum(1, keepdim=True)) ** 2).mean()}

    before = float(losses_at(0.0)["square"].detach())
    outcome = train(net, plan(tmp_path), losses_at, clock())

    assert float(losses_at(0.0)["square"].detach()) < 0.1 * before
    assert outcome.steps == 300
    with np.load(tmp_path / "last.npz") as saved:
        np.testing.assert_array_equal(saved["weight"], net.weight.detach().numpy())


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path: Path) -> None:
    net = torch.nn.Linear(1, 1)

    with pytest.raises(ValueError) as caught:
        train(net, plan(tmp_path), lambda _: {"broken": net.weight.sum() * torch.nan}, clock())

    assert str(caught.value) == "step 0: expected finite losses, got {'broken': nan}; lower the learning rate"


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    save_weights(torch.nn.Linear(1, 1).state_dict(), tmp_path / "w.npz")

    with pytest.raises(ValueError, match=r"w\.npz: expected the weights of Conv2d; "):
        load_weights(torch.nn.Conv2d(1, 1, 1), tmp_path / "w.npz")
