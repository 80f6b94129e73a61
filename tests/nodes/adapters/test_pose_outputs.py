"""What pose models tell, in the words of their cards: every convention, and what a mirror does to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nodes.adapters.pose_outputs import rotations_told
from nodes.ops import rotations as rot
from pipeline.card_fields import HeadPoseOutputs

Angles = tuple[float, float, float]
POSES = [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (40, -25, 10), (-70, 15, -20)]
"""Yaw to image-left, pitch up, roll clockwise: as 300W-LP counts, degrees."""
MIRRORED = [-1, 1, -1]
"""What a mirror does to yaw, pitch and roll."""


def right_handed(axis: int, degrees: float) -> np.ndarray:
    """Return the turn of papers about an axis of theirs."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    made = np.eye(3)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    made[a, a] = made[b, b] = cos
    made[a, b], made[b, a] = -sin, sin
    return made


def as_matrix(pose: Angles) -> np.ndarray:
    """Return what 6DRepNet learns of labels: `Rz(roll) · Ry(yaw) · Rx(pitch)`."""
    yaw, pitch, roll = pose
    return right_handed(2, roll) @ right_handed(1, yaw) @ right_handed(0, pitch)


def stepped(angle: float, count: int, first: float) -> np.ndarray:
    """Return scores of steps of 3° whose mean is an angle."""
    place = (angle - first) / 3
    return np.log(np.maximum(1 - np.abs(np.arange(count) - place), 1e-12))


def by_columns(*order: int) -> Callable[[Angles], dict[str, Any]]:
    return lambda pose: {"angles": np.array([[pose[k] for k in order]])}


CARDS: dict[str, tuple[dict[str, Any], Callable[[Angles], dict[str, Any]]]] = {
    "columns, as FSA-Net and 6DRepNet360": (
        {
            "yaw": {"output": "angles", "column": 0, "sign": -1},
            "pitch": {"output": "angles", "column": 1},
            "roll": {"output": "angles", "column": 2},
            "order": "xyz",
        },
        by_columns(0, 1, 2),
    ),
    "yaw, roll, pitch, as DMHead": (
        {
            "yaw": {"output": "angles", "column": 0, "sign": -1},
            "pitch": {"output": "angles", "column": 2},
            "roll": {"output": "angles", "column": 1},
            "order": "xyz",
        },
        by_columns(0, 2, 1),
    ),
    "steps, as WHENet": (
        {
            "yaw": {"output": "y", "sign": -1, "bins": {"width_deg": 3, "first_deg": -180}},
            "pitch": {"output": "p", "bins": {"width_deg": 3, "first_deg": -99}},
            "roll": {"output": "r", "bins": {"width_deg": 3, "first_deg": -99}},
            "order": "xyz",
        },
        lambda pose: {
            "y": stepped(pose[0], 120, -180)[None],
            "p": stepped(pose[1], 66, -99)[None],
            "r": stepped(pose[2], 66, -99)[None],
        },
    ),
    "radians": (
        {
            name: {"output": "angles", "column": k, "unit": "radians", "sign": -1 if name == "yaw" else 1}
            for k, name in enumerate(("yaw", "pitch", "roll"))
        }
        | {"order": "xyz"},
        lambda pose: {"angles": np.radians([pose])},
    ),
    "a matrix, as yakhyo's": (
        {"rotation": "m", "axes": [1, -1, -1], "transposed": True},
        lambda pose: {"m": as_matrix(pose)[None]},
    ),
    "six numbers, as 6DRepNet": (
        {"rotation": "m", "axes": [1, -1, -1], "transposed": True},
        lambda pose: {"m": as_matrix(pose)[:, :2].T.reshape(1, 6)},
    ),
}


def told(card: str, pose: Angles) -> np.ndarray:
    """Return our yaw, pitch and roll of what a model says that sees a pose."""
    values, model = CARDS[card]
    (angles,) = rot.yaw_pitch_roll(rotations_told(model(pose), HeadPoseOutputs.model_validate(values)))
    return angles


@pytest.mark.parametrize("card", CARDS)
def test_the_models_of_one_set_of_labels_tell_the_same_pose(card: str) -> None:
    for yaw, pitch, roll in POSES:
        wanted = rot.yaw_pitch_roll(rot.matrices(np.array([[-yaw, pitch, roll]]), "xyz"))[0]

        assert told(card, (yaw, pitch, roll)) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("card", CARDS)
def test_signs_are_ours_where_a_head_turns_one_way_only(card: str) -> None:
    assert told(card, (30, 0, 0)) == pytest.approx([-30, 0, 0], abs=1e-5)
    assert told(card, (0, 20, 0)) == pytest.approx([0, 20, 0], abs=1e-5)
    assert told(card, (0, 0, 15)) == pytest.approx([0, 0, 15], abs=1e-5)


@pytest.mark.parametrize("card", CARDS)
def test_a_mirrored_head_has_yaw_and_roll_mirrored_and_pitch_kept(card: str) -> None:
    for yaw, pitch, roll in POSES:
        assert told(card, (-yaw, pitch, -roll)) == pytest.approx(told(card, (yaw, pitch, roll)) * MIRRORED, abs=1e-5)


def test_steps_all_the_way_round_tell_backs() -> None:
    assert told("steps, as WHENet", (-171, 0, 0))[0] == pytest.approx(171, abs=1e-6)


@pytest.mark.parametrize(("card", "output"), [("radians", "angles"), ("steps, as WHENet", "y")])
def test_what_is_no_number_is_no_rotation(card: str, output: str) -> None:
    values, model = CARDS[card]
    answer = model((10, 0, 0))
    answer[output] = answer[output] * np.nan

    assert np.isnan(rotations_told(answer, HeadPoseOutputs.model_validate(values))).any()
