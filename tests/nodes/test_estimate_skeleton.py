"""Skeletons: joints of one person joined, the nearest first, none beyond the reach of a body."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodes.estimate_skeleton import EstimateSkeleton
from nodes.ops.anatomy import BONES
from nodes.ops.wholebody import BODY, HEAD, NAMES, WHEELCHAIR
from nodes.types import Bones, TrackedParts
from tests.helpers import frames, make_node, run_node, table

SQUARE = (400, 400)
STANDING = {
    "collarbone": [(0.0, 0.18)],
    "shoulder": [(-0.12, 0.18), (0.12, 0.18)],
    "solar_plexus": [(0.0, 0.28)],
    "elbow": [(-0.15, 0.36), (0.15, 0.36)],
    "wrist": [(-0.16, 0.5), (0.16, 0.5)],
    "abdomen": [(0.0, 0.4)],
    "hip_joint": [(-0.08, 0.48), (0.08, 0.48)],
    "knee": [(-0.08, 0.72), (0.08, 0.72)],
    "ankle": [(-0.08, 0.95), (0.08, 0.95)],
}
"""Of somebody of height 1 whose feet are at (0, 1)."""


def point_box(x: float, y: float, half: float = 0.01) -> list[float]:
    return [x - half, y - half, x + half, y + half]


def parts_of(rows: list[tuple[Any, ...]]) -> TrackedParts:
    """Return parts of rows (frame_row, track_id, name, box[, score])."""
    rows = sorted(rows, key=lambda row: (row[0], NAMES.index(row[2]), -(row[4:] or (0.9,))[0]))
    return table(
        TrackedParts,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        label=[NAMES.index(row[2]) for row in rows],
        box=[row[3] for row in rows],
        score=[(row[4:] or (0.9,))[0] for row in rows],
    )


def standing(track_id: int, x: float, height: float = 0.8, frame_row: int = 0) -> list[tuple[Any, ...]]:
    """Return rows of a whole person with its feet at (x, 0.9)."""
    top = 0.9 - height
    rows = [
        (frame_row, track_id, name, point_box(x + dx * height, top + dy * height))
        for name, places in STANDING.items()
        for dx, dy in places
    ]
    return [(frame_row, track_id, "body", [x - 0.2 * height, top, x + 0.2 * height, 0.9]), *rows]


def joined(bones: Bones) -> list[tuple[str, str]]:
    return [(NAMES[a], NAMES[b]) for a, b in bones.labels.tolist()]


def skeletons(parts: TrackedParts, size_wh: tuple[int, int] = SQUARE, count: int = 1, **config: Any) -> Bones:
    (bones,) = run_node(make_node(EstimateSkeleton, **config), [(frames(count, size_wh=size_wh), parts)])
    return bones


def test_of_three_shoulders_the_nearest_two_are_joined_to_one_collarbone() -> None:
    rows = [(0, 1, "body", [0.2, 0.1, 0.8, 0.9]), (0, 1, "collarbone", point_box(0.5, 0.3), 0.8)]
    rows += [(0, 1, "shoulder", point_box(x, 0.3), score) for x, score in ((0.4, 0.5), (0.62, 0.9), (0.65, 0.9))]

    bones = skeletons(parts_of(rows))

    assert joined(bones) == [("collarbone", "shoulder")] * 2
    np.testing.assert_allclose(bones.points, [[[0.5, 0.3], [0.4, 0.3]], [[0.5, 0.3], [0.62, 0.3]]], atol=1e-6)
    np.testing.assert_allclose(bones.score, [0.5, 0.8], atol=1e-6)
    assert bones.track_id.tolist() == [1, 1]


def test_a_joint_hangs_on_one_other_of_a_kind() -> None:
    rows = [(0, 1, "body", [0.2, 0.1, 0.8, 0.9]), (0, 1, "elbow", point_box(0.45, 0.4))]
    rows += [(0, 1, "shoulder", point_box(x, 0.3)) for x in (0.4, 0.6)]

    bones = skeletons(parts_of(rows))

    np.testing.assert_allclose(bones.points, [[[0.4, 0.3], [0.45, 0.4]]], atol=1e-6)


def test_a_whole_person_has_all_bones_each_side_to_itself() -> None:
    bones = skeletons(parts_of(standing(7, 0.5)))

    wanted = [(NAMES[bone.parent], NAMES[bone.child]) for bone in BONES]
    assert sorted(set(joined(bones))) == sorted(wanted)
    assert len(bones) == 2 + 1 + 2 + 2 + 2 + 1 + 2 + 2 + 2
    lengthwise = ~np.isin(bones.labels[:, 0], [NAMES.index("collarbone"), NAMES.index("abdomen")])
    sides = np.sign(np.round(bones.points[..., 0] - 0.5, 3))[lengthwise]
    assert (sides[:, 0] == sides[:, 1]).all()


def test_joints_of_two_people_and_of_nobody_are_never_joined() -> None:
    rows = [
        (0, 1, "body", [0.1, 0.1, 0.5, 0.9]),
        (0, 2, "body", [0.3, 0.1, 0.7, 0.9]),
        (0, 1, "shoulder", point_box(0.4, 0.3)),
        (0, 2, "elbow", point_box(0.4, 0.35)),
        (0, 0, "body", [0.5, 0.1, 0.9, 0.9]),
        (0, 0, "shoulder", point_box(0.6, 0.3)),
        (0, 0, "elbow", point_box(0.6, 0.35)),
    ]

    assert len(skeletons(parts_of(rows))) == 0


@pytest.mark.parametrize("height", [0.8, 0.2])
def test_what_is_too_long_depends_on_the_size_of_the_body(height: float) -> None:
    def arm(length: float) -> int:
        rows = [
            (0, 1, "body", [0.5, 0.9 - height, 0.5 + 1e-4, 0.9]),
            (0, 1, "shoulder", point_box(0.5, 0.9 - height)),
            (0, 1, "elbow", point_box(0.5, 0.9 - height + length * height)),
        ]
        return len(skeletons(parts_of(rows), reach=1.0))

    assert (arm(0.18), arm(0.2)) == (1, 0)


def test_a_head_tells_the_size_of_who_is_half_hidden() -> None:
    rows = [
        (0, 1, "body", [0.4, 0.3, 0.6, 0.5]),
        (0, 1, "shoulder", point_box(0.45, 0.4)),
        (0, 1, "elbow", point_box(0.45, 0.4 + 0.186)),
    ]
    head = (0, 1, "head", [0.45, 0.3, 0.55, 0.3 + 1.01 / 7])

    assert len(skeletons(parts_of(rows), reach=1.0)) == 0
    assert len(skeletons(parts_of([*rows, head]), reach=1.0)) == 1


def test_a_wheelchair_makes_nobody_larger() -> None:
    rows = [
        (0, 1, "body", [0.4, 0.3, 0.6, 0.5]),
        (0, 1, "shoulder", point_box(0.45, 0.3)),
        (0, 1, "elbow", point_box(0.45, 0.4)),
        (0, 1, "body_with_wheelchair", [0.0, 0.0, 1.0, 1.0]),
    ]

    assert WHEELCHAIR in parts_of(rows).label
    assert len(skeletons(parts_of(rows), reach=1.0)) == 0


def test_near_is_near_in_pixels_whatever_the_shape_of_the_frame() -> None:
    rows = [
        (0, 1, "body", [0.1, 0.1, 0.9, 0.9]),
        (0, 1, "shoulder", point_box(0.5, 0.5)),
        (0, 1, "elbow", point_box(0.56, 0.5)),
        (0, 1, "elbow", point_box(0.5, 0.58)),
    ]

    wide = skeletons(parts_of(rows), size_wh=(800, 400))
    square = skeletons(parts_of(rows))

    np.testing.assert_allclose(wide.points[0, 1], [0.5, 0.58], atol=1e-6)
    np.testing.assert_allclose(square.points[0, 1], [0.56, 0.5], atol=1e-6)


def test_doubtful_joints_are_left_out() -> None:
    rows = [
        (0, 1, "body", [0.2, 0.1, 0.8, 0.9]),
        (0, 1, "shoulder", point_box(0.4, 0.3)),
        (0, 1, "elbow", point_box(0.4, 0.4), 0.29),
    ]

    assert len(skeletons(parts_of(rows))) == 0
    assert skeletons(parts_of(rows), min_score=0.2).score.tolist() == [np.float32(0.29)]


def test_rows_are_ordered_by_frame_and_person() -> None:
    rows = [row for f in (1, 0) for k in (3, 1) for row in standing(k, 0.25 * k, 0.4, f)]

    bones = skeletons(parts_of(rows), count=2)

    keys = list(zip(bones.frame_row.tolist(), bones.track_id.tolist(), strict=True))
    assert keys == sorted(keys)
    assert set(keys) == {(0, 1), (0, 3), (1, 1), (1, 3)}


def test_people_without_joints_have_no_bones() -> None:
    rows = [(0, 1, "body", [0.1, 0.1, 0.5, 0.9]), (0, 1, "head", [0.2, 0.1, 0.3, 0.2])]

    assert {BODY, HEAD} == set(parts_of(rows).label.tolist())
    assert len(skeletons(parts_of(rows))) == 0
    assert len(skeletons(TrackedParts.empty())) == 0


def test_two_streams_and_generations_are_apart() -> None:
    rows = [row for frame_row in (0, 1) for row in standing(1, 0.5, 0.6, frame_row)]
    shown = frames(stream=("shop", "door"), pts_s=[0, 0], size_wh=SQUARE)

    (bones,) = run_node(make_node(EstimateSkeleton), [(shown, parts_of(rows))])

    assert np.array_equal(bones.points[bones.frame_row == 0], bones.points[bones.frame_row == 1])
    assert len(bones) == 32
