"""Detectors with random weights: counts, rows by hand, suppression, and what the written files do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.architectures.box_decoder import BINS, moved, steps_of_edges  # noqa: E402
from training.architectures.deim import CLASSES, DeimModel  # noqa: E402
from training.architectures.names import architectures  # noqa: E402
from training.architectures.plain_detectors import Suppression, cells  # noqa: E402
from training.architectures.resnet import ResNet  # noqa: E402
from training.architectures.rotations import angles_deg, rotations  # noqa: E402
from training.architectures.write import random_inputs, random_network  # noqa: E402
from training.export import check_against_torch, one_thread_session  # noqa: E402

KNOWN = architectures()
ATTO = "deimv2-wholebody34-atto"


def count(network: "torch.nn.Module") -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("size", "published"),
    [("atto", 0.5), ("femto", 1.0), ("pico", 1.5), ("n", 3.6), ("s", 9.7), ("x-680", 50.3)],
)
def test_deim_is_about_as_large_as_published(size: str, published: float) -> None:
    with torch.device("meta"):
        assert count(KNOWN[f"deimv2-wholebody34-{size}"].build()) / 1e6 == pytest.approx(published, rel=0.1)


@pytest.mark.parametrize(("depth", "wanted"), [(18, 11_176_512), (34, 21_284_672), (50, 23_508_032)])
def test_resnets_have_the_parameters_that_are_known(depth: int, wanted: int) -> None:
    with torch.device("meta"):
        assert count(ResNet(depth)) == wanted


def test_privigaze_student_is_about_as_large_as_told() -> None:
    assert 70_000 < count(KNOWN["privigaze-student"].build()) < 95_000


def test_edges_move_by_steps_that_are_denser_near_none() -> None:
    steps = steps_of_edges()

    assert len(steps) == BINS + 1
    torch.testing.assert_close(steps, -steps.flip(0))
    assert float(steps[-1]) == 1 and float(steps[-2]) == pytest.approx(0.25 * (3 ** (30 / 30) - 1))
    assert (steps.diff() > 0).all()
    assert float(steps[17]) == pytest.approx(0.25 * (3 ** (2 / 30) - 1))


def test_edges_of_boxes_move_outward_by_their_steps() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.4]]])

    got = moved(boxes, torch.tensor([[[0.5, 0.0, 0.0, -0.25]]]))

    torch.testing.assert_close(got, torch.tensor([[[0.45, 0.45, 0.3, 0.3]]]))


class TwoQueries(torch.nn.Module):
    """Two boxes; three scores of them stand out."""

    def forward(self, _: object) -> "tuple[torch.Tensor, torch.Tensor]":
        logits = torch.full((1, 2, CLASSES), -9.0)
        logits[0, 0, 7], logits[0, 1, 0], logits[0, 1, 3] = 1.0, 3.0, 2.0
        boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.4, 0.2]]])
        return logits, boxes


def test_rows_are_the_best_scores_of_all_queries_and_classes() -> None:
    with torch.device("meta"):
        model = KNOWN[ATTO].build()
    assert isinstance(model, DeimModel)
    model.maps, model.decoder, model.queries = torch.nn.Identity(), TwoQueries(), 3

    rows = model(torch.zeros(1, 3, 8, 8))[0]

    wanted = [[0, -0.1, 0, 0.3, 0.2], [3, -0.1, 0, 0.3, 0.2], [7, 0.4, 0.3, 0.6, 0.7]]
    torch.testing.assert_close(rows[:, :5], torch.tensor(wanted, dtype=torch.float32))
    torch.testing.assert_close(rows[:, 5], torch.tensor([3.0, 2.0, 1.0]).sigmoid())


def test_deim_file_takes_any_number_of_pictures_of_any_size(written: Callable[[str], Path]) -> None:
    session = one_thread_session(written(ATTO))
    (pictures,) = random_inputs(KNOWN[ATTO], 3, N=2, H=120, W=200)

    (rows,) = session.run(None, {"input_bgr": pictures.numpy()})
    alone = [session.run(None, {"input_bgr": pictures[k : k + 1].numpy()})[0][0] for k in range(2)]

    assert session.get_inputs()[0].shape == ["N", 3, "H", "W"]
    assert session.get_outputs()[0].shape == ["N", 340, 6]
    assert rows.shape == (2, 340, 6)
    assert (np.diff(rows[..., 5]) <= 0).all()
    assert set(np.unique(rows[..., 0])) <= set(range(CLASSES))
    np.testing.assert_allclose(rows[..., 5], np.stack(alone)[..., 5], atol=1e-4)
    assert (rows[..., 3] > rows[..., 1]).all() and (rows[..., 4] > rows[..., 2]).all()


def test_suppression_keeps_the_best_of_each_class() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [20, 0, 30, 10]]])
    scores = torch.tensor([[[0.5, 0.9, 0.3, 0.2], [0.0, 0.0, 0.3, 0.8]]])

    kept = Suppression.apply(boxes, scores)

    assert kept.tolist() == [[0, 0, 1], [0, 0, 2], [0, 1, 3]]


def test_whole_body_file_suppresses_like_torch(written: Callable[[str], Path]) -> None:
    name = "yolov9-wholebody25-n"
    path, network = written(name), random_network(name, KNOWN[name])
    (picture,) = random_inputs(KNOWN[name], 4)

    check_against_torch(path, network, {"input_bgr": picture}, tolerance=1e-2)  # pixels
    (rows,) = one_thread_session(path).run(None, {"input_bgr": picture.numpy()})

    assert rows.shape[1] == 7 and len(rows) > 5
    assert rows[:, 2].min() > 0.25
    assert np.bincount(rows[:, 1].astype(int)).max() <= 20


def test_cells_of_anchors_are_row_by_row_each_twice() -> None:
    corners, strides = cells((640, 640), 2)

    last = strides == 32
    assert int(last.sum()) == 800
    assert corners[last][:4].tolist() == [[0, 0], [0, 0], [32, 0], [32, 0]]


def test_rotations_by_hand() -> None:
    six = torch.tensor([[2.0, 0, 0, 1, 3, 0], [0, 0, -1, 0, 1, 0]])

    got = rotations(six)

    torch.testing.assert_close(got[0], torch.eye(3))
    torch.testing.assert_close(got[1], torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]))
    assert angles_deg(got)[0].tolist() == [0, 0, 0]
    assert angles_deg(got)[1].tolist() == [90, 0, 0]
