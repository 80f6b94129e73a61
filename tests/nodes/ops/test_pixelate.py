import numpy as np
import pytest

from nodes.ops.pixelate import pixelate_ellipses

NOISE = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)


def hidden(*boxes: list[float], scale: float = 1.42) -> np.ndarray:
    image = NOISE.copy()
    pixelate_ellipses(image, np.array(boxes, np.float32).reshape(-1, 4), scale)
    return image


def test_a_head_is_hidden_with_the_corners_of_its_box_and_nothing_else() -> None:
    image = hidden([0.4, 0.4, 0.6, 0.7])  # pixels 120 to 180, 80 to 140

    same = (image == NOISE).all(axis=2)
    assert same[80:140, 120:180].mean() < 0.01
    assert same[:66].all() and same[154:].all() and same[:, :106].all() and same[:, 194:].all()


def test_no_more_than_a_few_colours_are_left() -> None:
    image = hidden([0.4, 0.4, 0.6, 0.7])

    assert len(np.unique(image[80:140, 120:180].reshape(-1, 3), axis=0)) <= 36


def test_colours_are_the_means_of_their_cells() -> None:
    half = np.zeros((200, 300, 3), np.uint8)
    half[:, 150:] = 200

    pixelate_ellipses(half, np.array([[0.0, 0.0, 1.0, 1.0]]), 2.0)

    assert half[100, 10].tolist() == [0, 0, 0]
    assert half[100, 290].tolist() == [200, 200, 200]


@pytest.mark.parametrize(
    "box",
    [[np.nan] * 4, [1.2, 1.2, 1.4, 1.4], [-0.4, -0.4, -0.2, -0.2]],
)
def test_heads_unknown_or_outside_change_nothing(box: list[float]) -> None:
    assert (hidden(box) == NOISE).all()


@pytest.mark.parametrize("box", [[-0.1, -0.1, 0.1, 0.1], [0.9, 0.9, 1.1, 1.1], [0, 0, 1, 1], [-5, -5, 9, 9]])
def test_heads_at_the_border_of_all_sizes_are_hidden(box: list[float]) -> None:
    assert (hidden(box) != NOISE).any()


def test_no_heads_change_nothing() -> None:
    assert (hidden() == NOISE).all()
