from typing import Any

import numpy as np
import pytest

from nodes.smooth_head_pose import SmoothHeadPose
from nodes.types import HeadPoses
from tests.helpers import frames, make_node, table

CALM = {"min_cutoff_hz": 1.0, "beta": 0.0, "usual_error_deg": 1e9}
KEPT = 1 / (1 + 2 * np.pi * 0.1)
"""Share that a filter of 1 Hz keeps over 0.1 s."""
NAN = float("nan")


def poses(*angles: tuple[float, float, float], ids: list[int] | None = None, score: float = 1.0) -> HeadPoses:
    count = len(angles)
    columns = {"frame_row": [0] * count, "track_id": ids or [1], "score": [score] * count}
    return table(HeadPoses, **columns, yaw_pitch_roll_deg=angles)


def yaw(angle: float, **how: Any) -> HeadPoses:
    return poses((angle, NAN, NAN), **how)


def smooth(*ticks: HeadPoses, step_s: float = 0.1, **config: float) -> list[HeadPoses]:
    node = make_node(SmoothHeadPose, **config)
    node.open()
    return [node.process(frames(1, start_s=step_s * k, step_s=step_s), tick) for k, tick in enumerate(ticks)]


def test_the_first_pose_stays_and_the_second_is_averaged_in() -> None:
    first, second = smooth(poses((20, 10, 5)), poses((40, 10, 5), score=0.9), **CALM)

    assert first.yaw_pitch_roll_deg[0] == pytest.approx([20, 10, 5], abs=1e-5)
    assert second.yaw_pitch_roll_deg[0] == pytest.approx([20 + 20 * 0.9 / (KEPT + 0.9), 10, 5], abs=1e-4)
    assert (second.score[0], second.track_id.tolist()) == (np.float32(0.9), [1])


def test_what_is_not_known_of_a_pose_stays_so() -> None:
    made = smooth(yaw(20), poses((20, 10, 5)), yaw(20), poses((20, 10, 5)), **CALM)

    known = [np.isfinite(each.yaw_pitch_roll_deg[0]).tolist() for each in made]
    assert known == [[True, False, False], [True] * 3] * 2
    assert made[3].yaw_pitch_roll_deg[0] == pytest.approx([20, 10, 5], abs=1e-4)


def test_time_between_frames_counts() -> None:
    near, far = (smooth(yaw(20), yaw(40), step_s=step, **CALM)[1] for step in (0.04, 0.8))

    for made, step in ((near, 0.04), (far, 0.8)):
        assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(20 + 20 / (1 / (1 + 2 * np.pi * step) + 1))


def test_a_pose_of_no_score_weighs_a_little() -> None:
    made = smooth(yaw(20), yaw(40, score=0), min_weight=0.1, **CALM)[1]

    assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(20 + 20 * 0.1 / (KEPT + 0.1))


def test_each_track_is_smoothed_for_itself_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    seen = [(rng.permutation([3, 7, 9])[: rng.integers(1, 4)], rng.uniform(-90, 90, (3, 3))) for _ in range(20)]
    ticks = [poses(*angles[: len(ids)].tolist(), ids=ids.tolist()) for ids, angles in seen]

    together = smooth(*ticks)

    alone = smooth(*[tick.take(tick.track_id == 7) for tick in ticks])
    for both, one, tick in zip(together, alone, ticks, strict=True):
        assert both.track_id.tolist() == tick.track_id.tolist()
        assert np.array_equal(both.take(both.track_id == 7).yaw_pitch_roll_deg, one.yaw_pitch_roll_deg)


@pytest.mark.parametrize(("gap", "anew"), [(8, False), (12, True)], ids=["short", "too long"])
def test_a_gap_is_bridged_for_forget_s(gap: int, anew: bool) -> None:
    back = smooth(yaw(20), *[HeadPoses.empty()] * gap, yaw(40), forget_s=1.0, **CALM)[-1]

    assert (back.yaw_pitch_roll_deg[0, 0] == pytest.approx(40, abs=1e-4)) == anew


def test_streams_and_generations_are_smoothed_for_themselves() -> None:
    node = make_node(SmoothHeadPose, **CALM)
    node.open()
    batch = frames(5, ("a", "b", "a", "a", "b"), pts_s=[0, 0, 0.1, 0.2, 0.2], generation=[0, 0, 0, 1, 0])
    given = [20, -60, 20, 150, -60]
    angles = [[one, NAN, NAN] for one in given]

    made = node.process(batch, table(HeadPoses, frame_row=range(5), track_id=[1] * 5, yaw_pitch_roll_deg=angles))

    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx(given, abs=1e-4)


def test_a_finished_stream_is_forgotten() -> None:
    node = make_node(SmoothHeadPose, **CALM)
    node.open()
    node.process(frames(1), yaw(20))

    node.stream_ended("shop")

    made = node.process(frames(1, start_s=0.1), yaw(90))
    assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(90, abs=1e-4)


def test_settings_can_change_while_it_runs() -> None:
    node = make_node(SmoothHeadPose, **CALM)
    node.open()
    node.process(frames(1), yaw(20))

    node.config = type(node.config)(min_cutoff_hz=1e5)
    node.reconfigured()

    made = node.process(frames(1, start_s=0.1), yaw(40))
    assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(40, abs=0.01)


def test_a_frame_that_comes_twice_stays_finite() -> None:
    node = make_node(SmoothHeadPose)
    node.open()
    node.process(frames(1), poses((20, 10, 5)))

    again = node.process(frames(1), poses((20, 10, 5)))

    assert again.yaw_pitch_roll_deg[0] == pytest.approx([20, 10, 5], abs=1e-4)
