"""What is around a head is read at its places, of its own picture, with edges repeated."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.head_in_context import HeadInContext, read_at  # noqa: E402


def test_features_are_read_between_cells_of_the_own_picture() -> None:
    features = torch.zeros(2, 1, 4, 6)
    features[1, 0, 1, 2], features[1, 0, 1, 3] = 1.0, 3.0
    middle = (2 + 1.0) / 6  # between the centres of columns 2 and 3
    places = torch.tensor([[[2.5 / 6, 1.5 / 4], [middle, 1.5 / 4], [2.5 / 6, 2.0 / 4]]]).repeat(2, 1, 1)

    read = read_at(features, places, torch.tensor([1, 0]))

    assert read.shape == (2, 3, 1)
    assert read[0, :, 0].tolist() == pytest.approx([1.0, 2.0, 0.5], abs=1e-5)
    assert read[1].abs().max() == 0


def test_places_beyond_a_picture_read_its_edge_and_not_the_next_picture() -> None:
    features = torch.tensor([1.0, 5.0, 9.0]).reshape(3, 1, 1, 1).expand(3, 1, 4, 6).contiguous()
    places = torch.tensor([[[0.5, -2.0], [0.5, 3.0], [-1.0, 0.5], [2.0, 0.5]]])

    assert read_at(features, places, torch.tensor([1])).flatten().tolist() == pytest.approx([5.0] * 4)


def test_at_first_the_crop_alone_tells_the_vectors() -> None:
    torch.manual_seed(0)
    heads = HeadInContext(4).eval()
    pictures, boxes = torch.rand(1, 3, 64, 96), torch.tensor([[0.3, 0.3, 0.5, 0.6]])
    row = torch.zeros(1).long()

    with torch.no_grad():
        _, some = heads(pictures, torch.zeros(1, 4, 8, 12), boxes, row)
        _, other = heads(pictures, torch.rand(1, 4, 8, 12), boxes, row)

    torch.testing.assert_close(some, other)
