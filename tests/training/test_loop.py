"""The training loop: rates, averaged weights, checkpoints to go on from, batches that other processes draw."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training import loop  # noqa: E402
from training.loop import Plan, begin, forget_state, load_weights, rate_at, save_weights, train  # noqa: E402

LOSS = "dict[str, torch.Tensor]"


class Stop(Exception):
    """Ends a training from outside."""


def plan(folder: Path, steps: int = 40) -> Plan:
    return Plan(steps, learning_rate=0.05, weight_decay=0.01, clip_norm=10.0, folder=folder, workers=0, warm_up_steps=5)


def batch_at(step: int) -> np.ndarray:
    return np.random.default_rng(step).standard_normal((8, 3)).astype(np.float32)


class Fit:
    """A small network with weights, biases and running means, its losses, and the batches it was given."""

    def __init__(self, stop_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))
        self.given: list[np.ndarray] = []
        self._stop_at = stop_at

    def losses_of(self, batch: "torch.Tensor", elapsed: float) -> LOSS:
        if len(self.given) == self._stop_at:
            raise Stop
        self.given.append(batch.numpy().copy())
        return {"square": (self.net(batch)[:, 0] - batch.sum(1)).square().mean()}

    def weights(self) -> dict[str, list[float]]:
        return {name: value.flatten().tolist() for name, value in self.net.state_dict().items()}


def test_the_rate_warms_up_and_falls_as_a_cosine() -> None:
    assert rate_at(0.0, 0, 200) == pytest.approx(1 / 200)
    assert rate_at(0.0, 199, 200) == rate_at(0.0, 500, 200) == 1.0
    assert rate_at(0.25, 1000, 200) == pytest.approx(0.5 * (1 + 2**-0.5) * 0.99 + 0.01)
    assert rate_at(0.5, 1000, 200) == pytest.approx(0.505)
    assert rate_at(1.0, 1000, 200) == pytest.approx(0.01)


def test_training_lowers_the_loss_and_leaves_averaged_weights(tmp_path: Path) -> None:
    fit = Fit()
    with torch.no_grad():
        before = float(fit.losses_of(torch.from_numpy(batch_at(99)), 0.0)["square"])

    outcome = train(fit.net, plan(tmp_path, 300), batch_at, fit.losses_of)

    with torch.no_grad():
        assert float(fit.losses_of(torch.from_numpy(batch_at(99)), 0.0)["square"]) < 0.1 * before
    assert (outcome.steps, set(outcome.losses)) == (300, {"square"})
    assert not fit.net.training
    with np.load(tmp_path / "last.npz") as saved:
        np.testing.assert_array_equal(saved["0.weight"], fit.net[0].weight.detach().numpy())
    assert {path.name for path in tmp_path.iterdir()} == {"last.npz", "state.npz"}


def test_what_failed_after_the_last_step_takes_no_step_again(tmp_path: Path) -> None:
    fit, again = Fit(), Fit()
    train(fit.net, plan(tmp_path), batch_at, fit.losses_of)

    outcome = train(again.net, plan(tmp_path), batch_at, again.losses_of)

    assert (again.weights(), again.given, outcome.losses) == (fit.weights(), [], {})
    forget_state(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["last.npz"]


@pytest.mark.parametrize("stop_at", [1, 17, 39])
def test_going_on_gives_the_weights_of_a_run_that_was_not_interrupted(
    stop_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", -1.0)
    whole, first, second = Fit(), Fit(stop_at), Fit()
    train(whole.net, plan(tmp_path / "whole"), batch_at, whole.losses_of)

    with pytest.raises(Stop):
        train(first.net, plan(tmp_path / "parts"), batch_at, first.losses_of)
    train(second.net, plan(tmp_path / "parts"), batch_at, second.losses_of)

    np.testing.assert_array_equal(np.concatenate(first.given + second.given), np.concatenate(whole.given))
    assert second.weights() == whole.weights()


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", -1.0)
    fit = Fit(stop_at=3)
    with pytest.raises(Stop):
        train(fit.net, plan(tmp_path), batch_at, fit.losses_of)

    with pytest.raises(ValueError) as caught:
        train(Fit().net, replace(plan(tmp_path), drawn="others"), batch_at, Fit().losses_of)

    assert str(caught.value) == (
        f'{tmp_path / "state.npz"}: expected a checkpoint of [40, 0.05, 0.01, 10.0, "others"], got one of '
        '[40, 0.05, 0.01, 10.0, ""]; '
        "remove it to begin anew, or name another folder with --out"
    )


def test_who_draws_does_not_change_what_is_drawn(tmp_path: Path) -> None:
    alone, helped = Fit(), Fit()

    train(alone.net, plan(tmp_path / "alone", 6), batch_at, alone.losses_of)
    train(helped.net, replace(plan(tmp_path / "helped", 6), workers=2), batch_at, helped.losses_of)

    np.testing.assert_array_equal(helped.given, alone.given)
    assert helped.weights() == alone.weights()


def test_no_steps_keep_the_weights(tmp_path: Path) -> None:
    fit = Fit()
    before = fit.weights()

    outcome = train(fit.net, plan(tmp_path, 0), batch_at, fit.losses_of)

    assert fit.weights() == before
    assert (outcome.steps, outcome.losses, fit.given) == (0, {}, [])


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path: Path) -> None:
    net = torch.nn.Linear(1, 1)

    with pytest.raises(ValueError) as caught:
        train(net, plan(tmp_path), batch_at, lambda *_: {"broken": net.weight.sum() * torch.nan})

    assert str(caught.value) == "step 0: expected finite losses, got {'broken': nan}; lower the learning rate"


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    save_weights(torch.nn.Linear(1, 1).state_dict(), path)

    with pytest.raises(ValueError, match=re.escape(f"{path}: expected the weights of Conv2d; ")):
        load_weights(torch.nn.Conv2d(1, 1, 1), path)


@pytest.mark.parametrize(
    ("init", "take_head", "expected"), [(True, False, [1, 1]), (True, True, [1, 2]), (False, False, [0, 2])]
)
def test_a_network_begins_with_the_weights_it_is_told(
    init: bool, take_head: bool, expected: list[int], tmp_path: Path
) -> None:
    """The first layer is the rest of the network, the second its head branch."""
    net = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    for name, part, value in (("all", net, 1), ("head", net[1], 2)):
        save_weights({key: torch.full_like(kept, value) for key, kept in part.state_dict().items()}, tmp_path / name)
    torch.nn.init.zeros_(net[0].weight)

    begin(net, net[1], tmp_path / "all" if init else None, tmp_path / "head", take_head)

    assert [float(layer.weight.detach()) for layer in net] == expected
