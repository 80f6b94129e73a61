import numpy as np
import pytest

from nodes.estimate_head_pose import EstimateHeadPose
from nodes.types import HeadPoses, Tracks
from tests.helpers import make_node, run_node, table

BOX = [0.1, 0.1, 0.2, 0.2]


def poses(*scores: list[float], boxes: list[list[float]] | None = None, **config: float) -> HeadPoses:
    tracks = table(
        Tracks,
        frame_row=[k // 2 for k in range(len(scores))],
        track_id=[k + 1 for k in range(len(scores))],
        head_box=boxes or [BOX] * len(scores),
        direction_scores=scores,
    )
    return run_node(make_node(EstimateHeadPose, **config), [(tracks,)])[0]


def test_directions_become_a_yaw_and_the_rest_is_unknown() -> None:
    made = poses([0.9, 0, 0, 0, 0, 0, 0, 0], [0, 0.2, 0.2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0.5, 0])

    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([0, 67.5, -90], abs=1e-4)
    assert np.isnan(made.yaw_pitch_roll_deg[:, 1:]).all()
    assert made.score == pytest.approx([1, np.cos(np.pi / 8), 1])
    assert (made.frame_row.tolist(), made.track_id.tolist()) == ([0, 0, 1], [1, 2, 3])


def test_heads_without_a_box_or_without_evidence_have_no_pose() -> None:
    nothing, front = [0.0] * 8, [0.9, 0, 0, 0, 0, 0, 0, 0]
    weak, torn = [0.04, 0, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.4, 0, 0, 0]

    made = poses(nothing, front, weak, torn, front, boxes=[BOX] * 4 + [[np.nan] * 4])

    assert made.track_id.tolist() == [2]


def test_how_much_evidence_is_needed_can_be_set() -> None:
    weak, torn = [0.04, 0, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.4, 0, 0, 0]

    made = poses(weak, torn, min_evidence=0.0, min_agreement=0.0)

    assert made.track_id.tolist() == [1, 2]
    assert made.score == pytest.approx([1, 1 / 9])


def test_no_evidence_is_no_pose_whatever_is_set() -> None:
    assert len(poses([0.0] * 8, min_evidence=0.0, min_agreement=0.0)) == 0
