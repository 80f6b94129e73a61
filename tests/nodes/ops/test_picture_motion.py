from __future__ import annotations

import numpy as np

from nodes.ops.picture_motion import common_motion, corners, followed, in_fractions

NOBODY = np.zeros((0, 4))
GRID = np.stack(np.meshgrid(np.arange(20, 300, 20), np.arange(20, 160, 20)), axis=2).reshape(-1, 2).astype(np.float32)


def squares(*corners_at: tuple[int, int], grey: int = 160) -> np.ndarray:
    """Return a picture (90, 160) with the upper left corner of a square of 6 pixels at each place."""
    picture = np.full((90, 160), 100, np.uint8)
    for x, y in corners_at:
        picture[y : y + 6, x : x + 6] = grey
    return picture


def test_each_cell_gives_its_strongest_corner() -> None:
    picture = squares((30, 30), (90, 50)) + squares((33, 60), grey=110) - 100

    found = corners(picture, NOBODY, 24)

    # 6 × 3 cells from (8, 9) on; corners lie at the corners of the squares
    cells = {tuple(cell) for cell in ((found - (8, 9)) // 24).astype(int).tolist()}
    assert {(0, 0), (3, 1), (1, 2)} <= cells
    assert len(cells) == len(found)
    near = np.abs(found[:, None] - np.array([[32.5, 32.5], [92.5, 52.5], [35.5, 62.5]])).max(axis=2).min(axis=1)
    assert (near <= 6).all()


def test_no_corner_is_taken_from_plain_cells_faint_ones_or_hidden_boxes() -> None:
    assert corners(squares(), NOBODY, 24).shape == (0, 2)
    assert len(corners(squares((30, 30), grey=103), NOBODY, 24)) == 0
    assert len(corners(squares((30, 30)), np.array([[20, 20, 45, 45]]), 24)) == 0
    assert len(corners(squares((30, 30)), np.array([[np.nan, 20, 45, 45], [-50, -50, 10, 400]]), 24)) > 0
    assert corners(squares()[:20, :20], NOBODY, 24).shape == (0, 2)


def test_points_are_followed_and_those_that_do_not_come_back_are_left_out() -> None:
    before = squares((30, 30), (90, 50))
    now = squares((33, 32), (93, 52))
    noise = np.random.default_rng(0).integers(0, 255, (2, 90, 50), np.uint8)
    before[:, 110:], now[:, 110:] = noise  # here nothing is again what it was
    astray = [[x, y] for x in (125, 140) for y in (20, 40, 60, 75)]
    points = np.array([[30, 30], [90, 50], *astray], np.float32)

    found, there = followed(before, now, points)

    assert found.tolist() == [[30, 30], [90, 50]]
    np.testing.assert_allclose(there, [[33, 32], [93, 52]], atol=0.1)
    assert [len(part) for part in followed(before, now, points[:0])] == [0, 0]


def test_most_points_decide_on_shift_zoom_and_turn() -> None:
    motion = np.array([[1.02, -0.03, 4.0], [0.03, 1.02, -2.5]])
    there = GRID @ motion[:, :2].T + motion[:, 2]
    astray = np.arange(len(GRID)) % 5 < 2
    there[astray] += np.random.default_rng(0).uniform(-40, 40, (astray.sum(), 2))

    found = common_motion(GRID, there.astype(np.float32), 0.3, 0.5)

    assert found is not None
    np.testing.assert_allclose(found, motion, atol=1e-3)
    assert common_motion(GRID, there.astype(np.float32), 0.3, 0.7) is None


def test_a_picture_stands_still_exactly_where_enough_points_do() -> None:
    shaking = GRID + np.random.default_rng(0).uniform(-0.15, 0.15, GRID.shape).astype(np.float32)
    passing = np.where(np.arange(len(GRID))[:, None] % 5 < 3, shaking, shaking + np.float32(6))
    most_pass = np.where(np.arange(len(GRID))[:, None] % 5 < 1, shaking, shaking + np.float32(6))

    assert np.array_equal(common_motion(GRID, shaking, 0.3, 0.5), np.eye(2, 3))
    assert np.array_equal(common_motion(GRID, passing, 0.3, 0.5), np.eye(2, 3))
    np.testing.assert_allclose(common_motion(GRID, most_pass, 0.3, 0.5)[:, 2], 6, atol=0.3)


def test_a_few_points_say_nothing() -> None:
    assert common_motion(GRID[:7], GRID[:7] + np.float32(5), 0.3, 0.5) is None
    assert common_motion(GRID[:8], GRID[:8] + np.float32(5), 0.3, 0.5) is not None


def test_motions_of_pixels_become_motions_of_fractions() -> None:
    # a turn by 90° about the point half a pixel before the first one, the corner of the picture
    motion = in_fractions(np.array([[0, -1, -1.0], [1, 0, 0.0]]), (200, 100))

    np.testing.assert_allclose(motion, [[0, -0.5, 0], [2, 0, 0]], atol=1e-12)
    shift = in_fractions(np.array([[1, 0, 20.0], [0, 1, 5]]), (200, 100))
    np.testing.assert_allclose(shift, [[1, 0, 0.1], [0, 1, 0.05]], atol=1e-12)
