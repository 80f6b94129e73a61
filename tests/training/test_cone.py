"""Constants of the cone are tried on rendered clips."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.estimate_gaze_from_direction import Config
from nodes.ops.directions import vectors
from training.cone import TRIED, Known, main, measured


def test_every_constant_is_a_field_of_the_node_and_what_ships_is_among_the_tried() -> None:
    for name, values in TRIED.items():
        assert getattr(Config(), name) in values


def test_the_right_side_is_less_surprising_than_the_wrong_one() -> None:
    box, way = np.array([[0.47, 0.4, 0.53, 0.52]] * 2), vectors(np.array([[90.0, 0], [90, 0]]))
    right, wrong = (
        Known(box, way, np.array([[x, 0.46], [np.nan, np.nan]]), np.array([True, False]), np.full(2, 1.6))
        for x in (0.8, 0.2)
    )

    inside, cell, miss = measured(right, Config())

    assert measured(wrong, Config())[0] == inside
    assert cell < 0 < measured(wrong, Config())[1]
    assert miss < 0.2 < measured(wrong, Config())[2]


def test_all_values_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "9301", "--seconds", "2"]) == 0

    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("# ")
    assert len(lines) == sum(len(values) for values in TRIED.values())
    assert sum(line.endswith("ships") for line in lines) == len(TRIED)
