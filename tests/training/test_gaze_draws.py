"""Batches of the gaze network: heads, where they look, and stills without heads left out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import still_rows  # noqa: E402
from training.data import Rows  # noqa: E402
from training.draws import Draws  # noqa: E402
from training.gaze_draws import GazeBatch, GazeDraws  # noqa: E402


def batch(rows: Rows, step: int = 0, batch: int = 4, most_heads: int = 5, seed: int = 0) -> GazeBatch:
    return GazeDraws(Draws([rows], seed), batch, most_heads, seed)(step)


def test_heads_point_at_their_pictures_and_targets() -> None:
    drawn = batch(still_rows(6, people=2))

    assert drawn.pictures.shape == (4, 288, 480, 3)
    assert sorted(set(drawn.rows.tolist())) == [0, 1, 2, 3]
    assert len(drawn.boxes) == len(drawn.rows) == len(drawn.points) == len(drawn.inside) == len(drawn.vectors)
    inside = ((drawn.points >= 0) & (drawn.points < 1)).all(1)
    np.testing.assert_array_equal(drawn.inside, inside)


def test_targets_stay_on_the_side_of_heads_that_they_are_on() -> None:
    """People look at what is on the image's right of them; in the mirror it is on their left."""
    rows = still_rows(6)
    rows.truth["gaze_vector"][:, 0] = (1, 0, 0)

    sides = set()
    for step in range(6):
        drawn = batch(rows, step)
        away = drawn.points[:, 0] - (drawn.boxes[:, 0] + drawn.boxes[:, 2]) / 2
        np.testing.assert_array_equal(np.sign(away), drawn.vectors[:, 3])
        sides |= set(drawn.vectors[:, 3].tolist())

    assert sides == {-1.0, 1.0}


def test_of_a_crowd_some_are_drawn() -> None:
    assert np.bincount(batch(still_rows(6, people=9), most_heads=3).rows).max() <= 3


def test_a_still_without_heads_makes_room_for_the_next() -> None:
    rows = still_rows(6)
    rows.count[:3] = 0

    assert len(batch(rows).pictures) == 4


def test_a_batch_is_that_of_its_seed_and_step() -> None:
    rows = still_rows(6, people=2)

    one, same, later, other = batch(rows, 3), batch(rows, 3), batch(rows, 4), batch(rows, 3, seed=1)

    for mine, theirs in zip(one, same, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert one.pictures.tobytes() != later.pictures.tobytes()
    assert one.pictures.tobytes() != other.pictures.tobytes()
