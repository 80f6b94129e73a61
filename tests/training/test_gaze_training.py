"""Targets, losses and figures of the gaze model, by hand."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.gaze import gaze_losses, target_maps  # noqa: E402
from training.gaze_net import GazeGraph, GazeNet  # noqa: E402
from training.head_net import crop_heads, vector_loss  # noqa: E402
from training.measure_gaze import auc, average_precision  # noqa: E402


def test_target_map_is_a_bump_of_three_cells() -> None:
    maps = target_maps(torch.tensor([[10.5 / 64, 20.5 / 64]]))

    assert float(maps[0, 20, 10]) == 1
    assert float(maps[0, 20, 13]) == pytest.approx(math.exp(-0.5))
    assert float(maps[0, 21, 10]) == pytest.approx(0.945959, abs=1e-6)


def test_out_of_frame_heads_teach_no_map() -> None:
    losses = gaze_losses(
        torch.zeros(2, 64, 64),
        torch.tensor([0.0, 0.0]),
        torch.eye(6)[:2],
        torch.zeros(2, 2),
        torch.tensor([False, False]),
        torch.eye(6)[:2],
    )

    assert set(losses) == {"in_frame", "vectors"}
    assert float(losses["in_frame"]) == pytest.approx(math.log(2))


def test_vector_loss_by_hand() -> None:
    wanted = torch.tensor([[1.0, 0, 0, 0, 1, 0]])

    same = vector_loss(wanted, wanted)
    turned = vector_loss(torch.tensor([[0.0, 1, 0, 0, 1, 0]]), wanted)

    assert float(same) == pytest.approx(0.0, abs=1e-6)
    assert float(turned) == pytest.approx(1.0 + 2 / 6, abs=1e-6)


def test_crops_are_cut_about_their_boxes() -> None:
    pictures = torch.zeros(2, 3, 96, 160)
    pictures[1, :, 40:60, 70:90] = 1.0
    boxes = torch.tensor([[70 / 160, 40 / 96, 90 / 160, 60 / 96]]).repeat(2, 1)

    crops = crop_heads(pictures, boxes, torch.tensor([0, 1]))

    assert crops.shape == (2, 3, 48, 48)
    assert float(crops[0].abs().max()) == 0
    lit = crops[1, 0] > 0.5
    assert (int(lit.any(0).sum()), int(lit.any(1).sum())) == (34, 34)  # 48 / 1.44, the edges halved
    assert float(crops[1, 0, 24, 24]) == 1


def test_heads_do_not_see_each_other() -> None:
    graph = GazeGraph(GazeNet().eval())
    boxes = torch.tensor([[[0.1, 0.1, 0.2, 0.3], [0.5, 0.5, 0.6, 0.7]]])
    picture = torch.rand(1, 3, 288, 480) * 255

    with torch.no_grad():
        both, alone = graph(picture, boxes), graph(picture, boxes[:, 1:])

    torch.testing.assert_close(both[0][1:], alone[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(both[1][1:], alone[1], atol=1e-5, rtol=0)


def test_auc_is_one_for_the_target_square_and_half_for_nothing() -> None:
    square = np.zeros((64, 64), np.float32)
    square[23:42, 23:42] = 1

    assert auc(square, np.array([0.5, 0.5], np.float32)) == 1
    assert auc(np.zeros((64, 64), np.float32), np.array([0.5, 0.5], np.float32)) == 0.5


def test_average_precision_by_hand() -> None:
    positive = np.array([True, False, True, False])

    assert average_precision(positive, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(0.5 + 0.5 * 2 / 3)
