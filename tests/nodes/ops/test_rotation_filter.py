import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops import rotations as rot
from nodes.ops.rotation_filter import Held, Tuning, filtered

CALM = Tuning(min_cutoff_hz=1.0, beta=0.0, speed_cutoff_hz=1.0, usual_error_deg=1e9)
USUAL = Tuning(min_cutoff_hz=0.5, beta=0.02, speed_cutoff_hz=1.0, usual_error_deg=90.0)
KEPT = 1 / (1 + 2 * np.pi * 0.1)
"""Share that a filter of 1 Hz keeps over 0.1 s."""
ANGLES = st.tuples(st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180))
SERIES = st.lists(ANGLES, min_size=2, max_size=5)


def run(samples: np.ndarray, dt_s: float = 0.1, tuning: Tuning = USUAL, weight: float = 1.0) -> np.ndarray:
    """Return what one filter makes of samples (T, 3): angles (T, 3)."""
    held, made = Held.nothing(1), []
    for sample in np.asarray(samples, np.float64):
        held = filtered(held, sample[None], np.array([weight]), np.array([dt_s]), tuning)
        made.append(held.yaw_pitch_roll_deg[0])
    return np.array(made)


def yaws(*yaw: float, **how: float) -> list[float]:
    samples = np.full((len(yaw), 3), np.nan)
    samples[:, 0] = yaw
    made = run(samples, **how)
    assert np.isnan(made[:, 1:]).all()
    return made[:, 0].tolist()


def turns(angles: np.ndarray) -> np.ndarray:
    return rot.matrices(angles)


def test_the_first_pose_stays_and_the_second_is_averaged_in() -> None:
    assert yaws(20, 40, tuning=CALM) == pytest.approx([20, 20 + 20 / (KEPT + 1)])
    assert run([[20, 10, 5]], tuning=CALM) == pytest.approx(np.array([[20, 10, 5]]))


def test_the_way_round_the_back_stays_there() -> None:
    assert yaws(170, -170, tuning=CALM)[1] == pytest.approx(170 + 20 / (KEPT + 1) - 360)
    assert yaws(-170, 170, tuning=CALM)[1] == pytest.approx(360 - 170 - 20 / (KEPT + 1))


@pytest.mark.parametrize("pitch", [0, 30, 80])
def test_noise_about_a_back_never_shows_the_front(pitch: float) -> None:
    rng = np.random.default_rng(2)
    samples = np.array([180, pitch, 0]) + rng.normal(0, 8, (100, 3))

    made = run(samples, 0.04)

    off = rot.angle_between(turns(made), turns(np.tile([180.0, pitch, 0], (100, 1))))
    assert off.max() < 30
    assert off[30:].mean() < 8


@given(SERIES, ANGLES)
def test_it_is_the_same_filter_whichever_way_the_picture_is_turned(
    series: list[tuple[float, float, float]], about: tuple[float, float, float]
) -> None:
    """No filter of angles is; it is what filtering rotations means."""
    frame = turns(np.array([about]))
    samples = np.array(series)

    plain = turns(run(samples))
    turned = turns(run(rot.yaw_pitch_roll(frame @ turns(samples))))

    # Half a turn has two shortest ways, and which one is taken may differ.
    steps = rot.angle_between(turns(samples)[1:], plain[:-1])
    if steps.max() < 175:
        assert turned == pytest.approx(frame @ plain, abs=1e-5)


@given(SERIES)
def test_it_is_the_same_filter_in_a_mirror(series: list[tuple[float, float, float]]) -> None:
    samples, mirror = np.array(series), np.diag([-1.0, 1, 1])

    plain = turns(run(samples))
    mirrored = turns(run(samples * [-1, 1, -1]))

    if rot.angle_between(turns(samples)[1:], plain[:-1]).max() < 175:
        assert mirrored == pytest.approx(mirror @ plain @ mirror, abs=1e-5)


