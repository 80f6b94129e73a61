"""The gaze network: many pictures in a call, and what each cell is told of how it lies to a head."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.gaze_net import GazeGraph, GazeNet  # noqa: E402

ROWS, COLUMNS = 36, 60
NAMES = (
    "cover", "cosine", "near", "narrow", "narrowest", "away_x", "away_y", "distance", "heads", "per_plane", "in_plane",
    "along",
)  # fmt: skip


@pytest.fixture(scope="module")
def net() -> GazeNet:
    torch.manual_seed(0)
    net = GazeNet().eval()
    for module in net.modules():  # maps of a fresh network are all alike
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.fill_(0.3)
    return net


def cells(net: GazeNet, box: tuple[float, ...], gaze: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Return what the cells (36, 60) are told of one head, by name."""
    told = net._cells(torch.tensor([box]), torch.tensor([gaze]))
    assert told.shape == (1, len(NAMES), ROWS, COLUMNS)
    return dict(zip(NAMES, told[0].numpy(), strict=True))


def test_cells_of_a_look_to_the_right_by_hand(net: GazeNet) -> None:
    told = cells(net, (0.45, 0.45, 0.55, 0.55), (2.0, 0.0, 0.0))

    row, column = 18, 45  # its centre is at (45.5 / 60, 18.5 / 36)
    away_x, away_y = (45.5 / 60 - 0.5) * 480 / 288, 18.5 / 36 - 0.5
    distance = np.hypot(away_x, away_y)
    at = {name: float(value[row, column]) for name, value in told.items()}
    assert at["away_x"] == pytest.approx(away_x, abs=1e-6)
    assert at["away_y"] == pytest.approx(away_y, abs=1e-6)
    assert at["distance"] == pytest.approx(distance, abs=1e-5)
    assert at["cosine"] == pytest.approx(away_x / distance, abs=1e-4)
    assert at["near"] == pytest.approx(at["cosine"] ** 4, abs=1e-5)
    assert at["narrow"] == pytest.approx(at["cosine"] ** 16, abs=1e-4)
    assert at["narrowest"] == pytest.approx(at["cosine"] ** 64, abs=1e-3)
    assert at["heads"] == pytest.approx(distance / 0.12 * 0.2, abs=1e-5)
    assert at["in_plane"] == pytest.approx(1.0, abs=1e-3)
    assert at["per_plane"] == pytest.approx(distance / 1.2, abs=1e-3)
    assert at["along"] == 0.0


def test_behind_the_look_are_no_narrow_cells(net: GazeNet) -> None:
    told = cells(net, (0.45, 0.45, 0.55, 0.55), (1.0, 0.0, 0.0))

    assert told["cosine"][:, :27].max() < 0
    assert told["near"][:, :27].max() == told["narrowest"][:, :27].max() == 0


def test_cover_is_the_part_of_each_cell_that_the_head_hides(net: GazeNet) -> None:
    told = cells(net, (10.5 / 60, 5 / 36, 12 / 60, 7 / 36), (0.0, 0.0, -1.0))

    wanted = np.zeros((ROWS, COLUMNS))
    wanted[5:7, 10], wanted[5:7, 11] = 0.5, 1.0
    np.testing.assert_allclose(told["cover"], wanted, atol=1e-4)


def test_a_look_into_the_camera_lies_in_no_plane(net: GazeNet) -> None:
    told = cells(net, (0.4, 0.4, 0.5, 0.6), (0.0, 0.0, -3.0))

    assert told["in_plane"].max() == pytest.approx(0.01, abs=1e-4)
    assert (told["along"] == -1).all()
    assert np.isfinite(list(told.values())).all()


def test_a_mirrored_look_has_mirrored_cells(net: GazeNet) -> None:
    left = cells(net, (0.2, 0.4, 0.3, 0.6), (0.6, 0.3, -0.5))
    right = cells(net, (0.7, 0.4, 0.8, 0.6), (-0.6, 0.3, -0.5))

    for name in NAMES:
        sign = -1 if name == "away_x" else 1
        np.testing.assert_allclose(left[name], sign * right[name][:, ::-1], atol=1e-4, err_msg=name)


def some(heads: int, pictures: int) -> "tuple[torch.Tensor, torch.Tensor]":
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand((heads, 2), generator=generator) * 0.8
    coarse = torch.rand((pictures, 3, 9, 15), generator=generator) * 255
    wide = torch.nn.functional.interpolate(coarse, size=(288, 480), mode="bilinear")
    return wide, torch.cat([corner, corner + 0.15], 1)


def test_many_pictures_are_what_they_are_one_by_one(net: GazeNet) -> None:
    graph = GazeGraph(net).eval()
    pictures, boxes = some(4, 3)
    rows = torch.tensor([2, 0, 2, 1])

    with torch.no_grad():
        together = graph(pictures, boxes[None], rows)
        alone = [graph(pictures[row : row + 1], boxes[None, k : k + 1], torch.zeros(1).long())
                 for k, row in enumerate(rows.tolist())]  # fmt: skip

    for mine, parts in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(mine, torch.cat(parts), atol=1e-5, rtol=0)
    maps, in_frame, direction = together
    assert (maps.shape, in_frame.shape, direction.shape) == ((4, 64, 64), (4,), (4, 6))
    assert float(maps.flatten(1).std(1).min()) > 0  # there is something to compare
    torch.testing.assert_close(direction.reshape(4, 2, 3).norm(dim=2), torch.ones(4, 2), atol=1e-4, rtol=0)


def test_one_row_stands_for_all_heads(net: GazeNet) -> None:
    graph = GazeGraph(net).eval()
    pictures, boxes = some(3, 1)

    with torch.no_grad():
        short, whole = (graph(pictures, boxes[None], torch.zeros(count).long()) for count in (1, 3))

    for mine, theirs in zip(short, whole, strict=True):
        torch.testing.assert_close(mine, theirs, atol=0, rtol=0)
