"""Targets, losses and figures of the gaze model, by hand."""

import math

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.gaze import gaze_losses, target_maps  # noqa: E402
from training.head_net import crop_heads  # noqa: E402


def test_target_map_is_a_bump_that_is_round_in_the_picture() -> None:
    maps = target_maps(torch.tensor([[10.5 / 60, 20.5 / 36]]), 36, 60)

    assert maps.shape == (1, 36, 60)
    assert float(maps[0, 20, 10]) == pytest.approx(1.0, abs=1e-5)
    assert float(maps[0, 21, 10]) == pytest.approx(math.exp(-((1 / 36) ** 2) / (2 * 0.08**2)), abs=1e-5)
    # A cell is as wide as it is high: 480 / 60 = 288 / 36 pixels.
    assert float(maps[0, 20, 11]) == pytest.approx(float(maps[0, 21, 10]), abs=1e-5)


def losses(maps: "torch.Tensor", inside: list[bool], point: tuple[float, float] = (0.5, 0.5)) -> "dict[str, float]":
    heads = len(inside)
    told = gaze_losses(
        maps, torch.zeros(heads), torch.eye(6)[:heads], torch.tensor([point] * heads), torch.tensor(inside),
        torch.eye(6)[:heads],
    )  # fmt: skip
    return {name: float(value) for name, value in told.items()}


def test_losses_of_a_map_that_says_nothing_by_hand() -> None:
    truth = target_maps(torch.tensor([[0.5, 0.5]]), 36, 60)

    told = losses(torch.zeros(1, 36, 60), [True])

    assert told["map"] == pytest.approx(3 * float((math.log(2) * (1 + 4 * truth)).mean()), rel=1e-5)
    assert told["place"] == pytest.approx(0.5 * math.log(36 * 60), rel=1e-5)


def test_a_map_at_the_target_costs_less_than_one_beside_it() -> None:
    there, beside = (20 * target_maps(torch.tensor([[x, 0.5]]), 36, 60) - 10 for x in (0.5, 0.6))

    right, wrong = losses(there, [True]), losses(beside, [True])

    assert right["map"] < wrong["map"]
    assert right["place"] < wrong["place"]


def test_only_heads_whose_target_is_in_the_picture_teach_maps() -> None:
    maps = torch.stack([torch.zeros(36, 60), torch.full((36, 60), 50.0)])

    assert losses(maps, [True, False])["map"] == losses(maps[:1], [True])["map"]


def test_out_of_frame_heads_teach_no_map() -> None:
    losses = gaze_losses(
        torch.zeros(2, 36, 60),
        torch.tensor([0.0, 0.0]),
        torch.eye(6)[:2],
        torch.zeros(2, 2),
        torch.tensor([False, False]),
        torch.eye(6)[:2],
    )

    assert set(losses) == {"in_frame", "vectors"}
    assert float(losses["in_frame"]) == pytest.approx(math.log(2))


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
