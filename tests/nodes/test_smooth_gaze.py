import numpy as np
import pytest

from nodes.ops.one_euro import Held, Tuning, filtered
from nodes.smooth_gaze import SmoothGaze
from nodes.types import GazePoints
from tests.helpers import frames, make_node, table

CALM = {"min_cutoff_hz": 1.0, "beta": 0.0}
KEPT = 1 / (1 + 2 * np.pi * 0.1)
"""Share that a filter of 1 Hz keeps over 0.1 s."""


def looks(
    *points: tuple[float, float], ids: list[int] | None = None, sure: float = 1.0, peak: float = 1.0
) -> GazePoints:
    return table(
        GazePoints,
        frame_row=[0] * len(points),
        track_id=ids or [1],
        head_point=[[0.5, 0.2]] * len(points),
        point=points,
        in_frame_prob=[sure] * len(points),
        peak=[peak] * len(points),
    )


def smooth(*ticks: GazePoints, step_s: float = 0.1, size_wh: tuple[int, int] = (640, 360), **config: float) -> list:
    node = make_node(SmoothGaze, **config)
    node.open()
    return [
        node.process(frames(1, start_s=step_s * k, step_s=step_s, size_wh=size_wh), tick)
        for k, tick in enumerate(ticks)
    ]


def test_the_first_point_stays_and_the_second_is_averaged_in() -> None:
    first, second = smooth(looks((0.2, 0.5)), looks((0.4, 0.5), sure=0.9), full_peak=1.0, **CALM)

    assert first.point[0] == pytest.approx([0.2, 0.5])
    assert second.point[0] == pytest.approx([0.2 + 0.2 * 0.9 / (KEPT + 0.9), 0.5])
    assert (second.peak[0], second.head_point.tolist()) == (1.0, first.head_point.tolist())


