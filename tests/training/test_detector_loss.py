"""Targets and losses of the detector, by hand."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_loss import (  # noqa: E402
    ClassTargets,
    box_loss,
    centre_loss,
    class_targets,
    generalised_iou,
)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def tensors(targets: ClassTargets) -> ClassTargets:
    return ClassTargets(*map(torch.from_numpy, targets))


def test_a_head_is_a_centre_and_its_box() -> None:
    targets = class_targets([boxes((0.25, 0.25, 0.5, 0.5))], [np.ones(1)], (64, 64), 8.0)

    assert targets.heat[0, 3, 3] == 1
    assert targets.heat[0, 3, 4] == pytest.approx(math.exp(-1 / (2 * 0.7**2)))
    assert (targets.cells.tolist(), targets.weights.tolist()) == ([[0, 3, 3]], [1.0])
    assert targets.boxes.tolist() == [[16, 16, 32, 32]]
    assert targets.counted.min() == 1


def test_a_large_head_learns_from_the_cells_beside_its_centre_too() -> None:
    targets = class_targets([boxes((0.25, 0.25, 0.75, 0.75))], [np.ones(1)], (64, 64), 8.0)

    assert len(targets.cells) == 9
    assert sorted(targets.weights.tolist()) == pytest.approx([0.4] * 8 + [1.0])


def test_what_is_not_there_is_left_out() -> None:
    some = boxes((0.5, 0.5, 0.5, 0.8), (np.nan, np.nan, np.nan, np.nan))

    targets = class_targets([some], [np.ones(2)], (64, 64), 8.0)

    assert (len(targets.cells), float(targets.heat.max()), float(targets.counted.min())) == (0, 0.0, 1.0)


def test_hidden_and_tiny_heads_are_not_judged() -> None:
    some = boxes((0.0, 0.0, 0.25, 0.25), (0.5, 0.5, 0.55, 0.55))

    targets = class_targets([some], [np.array([0.1, 1.0])], (64, 64), 8.0)

    assert (len(targets.cells), float(targets.heat.max())) == (0, 0.0)
    assert targets.counted[0].sum() == 64 - 9 - 1


def test_centre_loss_by_hand() -> None:
    logits = torch.zeros(1, 1, 3)
    heat = torch.tensor([[[1.0, 0.5, 0.0]]])
    counted = torch.tensor([[[1.0, 1.0, 0.0]]])

    loss = centre_loss(logits, heat, counted)

    assert float(loss) == pytest.approx(0.25 * math.log(2) + 0.5**4 * 0.25 * math.log(2))


def test_generalised_iou_by_hand() -> None:
    first = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 2, 2]])
    second = torch.tensor([[0.0, 0, 2, 2], [2, 0, 3, 1], [1, 0, 3, 2]])

    assert generalised_iou(first, second).tolist() == pytest.approx([1.0, -1 / 3, 1 / 3])


def test_box_loss_is_nothing_for_exact_boxes_and_without_boxes() -> None:
    targets = class_targets([boxes((0.25, 0.25, 0.5, 0.5))], [np.ones(1)], (64, 64), 8.0)
    maps = torch.zeros(1, 5, 8, 8)
    # centre of cell 3 is 28 px: 12 px to the left and top, 4 px to the right and bottom
    maps[0, 1:, 3, 3] = torch.log(torch.tensor([12.0, 12.0, 4.0, 4.0]) / 8)

    exact = box_loss(maps, tensors(targets))
    empty = box_loss(maps, tensors(class_targets([boxes()], [np.ones(0)], (64, 64), 8.0)))

    assert float(exact) == pytest.approx(0.0, abs=1e-5)
    assert float(empty) == 0.0
