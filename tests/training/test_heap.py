"""Heaps of round things cover pictures, and what they cover is hidden."""

import numpy as np

from tests.training.rows import still_rows
from training.augment import People
from training.clutter import heap


def test_nobody_counts_as_seen_whom_a_heap_hides() -> None:
    rows = still_rows(1, people=4)
    picture, people = rows.pictures[0], People.of_row(rows.truth[0], 4)

    hidden = set()
    for seed in range(30):
        covered, left = heap(picture, people, np.random.default_rng(seed))
        changed = (covered != picture).any(2)
        for row, (x1, y1, x2, y2) in enumerate((people.head_box * [480, 288, 480, 288]).astype(int)):
            share = changed[y1:y2, x1:x2].mean()
            hidden.add(round(float(left.head_visible[row]), 1))
            assert left.head_visible[row] <= 1 - share + 0.1  # round things stand out of the rectangle a little

    assert {0.0, 1.0} <= hidden
