"""Rendered sets on disk: resumed, reused, refused when they are of another shape."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from training.augment import People
from training.data import NOT_RENDERED, PERSON, _still_rows, open_stills, seed_range


def test_rows_are_a_function_of_their_seed_and_resumable(tmp_path: Path) -> None:
    _still_rows(50, 3, [2], tmp_path)
    half = open_stills(50, 3, tmp_path)
    assert half.ready().tolist() == [2]
    assert half.count[0] == NOT_RENDERED

    _still_rows(52, 1, [0], tmp_path)
    other = open_stills(52, 1, tmp_path)

    np.testing.assert_array_equal(half.pictures[2], other.pictures[0])
    assert half.truth[2].tobytes() == other.truth[0].tobytes()


def test_a_row_is_read_back_as_people(tmp_path: Path) -> None:
    rows = open_stills(7, 1, tmp_path)
    rows.truth["head_vector"][0, 1] = (0, 0, -1)
    rows.truth["gaze_vector"][0, 1] = (1, 0, 0)

    people = People.of_row(rows.truth[0], 2)

    assert people.vectors.tolist() == [[0] * 6, [0, 0, -1, 1, 0, 0]]
    assert set(PERSON.names or ()) >= {"body_box", "head_box"}


def test_a_set_of_another_shape_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stills-1-2").mkdir()
    path = tmp_path / "stills-1-2" / "count.npy"
    np.save(path, np.zeros(5, np.int16))

    with pytest.raises(ValueError) as caught:
        open_stills(1, 2, tmp_path)

    assert str(caught.value) == f"{path}: expected (2,) int16, got (5,) int16; delete the folder"


def test_seed_ranges_are_read() -> None:
    assert seed_range("1000+24") == (1000, 24)
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        seed_range("1000-24")
    assert str(caught.value) == "expected FIRST+COUNT such as 1000000+6000, got '1000-24'"
