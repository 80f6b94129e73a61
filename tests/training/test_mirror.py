"""What is read in the mirror is what is read of a mirrored picture."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_net import DetectorNet  # noqa: E402
from training.mirror import boxes_mirrored, points_mirrored, vectors_mirrored  # noqa: E402

BOXES = [[0.2, 0.3, 0.25, 0.42], [0.6, 0.1, 0.7, 0.25], [0.9, 0.8, 1.0, 0.97]]
ROWS = [0, 1, 1]
TURN = [0.3, -0.4, 0.9]


@pytest.fixture(scope="module")
def net() -> DetectorNet:
    torch.manual_seed(0)
    net = DetectorNet((8, 16, 16, 16), 16).eval()
    for layer in (net.heads.turn, net.again.told):
        torch.nn.init.normal_(layer.weight, 0.0, 0.1)
    return net


def flipped(boxes: "torch.Tensor") -> "torch.Tensor":
    return torch.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], 1)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sides", [1, len(ROWS)])
def test_heads_in_the_mirror_are_those_of_a_mirrored_picture(net: DetectorNet, sides: int, turned: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.randn(2, 3, 64, 96, generator=generator)
    scene = torch.randn(2, 16, 8, 12, generator=generator)
    boxes, rows, mirror = torch.tensor(BOXES), torch.tensor(ROWS), -torch.ones(sides)
    turn = torch.tensor(TURN) if turned else None

    with torch.no_grad():
        told = net.heads(pictures, scene, boxes, rows, turn, mirror)
        wanted = net.heads(pictures.flip(3), scene.flip(3), flipped(boxes), rows, None if turn is None else -turn)
        logits, moved = net.again(told[0], torch.zeros(3), boxes, mirror)
        wanted_logits, wanted_moved = net.again(wanted[0], torch.zeros(3), flipped(boxes))

    for got, expected in zip((*told, logits, moved), (*wanted, wanted_logits, flipped(wanted_moved)), strict=True):
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_only_what_was_seen_in_the_mirror_is_turned_back() -> None:
    mirror = torch.tensor([1.0, -1.0])

    vectors = vectors_mirrored(torch.tensor([[1.0, 2, 3, 4, 5, 6]]).repeat(2, 1), mirror)
    boxes = boxes_mirrored(torch.tensor([[-0.5, 0.0, 0.25, 0.5]]).repeat(2, 1), mirror)

    assert vectors.tolist() == [[1, 2, 3, 4, 5, 6], [-1, 2, 3, -4, 5, 6]]
    assert boxes.tolist() == [[-0.5, 0.0, 0.25, 0.5], [-0.25, 0.0, 0.5, 0.5]]
    assert points_mirrored(torch.tensor([[1.0, 2.0]]), mirror.unsqueeze(1)[1]).tolist() == [[-1.0, 2.0]]
