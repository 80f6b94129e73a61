"""Faces in heads: where they may be, what is learnt of them, and what is not."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_loss import face_losses  # noqa: E402
from training.face_in_head import FaceInHead, in_heads, in_pictures  # noqa: E402
from training.head_in_context import FEATURES  # noqa: E402


def test_whatever_is_told_faces_are_boxes_in_their_heads() -> None:
    torch.manual_seed(0)
    faces = FaceInHead()
    torch.nn.init.normal_(faces.told.weight)
    heads = torch.tensor([[0.2, 0.1, 0.3, 0.3]]).repeat(200, 1)

    _, boxes = faces(3 * torch.randn(200, FEATURES))
    placed = in_pictures(boxes, heads)

    assert (placed[:, 2:] > placed[:, :2]).all()
    assert (placed[:, :2] >= heads[:, :2] - 1e-6).all()
    assert (placed[:, 2:] <= heads[:, 2:] + 1e-6).all()


def test_places_in_heads_and_in_pictures_are_the_same_places() -> None:
    heads = torch.tensor([[0.2, 0.1, 0.3, 0.3]])
    face = torch.tensor([[0.22, 0.15, 0.28, 0.3]])

    inside = in_heads(face, heads)

    torch.testing.assert_close(inside, torch.tensor([[-0.3, -0.25, 0.3, 0.5]]))
    torch.testing.assert_close(in_pictures(inside, heads), face)


def test_boxes_are_learnt_of_faces_that_are_seen_and_being_seen_where_it_is_known() -> None:
    box = torch.tensor([[-0.3, -0.2, 0.3, 0.4]]).repeat(3, 1).requires_grad_()
    logits = torch.zeros(3, requires_grad=True)
    wanted = torch.tensor([[-0.2, -0.2, 0.3, 0.4], [float("nan")] * 4, [float("nan")] * 4])

    losses = face_losses(logits, box, wanted, torch.tensor([1.0, 0.0, float("nan")]))
    sum(losses.values()).backward()

    assert float(losses["face_seen"].detach()) == pytest.approx(0.6931, abs=1e-4)
    assert float(losses["face_box"].detach()) == pytest.approx(1 - 0.5 / 0.6 + 0.1 / 4, abs=1e-5)
    assert (box.grad[1:] == 0).all()
    assert box.grad[0].abs().sum() > 0
    assert logits.grad[0] < 0 < logits.grad[1]
    assert logits.grad[2] == 0


def test_a_batch_without_a_face_has_losses_of_nothing() -> None:
    none = torch.empty(0, 4, requires_grad=True)

    losses = face_losses(torch.empty(0, requires_grad=True), none, torch.empty(0, 4), torch.empty(0))

    assert [float(value.detach()) for value in losses.values()] == [0, 0]
