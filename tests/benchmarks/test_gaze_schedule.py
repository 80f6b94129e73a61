"""What the schedule spares and costs, from sums made by hand and from a short clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.clips import true_clips
from benchmarks.gaze_schedule import FRAMES, HEADS, RIGHT, TOLD, TRUE, counts_of, figures
from scenes.sets import seed_set


def test_the_figures_are_those_of_all_clips_together() -> None:
    every = [[6, 10, 10, 300, 100], [2, 10, 10, 100, 100]]  # F1 16/40
    adaptive = [[5, 10, 10, 90, 40], [2, 8, 10, 90, 50]]  # F1 14/38; 180 of 400 heads, 90 of 200 frames

    found = figures(np.array([every, adaptive]))

    assert (found["heads_ratio"], found["frames_ratio"], found["calls_ratio"]) == (0.45, 0.45, 0.45)
    assert (found["every_frame_f1"], found["adaptive_f1"]) == (0.4, 0.3684)
    assert found["visits_f1_loss"] == pytest.approx(1 - (14 / 38) / 0.4, abs=5e-5)
    # drawn from these two clips, it lies between the loss of the one alone and the gain of the other
    assert (found["visits_f1_loss_p5"], found["visits_f1_loss_p95"]) == (-0.1111, 0.1667)


def test_calls_are_counted_by_what_costs_more() -> None:
    counted = np.array([[[1, 1, 1, 400, 100]], [[1, 1, 1, 100, 60]]])

    found = figures(counted)

    assert (found["heads_ratio"], found["frames_ratio"], found["calls_ratio"]) == (0.25, 0.6, 0.6)
    assert found["visits_f1_loss"] == 0


def test_nothing_told_by_either_is_nothing_lost() -> None:
    assert figures(np.zeros((2, 1, 5), np.int64))["visits_f1_loss"] == 0


def test_a_clip_is_run_both_ways(tmp_path: Path) -> None:
    (clip,) = true_clips(seed_set("9203", seconds=1.2), tmp_path)

    every, adaptive = counts_of(clip)

    assert every[TRUE] == adaptive[TRUE] > 0
    assert max(every[RIGHT] - every[TOLD], adaptive[RIGHT] - adaptive[TOLD]) <= 0
    assert every[FRAMES] == len(clip.frames)
    assert 0 < adaptive[HEADS] < 0.6 * every[HEADS]
    assert 0 < adaptive[FRAMES] < 0.6 * every[FRAMES]