@given(ANGLES, ANGLES)
def test_each_step_is_on_the_shortest_way_to_the_sample(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    start, end = turns(np.array([first])), turns(np.array([second]))

    made = turns(run(np.array([first, second]))[1:])

    assert rot.angle_between(start, made) + rot.angle_between(made, end) == pytest.approx(
        rot.angle_between(start, end), abs=1e-4
    )


def test_where_only_the_yaw_is_known_the_rest_is_held_and_taken_up_again() -> None:
    nan = float("nan")

    made = run([[10, 20, 30], [20, nan, nan], [20, nan, nan], [20, 20, 30]], tuning=CALM)

    assert made[:, 1] == pytest.approx([20] * 4)
    assert made[:, 2] == pytest.approx([30] * 4)
    assert (np.diff(made[:, 0]) > 0).all()


def test_the_first_pitch_and_roll_are_taken_whole() -> None:
    nan = float("nan")

    made = run([[10, nan, nan]] * 5 + [[10, 20, 30]] + [[10, 22, 30]], tuning=CALM)

    assert np.isnan(made[:5, 1:]).all()
    assert made[5] == pytest.approx([10, 20, 30])
    # They weigh as much as after two samples, however many yaws came before.
    assert made[6, 1] == pytest.approx(20 + 2 / ((KEPT + 1) * KEPT + 1))


def test_doubtful_poses_weigh_less() -> None:
    held = filtered(Held.nothing(1), np.array([[20.0, 0, 0]]), np.ones(1), np.full(1, 0.1), CALM)

    after = filtered(held, np.array([[40.0, 0, 0]]), np.full(1, 0.3), np.full(1, 0.1), CALM)

    assert after.yaw_pitch_roll_deg[0, 0] == pytest.approx(20 + 20 * 0.3 / (KEPT + 0.3))


def test_a_doubtful_first_pose_does_not_count_whole_for_long() -> None:
    made = run([[0, 0, 0], [40, 0, 0]], tuning=CALM, weight=0.1)

    assert made[1, 0] == pytest.approx(40 / (KEPT + 1))


def test_a_head_taken_for_its_back_for_a_frame_does_not_turn_round() -> None:
    made = yaws(*[0.0] * 20, 179, *[0.0] * 10, dt_s=0.04)

    assert max(abs(yaw) for yaw in made) < 50
    assert abs(made[-1]) < 8


@pytest.mark.parametrize("fps", [5, 30, 60])
def test_a_head_that_stays_turned_is_followed(fps: float) -> None:
    made = yaws(*[0.0] * int(2 * fps), *[150.0] * int(2 * fps), dt_s=1 / fps)

    late = np.argmax(np.array(made) > 75) / fps - 2
    assert late < 0.25
    assert made[-1] == pytest.approx(150, abs=2)


@pytest.mark.parametrize(("fps", "rest", "lag_s"), [(5, 0.85, 0.1), (30, 0.65, 0.05), (60, 0.55, 0.05)])
def test_it_is_steady_at_rest_and_early_after_a_turn(fps: int, rest: float, lag_s: float) -> None:
    """Noise of 8° on each angle. The turn: 80° within 0.4 s, as a head turns to somebody."""
    rng = np.random.default_rng(0)
    still = np.tile([20.0, 10, 0], (10 * fps, 1))
    noisy = still + rng.normal(0, 8, still.shape)
    time = np.arange(5 * fps) / fps
    yaw = -40 + 80 * np.clip((time - 2) / 0.4, 0, 1)
    turning = np.stack([yaw, np.full_like(yaw, 10), np.zeros_like(yaw)], axis=1) + rng.normal(0, 8, (len(yaw), 3))

    errors = [rot.angle_between(turns(made), turns(still))[2 * fps :] for made in (run(noisy, 1 / fps), noisy)]
    made = run(turning, 1 / fps)[:, 0]
    past = np.argmax((made > 0) & (time > 1.9))
    middle = np.interp(0, made[past - 1 : past + 1], time[past - 1 : past + 1])

    assert np.sqrt((errors[0] ** 2).mean() / (errors[1] ** 2).mean()) < rest
    assert middle - 2.2 < lag_s


def test_filters_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(5)
    samples = rng.uniform(-80, 80, (6, 4, 3))
    together = Held.nothing(4)
    for sample in samples:
        together = filtered(together, sample, np.ones(4), np.full(4, 0.1), USUAL)

    for k in range(4):
        assert together.yaw_pitch_roll_deg[k] == pytest.approx(run(samples[:, k])[-1])
    back = together.take(np.array([2, 0])).join(together.take(np.array([3])))
    assert back.yaw_pitch_roll_deg == pytest.approx(together.yaw_pitch_roll_deg[[2, 0, 3]])


def test_no_filters_are_ordinary() -> None:
    none = filtered(Held.nothing(0), np.zeros((0, 3)), np.zeros(0), np.zeros(0), USUAL)

    assert none.yaw_pitch_roll_deg.shape == (0, 3)
