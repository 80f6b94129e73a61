"""The benchmark of parts and distances counts right, and runs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bodies import Found, crowd
from benchmarks.distances import of_retail02
from benchmarks.results import DONE
from benchmarks.wholebody import count_right, main
from nodes.ops.wholebody import BODY, HEAD, NAMES


def test_parts_that_find_their_person_are_counted() -> None:
    box = {
        (0, HEAD): [0.15, 0.1, 0.25, 0.25],
        (1, HEAD): [0.75, 0.1, 0.85, 0.25],
        (0, BODY): [0.1, 0.1, 0.3, 0.9],
        (1, BODY): [0.7, 0.1, 0.9, 0.9],
        (0, NAMES.index("knee")): [0.19, 0.6, 0.21, 0.63],
        (1, NAMES.index("knee")): [0.79, 0.6, 0.81, 0.63],
        (1, NAMES.index("ankle")): [0.39, 0.8, 0.41, 0.83],
    }
    person, label = np.array(list(box)).T
    found = Found(person, label, np.array(list(box.values()), np.float32))

    assert count_right(found, np.random.default_rng(0)).tolist() == [2, 2, 3]


def test_crowds_are_the_same_for_the_same_seed_and_hide_who_stands_behind() -> None:
    one, again, many = (crowd(np.random.default_rng(7), people=count) for count in (2, 2, 8))

    assert np.array_equal(one.box, again.box)
    assert (one.box >= 0).all()
    assert (one.box <= 1).all()
    assert len(many.box) < 4 * len(one.box)


def test_it_runs_and_writes_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["wholebody", "--crowds", "3", "--scenes", "1", "--out", str(tmp_path)])

    assert main() == DONE

    figures = json.loads((tmp_path / "wholebody.json").read_text("utf-8"))
    assert set(figures) == {"parts_of_2", "parts_of_4", "parts_of_8", "distance", "details"}
    assert figures["parts_of_4"]["right"] > figures["parts_of_4"]["right_by_first_box"]
    assert figures["distance"]["error_ours"] < 0.3


def test_heads_of_a_real_shop_get_farther_with_the_floor() -> None:
    folder = os.environ.get("GAZE_REAL_DATA")
    if not folder:
        pytest.skip("GAZE_REAL_DATA names no folder of real footage")

    by_head, by_floor = of_retail02(Path(folder) / "retail02", 181)

    assert len(by_head) >= 12
    assert np.corrcoef(by_head, by_floor)[0, 1] > 0.5
