"""A larger network says what a smaller one says, and can learn more."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_net import DetectorNet  # noqa: E402
from training.growth import grown  # noqa: E402
from training.head_net import HeadNet  # noqa: E402
from training.loop import begin, load_weights, save_weights  # noqa: E402

SMALL, LARGE = (8, 8, 8, 16, 16), (8, 12, 8, 24, 16)
CROPS = "torch.Tensor"


def settled(net: "torch.nn.Module") -> "torch.nn.Module":
    """Give the batch norms of a network statistics that are not those it begins with."""
    torch.manual_seed(1)
    for norm in (module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        for kept in (norm.weight.data, norm.running_var):
            kept.uniform_(0.5, 2.0)
        for kept in (norm.bias.data, norm.running_mean):
            kept.normal_()
    return net.eval()


@pytest.fixture
def crops() -> CROPS:
    return torch.randn(3, 3, 48, 48, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def small() -> HeadNet:
    torch.manual_seed(0)
    return settled(HeadNet(SMALL))


def test_a_larger_network_says_the_same(small: HeadNet, crops: CROPS, tmp_path: Path) -> None:
    large = settled(HeadNet(LARGE))
    save_weights(small.state_dict(), tmp_path / "small.npz")

    load_weights(large, tmp_path / "small.npz", grow=True)

    with torch.no_grad():
        for told, before in zip(large(crops), small(crops), strict=True):
            torch.testing.assert_close(told, before, rtol=1e-4, atol=1e-4)


def test_what_is_new_has_weights_and_learns(small: HeadNet, crops: CROPS) -> None:
    large = HeadNet(LARGE)
    large.load_state_dict(grown(small.state_dict(), large))
    second = large.features[1][0].weight  # 8 to 12 channels
    third = large.features[2][0].weight  # what reads them
    assert second.detach()[8:].abs().sum() > 0
    assert third.detach()[:, 8:].abs().sum() == 0

    large(crops)[1].square().sum().backward()

    assert third.grad[:, 8:].abs().sum() > 0


def test_a_part_that_is_new_begins_as_it_is(tmp_path: Path) -> None:
    old, net = DetectorNet().state_dict(), DetectorNet()
    before = net.again.trust.detach().clone()
    without = {name: value for name, value in old.items() if not name.startswith("again.")}
    save_weights(without, tmp_path / "old.npz")

    begin(net, net.heads.head_net, tmp_path / "old.npz", tmp_path / "none.npz", False)

    assert torch.equal(net.again.trust, before)
    assert torch.equal(net.maps.weight, old["maps.weight"])


def test_a_part_that_lacks_something_is_refused(tmp_path: Path) -> None:
    weights = DetectorNet().state_dict()
    del weights["again.trust"]
    save_weights(weights, tmp_path / "torn.npz")

    with pytest.raises(ValueError, match=r"Missing key.*again\.trust"):
        load_weights(DetectorNet(), tmp_path / "torn.npz", grow=True)


def test_a_network_never_shrinks(small: HeadNet, tmp_path: Path) -> None:
    save_weights(HeadNet(LARGE).state_dict(), tmp_path / "large.npz")

    with pytest.raises(ValueError, match="expected the weights of HeadNet"):
        load_weights(small, tmp_path / "large.npz", grow=True)


def test_weights_of_another_size_are_refused_where_nothing_is_to_grow(small: HeadNet, tmp_path: Path) -> None:
    save_weights(small.state_dict(), tmp_path / "small.npz")

    with pytest.raises(ValueError, match="expected the weights of HeadNet"):
        load_weights(HeadNet(LARGE), tmp_path / "small.npz")


def test_the_head_branch_of_the_detector_begins_with_a_head_network(crops: CROPS, tmp_path: Path) -> None:
    head, net = settled(HeadNet()), DetectorNet().eval()
    save_weights(head.state_dict(), tmp_path / "head.npz")

    begin(net, net.heads.head_net, None, tmp_path / "head.npz", False)

    with torch.no_grad():
        torch.testing.assert_close(net.heads.head_net(crops)[1], head(crops)[1], rtol=1e-4, atol=1e-4)
