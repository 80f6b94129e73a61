"""Tilted heads lean to the shoulder and look where they looked."""

import numpy as np

from scenes.still import render_still
from scenes.style import Style

SMALL = (160, 96)
SEEDS = range(10)
MOST_DEG = 50


def test_heads_lean_and_noses_point_where_they_did() -> None:
    leant, all_heads = [], 0
    for seed in SEEDS:
        upright, tilted = (render_still(seed, SMALL, style=style).people for style in (Style(), Style(tilt=True)))
        both, a, b = np.intersect1d(upright.person_id, tilted.person_id, return_indices=True)
        np.testing.assert_allclose(upright.head_vector[a], tilted.head_vector[b], atol=1e-9)
        np.testing.assert_allclose(upright.gaze_vector[a], tilted.gaze_vector[b], atol=1e-9)
        by = tilted.yaw_pitch_roll_deg[b, 2] - upright.yaw_pitch_roll_deg[a, 2]
        by = np.abs((by + 180) % 360 - 180)
        leant += by[by > 1e-6].tolist()
        all_heads += len(both)

    assert 0.25 < len(leant) / all_heads < 0.65
    assert 30 < max(leant) <= MOST_DEG + 1e-6
