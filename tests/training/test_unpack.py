"""Batch norms put back into the network that ships: the same numbers, and it is ready to learn on."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_draws import DetectorBatch  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.layers import normalise  # noqa: E402
from training.shipped_weights import read_detector  # noqa: E402
from training.unpack import with_batch_norms  # noqa: E402

MODEL = Path("models/people-shop-480.onnx")


def batch(seed: int) -> DetectorBatch:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (4, 12, 16, 3), np.uint8)
    pictures = coarse.repeat(16, 1).repeat(16, 2)
    corner = rng.uniform(0, 0.7, (6, 2)).astype(np.float32)
    boxes = np.concatenate([corner, corner + np.float32(0.2)], 1)
    return DetectorBatch(pictures, [], boxes, rng.integers(0, 4, 6), None, None, None)


def said(net: DetectorNet, seed: int) -> list["torch.Tensor"]:
    shown = batch(seed)
    pictures = normalise(torch.from_numpy(shown.pictures).permute(0, 3, 1, 2).float())
    with torch.no_grad():
        maps, features = net(pictures)
        known, vectors = net.heads(
            pictures, features, torch.from_numpy(shown.head_boxes), torch.from_numpy(shown.head_rows)
        )
        return [maps, features, known, vectors, *net.faces(known)]


@pytest.fixture(scope="module")
def nets() -> tuple[DetectorNet, DetectorNet]:
    fused = read_detector(MODEL).detector
    return fused, with_batch_norms(fused, map(batch, range(4)))


def test_the_network_says_what_the_file_says(nets: tuple[DetectorNet, DetectorNet]) -> None:
    for wanted, got in zip(*(said(net, 9) for net in nets), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


def test_on_the_pictures_measured_it_learns_from_where_it_was(nets: tuple[DetectorNet, DetectorNet]) -> None:
    """With the norms of the batch itself it still says about the same: the spread was taken where it is applied."""
    fused, net = nets
    learning = net.train()
    got, wanted = said(learning, 1)[0], said(fused, 1)[0]
    net.eval()
    apart = (got - wanted).abs().mean() / wanted.std()
    assert apart < 0.5
    shifted = DetectorNet().train()
    assert (said(shifted, 1)[0] - wanted).abs().mean() / wanted.std() > 2 * apart


def test_every_batch_norm_is_given_back(nets: tuple[DetectorNet, DetectorNet]) -> None:
    norms = [m for m in nets[1].modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) > 20
    assert all((norm.running_var != 1).all() for norm in norms)
