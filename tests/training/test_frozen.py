"""What is frozen keeps its weights and its statistics while the rest learns."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import still_rows  # noqa: E402
from training.batches import CPU  # noqa: E402
from training.detector import all_but_heads, draws_of, losses_by  # noqa: E402
from training.detector_draws import DetectorDraws  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.draws import Draws  # noqa: E402
from training.frozen import freeze, train_mode  # noqa: E402
from training.head_net import HeadNet  # noqa: E402
from training.loop import Plan, train  # noqa: E402


def test_what_is_frozen_keeps_weights_and_statistics() -> None:
    net = HeadNet((8, 8, 8, 16, 16))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    freeze(net.features[0], net.features[1])

    train_mode(net)
    net(torch.randn(3, 3, 48, 48))[1].square().sum().backward()
    with torch.no_grad():
        for weight in net.parameters():
            if weight.grad is not None:
                weight -= weight.grad

    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(("features.0.", "features.1.")) for name in changed)
    assert {"features.2.1.running_mean", "features.2.0.weight", "vectors.weight"} <= changed


def test_where_directions_learn_alone_more_heads_are_shown() -> None:
    shown = Draws([still_rows(4, people=2)], 0)
    usual, alone = (draws_of(shown, 10, 0, only_heads=only) for only in (False, True))

    assert (usual.most_heads, usual.small_until) == (4, 0.3)
    assert (alone.most_heads, alone.small_until) == (12, 0.0)


def test_what_tells_of_heads_learns_alone(tmp_path: Path) -> None:
    net = DetectorNet()
    net.maps.bias.data.zero_()  # takes something for heads
    freeze(*all_but_heads(net))
    draws = DetectorDraws(Draws([still_rows(4, people=2)], 0), 2, 2, 0)
    before = {name: value.clone() for name, value in net.state_dict().items()}

    train(net, Plan(2, 1e-3, 0.01, 10.0, tmp_path, workers=0, warm_up_steps=1), draws, losses_by(net, CPU))

    changed = {name.split(".")[0] for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"heads", "faces", "again"}
