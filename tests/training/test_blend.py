"""The mean of two networks: of their weights as they are, of their batch norms as stills give them."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.blend import between, blend  # noqa: E402
from training.detector import show  # noqa: E402
from training.detector_draws import DetectorBatch  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.layers import normalise  # noqa: E402
from training.loop import save_weights  # noqa: E402
from training.second_look_loss import TrueHeads  # noqa: E402


def batch(seed: int) -> DetectorBatch:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 255, (2, 64, 96, 3), np.uint8)
    boxes = np.array([[0.2, 0.1, 0.5, 0.6], [0.4, 0.3, 0.8, 0.9]], np.float32)
    everybody = TrueHeads(boxes, np.array([0, 1]), np.array([True, True]))
    return DetectorBatch(pictures, [], everybody, boxes, np.zeros(2, np.float32), np.array([0, 1]), None, None, None)


def made(seed: int) -> DetectorNet:
    torch.manual_seed(seed)
    return DetectorNet()


@pytest.fixture
def blended(tmp_path: Path) -> tuple[DetectorNet, DetectorNet, DetectorNet]:
    """Return two networks and what becomes of the first when the second is blended in."""
    one, other, net = made(1), made(2), made(1)
    save_weights(other.state_dict(), tmp_path / "other.npz")
    blend(net, tmp_path / "other.npz", show, map(batch, range(3)))
    return one, other, net


def test_weights_are_halfway(blended: tuple[DetectorNet, DetectorNet, DetectorNet]) -> None:
    one, other, net = (dict(part.named_parameters()) for part in blended)

    assert one.keys() == net.keys()
    for name, weight in net.items():
        torch.testing.assert_close(weight, (one[name] + other[name]) / 2)
    assert any(not torch.equal(weight, one[name]) for name, weight in net.items())


def test_batch_norms_are_those_of_the_stills(blended: tuple[DetectorNet, DetectorNet, DetectorNet]) -> None:
    net = blended[2]
    first = next(module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d))
    convolution = next(module for module in net.modules() if isinstance(module, torch.nn.Conv2d))

    means = []
    with torch.no_grad():
        for seed in range(3):
            pictures = normalise(torch.from_numpy(batch(seed).pictures).permute(0, 3, 1, 2).float())
            means.append(convolution(pictures).mean((0, 2, 3)))

    torch.testing.assert_close(first.running_mean, torch.stack(means).mean(0), rtol=1e-3, atol=1e-4)
    assert int(first.num_batches_tracked) == 3
    assert {norm.momentum for norm in net.modules() if isinstance(norm, torch.nn.BatchNorm2d)} == {0.1}


def test_parts_that_are_alike_stay_as_they_are(tmp_path: Path) -> None:
    one, other = made(1), made(1)
    with torch.no_grad():
        next(other.heads.parameters()).add_(0.1)
    save_weights(other.state_dict(), tmp_path / "other.npz")
    before = {name: value.clone() for name, value in one.state_dict().items()}

    blend(one, tmp_path / "other.npz", show, map(batch, range(2)))

    changed = {name.split(".")[0] for name, value in one.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"heads"}


def test_other_weights_are_refused(tmp_path: Path) -> None:
    save_weights({"other": torch.zeros(3)}, tmp_path / "other.npz")

    with pytest.raises(ValueError, match="expected the weights of DetectorNet"):
        blend(made(1), tmp_path / "other.npz", show, [])


def test_weights_between_two_are_on_the_way() -> None:
    begun = {"a": torch.tensor([0.0, 2.0]), "count": torch.tensor(3)}
    learnt = {"a": torch.tensor([1.0, 4.0]), "count": torch.tensor(5)}

    made_of = {part: between(begun, learnt, part) for part in (0.0, 0.25, 1.0)}

    assert {part: weights["a"].tolist() for part, weights in made_of.items()} == {
        0.0: [0, 2], 0.25: [0.25, 2.5], 1.0: [1, 4]
    }  # fmt: skip
    assert {int(weights["count"]) for weights in made_of.values()} == {5}