def test_the_probability_is_averaged_as_a_logit() -> None:
    _, second = smooth(looks((0.2, 0.5), sure=0.5), looks((0.2, 0.5), sure=0.9), in_frame_cutoff_hz=1.0)

    logit = np.log(9) / (1 + KEPT)
    assert second.in_frame_prob[0] == pytest.approx(1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_certainty_is_bounded(sure: float) -> None:
    (only,) = smooth(looks((0.2, 0.5), sure=sure))

    assert only.in_frame_prob[0] == pytest.approx(abs(sure - 1 / (1 + np.exp(6))))


@pytest.mark.parametrize(
    ("doubt", "weight"),
    [({"sure": 0.3}, 0.3), ({"peak": 0.1}, 0.2), ({"sure": 0.5, "peak": 0.25}, 0.25), ({"sure": 0.0}, 0.05)],
    ids=["perhaps outside", "faint", "both", "nothing"],
)
def test_doubtful_points_weigh_less(doubt: dict[str, float], weight: float) -> None:
    _, second = smooth(looks((0.2, 0.5)), looks((0.4, 0.5), **doubt), full_peak=0.5, min_weight=0.05, **CALM)

    assert second.point[0, 0] == pytest.approx(0.2 + 0.2 * weight / (KEPT + weight))


def test_time_between_frames_counts() -> None:
    near = smooth(looks((0.2, 0.5)), looks((0.4, 0.5)), step_s=0.04, **CALM)[1]
    far = smooth(looks((0.2, 0.5)), looks((0.4, 0.5)), step_s=1.0, **CALM)[1]

    assert near.point[0, 0] == pytest.approx(0.2 + 0.2 / (1 / (1 + 2 * np.pi * 0.04) + 1))
    assert far.point[0, 0] == pytest.approx(0.2 + 0.2 / (1 / (1 + 2 * np.pi) + 1))


def test_speed_is_measured_in_frame_heights() -> None:
    """A step to the side in a wide frame is as long as a step down of the same pixels."""
    across = smooth(looks((0.2, 0.5)), looks((0.25, 0.5)), size_wh=(800, 400), min_cutoff_hz=0.5, beta=2.0)[1]
    down = smooth(looks((0.5, 0.2)), looks((0.5, 0.3)), size_wh=(800, 400), min_cutoff_hz=0.5, beta=2.0)[1]

    assert (across.point[0, 0] - 0.2) * 2 == pytest.approx(down.point[0, 1] - 0.2)


def test_each_track_is_smoothed_for_itself_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    seen = [(rng.permutation([3, 7, 9])[: rng.integers(1, 4)], rng.random((3, 2))) for _ in range(20)]
    ticks = [looks(*points[: len(ids)].tolist(), ids=ids.tolist()) for ids, points in seen]

    together = smooth(*ticks, beta=1.0)

    alone = smooth(*[tick.take(tick.track_id == 7) for tick in ticks], beta=1.0)
    for both, one in zip(together, alone, strict=True):
        assert np.array_equal(both.take(both.track_id == 7).point, one.point)


def test_rows_keep_their_order() -> None:
    (made,) = smooth(looks((0.1, 0.1), (0.2, 0.2), (0.3, 0.3), ids=[5, 2, 9]))

    assert made.track_id.tolist() == [5, 2, 9]
    assert made.point[:, 0] == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize(("gap", "expected"), [(10, False), (25, True)], ids=["a second", "too long"])
def test_a_gap_is_bridged_for_forget_s(gap: int, expected: bool) -> None:
    nobody = GazePoints.empty()

    back = smooth(looks((0.2, 0.5)), *[nobody] * gap, looks((0.4, 0.5)), forget_s=2.0, **CALM)[-1]

    assert (back.point[0, 0] == np.float32(0.4)) == expected


def test_streams_and_generations_are_smoothed_for_themselves() -> None:
    node = make_node(SmoothGaze, **CALM)
    node.open()
    batch = frames(5, ("a", "b", "a", "a", "b"), pts_s=[0, 0, 0.1, 0.2, 0.2], generation=[0, 0, 0, 1, 0])
    x = [0.2, 0.9, 0.2, 0.7, 0.9]
    points = table(GazePoints, frame_row=range(5), track_id=[1] * 5, point=[[one, 0.5] for one in x], peak=[1.0] * 5)

    made = node.process(batch, points)

    assert made.point[:, 0] == pytest.approx(x)


def test_a_finished_stream_is_forgotten() -> None:
    node = make_node(SmoothGaze, **CALM)
    node.open()
    node.process(frames(1), looks((0.2, 0.5)))

    node.stream_ended("shop")

    assert node.process(frames(1, start_s=0.1), looks((0.9, 0.5))).point[0, 0] == np.float32(0.9)


def test_settings_can_change_while_it_runs() -> None:
    node = make_node(SmoothGaze, **CALM)
    node.open()
    node.process(frames(1), looks((0.2, 0.5)))

    node.config = type(node.config)(min_cutoff_hz=1000.0)
    node.reconfigured()

    assert node.process(frames(1, start_s=0.1), looks((0.9, 0.5))).point[0, 0] == pytest.approx(0.9, abs=0.01)


def test_it_is_the_filter_of_the_maths() -> None:
    rng = np.random.default_rng(4)
    held = Held.nothing(np.zeros((1, 2)))
    samples = rng.random((30, 2)).astype(np.float32)

    made = smooth(*[looks(tuple(sample)) for sample in samples], size_wh=(100, 100), min_cutoff_hz=0.7, beta=0.4)

    for k, sample in enumerate(samples):
        start = Held.nothing(sample[None].astype(np.float64)) if k == 0 else held
        held = filtered(start, sample[None].astype(np.float64), np.ones(1), np.array([0.1]), Tuning(0.7, 0.4, 1.0))
        assert made[k].point[0] == pytest.approx(held.value[0], abs=1e-6)


def test_a_frame_that_comes_twice_stays_finite() -> None:
    node = make_node(SmoothGaze)
    node.open()
    node.process(frames(1), looks((0.2, 0.5)))
    again = node.process(frames(1), looks((0.2, 0.5)))

    assert again.point[0] == pytest.approx([0.2, 0.5])
    assert np.isfinite(again.in_frame_prob).all()
