"""Peak picking and head directions of the exported detector, on maps made by hand."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_graph import DetectorGraph, split_yaw  # noqa: E402
from training.detector_net import DetectorNet  # noqa: E402
from training.head_net import HeadNet  # noqa: E402


@pytest.mark.parametrize("yaw_deg", [0.0, 10.0, 44.9, 45.0, 100.0, 180.0, 200.0, 359.0])
def test_scores_times_direction_vectors_point_along_the_yaw(yaw_deg: float) -> None:
    yaw = torch.tensor([math.radians(yaw_deg)], dtype=torch.float64)

    lower, share = split_yaw(torch.sin(yaw), -torch.cos(yaw))

    angles = [math.radians(45 * (float(lower) + k)) for k in (0, 1)]
    shares = [float(share), 1 - float(share)]
    x, y = (sum(s * f(a) for s, a in zip(shares, angles, strict=True)) for f in (math.sin, math.cos))
    turn = math.degrees(math.atan2(x, y)) - yaw_deg
    assert abs((turn + 180) % 360 - 180) < 1e-6
    assert 0 <= shares[0] <= 1


class HandMadeMaps(torch.nn.Module):
    """Two heads 5 cells apart, the first with a weaker double beside it, and no body."""

    def forward(self, picture: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        head = torch.full((len(picture), 5, 4, 8), math.log(1.5))
        head[:, 0] = -9.0
        head[:, 0, 1, 1], head[:, 0, 1, 3], head[:, 0, 2, 6] = 3.0, 2.0, 1.0
        head[:, 1:, 1, 1] = torch.log(torch.tensor([1.5, 1.5, 4.0, 1.5]))
        head[:, 1:, 1, 3] = torch.log(torch.tensor([3.5, 1.5, 2.0, 1.5]))
        body = torch.full((len(picture), 5, 4, 8), -9.0)
        return head, body


def test_peaks_are_boxes_once_each() -> None:
    graph = DetectorGraph(DetectorNet(), HeadNet(), (64, 32), per_class=8).eval()
    graph.detector = HandMadeMaps()

    with torch.no_grad():
        rows = graph(torch.zeros(1, 3, 32, 64))[0].numpy()

    heads = rows[(rows[:, 0] == 7) & (rows[:, 5] > 0.01)]
    np.testing.assert_allclose(heads[:, 5], [1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-1))], rtol=1e-5)
    np.testing.assert_allclose(heads[0, 1:5], [0, 0, (12 + 32) / 64, 24 / 32], atol=1e-6)
    np.testing.assert_allclose(heads[1, 1:5], [40 / 64, 8 / 32, 1, 1], atol=1e-6)
    assert not (rows[(rows[:, 0] == 0), 5] > 0.01).any()
