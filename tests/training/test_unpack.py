"""Batch norms put back into the network that ships: the same numbers, and it is ready to learn on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training import detector, gaze  # noqa: E402
from training.cards import DETECTOR_FILE, GAZE_FILE  # noqa: E402
from training.detector_draws import DetectorBatch  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.gaze_draws import GazeBatch  # noqa: E402
from training.gaze_net import GazeNet  # noqa: E402
from training.second_look_loss import TrueHeads  # noqa: E402
from training.shipped_weights import read_detector, read_gaze  # noqa: E402
from training.unpack import put_batch_norms_back  # noqa: E402

MODELS = Path("models")


def batch(seed: int) -> DetectorBatch:
    pictures, boxes, rows = drawn(seed, 12, 16)
    everybody = TrueHeads(boxes, rows, np.ones(len(boxes), bool))
    return DetectorBatch(pictures, [], everybody, boxes, np.zeros(len(boxes), np.float32), rows, None, None, None)


def gaze_batch(seed: int) -> GazeBatch:
    pictures, boxes, rows = drawn(seed, 18, 30)
    return GazeBatch(pictures, boxes, rows, None, None, None)


def drawn(seed: int, high: int, wide: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return four pictures of coarse squares, six boxes, and whose they are."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (4, high, wide, 3), np.uint8)
    corner = rng.uniform(0, 0.7, (6, 2)).astype(np.float32)
    boxes = np.concatenate([corner, corner + np.float32(0.2)], 1)
    return coarse.repeat(16, 1).repeat(16, 2), boxes, rng.integers(0, 4, 6)


@dataclass
class Nets:
    """A network of a file that ships as it is read, the one with batch norms, and one that knows nothing."""

    fused: torch.nn.Module
    net: torch.nn.Module
    fresh: torch.nn.Module
    said: Callable[[torch.nn.Module, int], Sequence[torch.Tensor]]
    """What a network tells of the batch of a seed."""


@pytest.fixture(scope="module", params=["detector", "gaze"])
def nets(request: pytest.FixtureRequest) -> Nets:
    if request.param == "detector":
        fused, net, fresh = read_detector(MODELS / DETECTOR_FILE).detector, DetectorNet(), DetectorNet()
        put_batch_norms_back(net, fused, detector.show, map(batch, range(4)))
        return Nets(fused, net, fresh, lambda one, seed: detector.show(one, batch(seed))[:4])
    fused, net, fresh = read_gaze(MODELS / GAZE_FILE, "--gaze").net, GazeNet(), GazeNet()
    put_batch_norms_back(net, fused, gaze.show, map(gaze_batch, range(4)))
    return Nets(fused, net, fresh, lambda one, seed: gaze.show(one, gaze_batch(seed)))


@torch.no_grad()
def test_the_network_says_what_the_file_says(nets: Nets) -> None:
    for wanted, got in zip(nets.said(nets.fused, 9), nets.said(nets.net, 9), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_on_the_pictures_measured_it_learns_from_where_it_was(nets: Nets) -> None:
    """With the norms of the batch itself it still says about the same: the spread was taken where it is applied."""
    wanted = nets.said(nets.fused, 1)[0]
    got = nets.said(nets.net.train(), 1)[0]
    nets.net.eval()
    apart = (got - wanted).abs().mean() / wanted.std()
    assert apart < 0.5
    assert (nets.said(nets.fresh.train(), 1)[0] - wanted).abs().mean() / wanted.std() > 2 * apart


def test_every_batch_norm_is_given_back(nets: Nets) -> None:
    norms = [m for m in nets.net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) > 20
    assert all((norm.running_var != 1).all() for norm in norms)
