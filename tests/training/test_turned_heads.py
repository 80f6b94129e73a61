"""Heads seen in turned squares: as if they were tilted, with directions that say so."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_draws import in_turned  # noqa: E402
from training.head_in_context import HeadInContext  # noqa: E402
from training.head_net import crop_heads  # noqa: E402

RIGHT_ANGLE = torch.tensor([np.pi / 2], dtype=torch.float32)
MIDDLE = torch.tensor([[0.375, 0.25, 0.625, 0.75]])
"""A square of 50 px in pictures of 200 x 100."""
ROW = torch.zeros(1, dtype=torch.int64)


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 100, 200, generator=torch.Generator().manual_seed(0))


def test_a_square_turned_by_a_right_angle_has_below_at_its_right() -> None:
    upright, turned = crop_heads(picture(), MIDDLE, ROW), crop_heads(picture(), MIDDLE, ROW, RIGHT_ANGLE)

    torch.testing.assert_close(turned, upright.rot90(1, (2, 3)), atol=1e-4, rtol=0)


def test_a_square_turned_by_nothing_is_upright() -> None:
    torch.testing.assert_close(crop_heads(picture(), MIDDLE, ROW, 0 * RIGHT_ANGLE), crop_heads(picture(), MIDDLE, ROW))


def test_directions_turn_with_what_is_seen() -> None:
    down, right, ahead = np.eye(3, dtype=np.float32)[[1, 0, 2]]
    vectors = np.concatenate([down, ahead])[None]

    np.testing.assert_allclose(in_turned(vectors, RIGHT_ANGLE.numpy())[0], [*right, *ahead], atol=1e-6)
    np.testing.assert_allclose(in_turned(vectors, np.zeros(1, np.float32)), vectors)


def test_what_is_around_a_head_is_read_where_the_turned_picture_has_it() -> None:
    net, seen = HeadInContext(4).eval(), picture()
    scene = torch.rand(1, 4, 100, 200, generator=torch.Generator().manual_seed(1))
    net.spots = net.spots * 0.3  # all within the square that is turned by hand
    net.mix[0].weight.data[:, -4:] = 0  # centre and size, which differ there
    # The square in the middle turned by hand, and the head in it.
    square, around = (part[..., 50:150].rot90(1, (2, 3)) for part in (seen, scene))

    turned, _ = net(seen, scene, MIDDLE, ROW, RIGHT_ANGLE)
    by_hand, _ = net(square, around, torch.tensor([[0.25, 0.25, 0.75, 0.75]]), ROW)

    torch.testing.assert_close(turned, by_hand, atol=1e-4, rtol=1e-4)
