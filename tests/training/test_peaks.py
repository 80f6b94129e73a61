"""Boxes where maps peak: which of two in one place stays."""

import math

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.peaks import first_of_its_place, overlaps, peaks  # noqa: E402

HERE, NEARLY_HERE, THERE = [0.1, 0.1, 0.3, 0.3], [0.12, 0.1, 0.32, 0.3], [0.6, 0.6, 0.8, 0.9]


def test_overlaps_are_of_every_box_with_every_other() -> None:
    iou = overlaps(torch.tensor([[HERE, THERE]]), torch.tensor([[HERE, [0.1, 0.1, 0.2, 0.3], THERE]]))

    torch.testing.assert_close(iou, torch.tensor([[[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]]))


@pytest.mark.parametrize(
    ("scores", "stay"),
    [
        ([0.9, 0.8, 0.7], [1.0, 0.0, 1.0]),
        ([0.7, 0.8, 0.9], [0.0, 1.0, 1.0]),  # whatever their order
        ([0.8, 0.8, 0.8], [1.0, 0.0, 1.0]),
    ],
)
def test_the_surest_of_a_place_stays(scores: list[float], stay: list[float]) -> None:
    told = first_of_its_place(torch.tensor([[HERE, NEARLY_HERE, THERE]]), torch.tensor([scores]), 0.4)

    assert told.tolist() == [stay]


def test_what_overlaps_less_stays_beside() -> None:
    told = first_of_its_place(torch.tensor([[HERE, NEARLY_HERE]]), torch.tensor([[0.9, 0.8]]), 0.9)

    assert told.tolist() == [[1.0, 1.0]]


def test_peaks_are_the_cells_above_their_neighbours_the_surest_first() -> None:
    maps = torch.full((1, 5, 8, 8), math.log(1.0))
    maps[:, 0] = -9.0
    maps[0, 0, 2, 1], maps[0, 0, 2, 2], maps[0, 0, 5, 6] = 1.0, 0.5, 2.0

    boxes, scores = peaks(maps, 2, 0.4)

    torch.testing.assert_close(boxes[0], torch.tensor([[5.5, 4.5, 7.5, 6.5], [0.5, 1.5, 2.5, 3.5]]) / 8)
    torch.testing.assert_close(scores[0], torch.tensor([2.0, 1.0]).sigmoid())
