import numpy as np
import pytest

from nodes.ops.heatmap import cell_centres
from nodes.ops.two_states import Chain, bounded, updated
from nodes.smooth_gaze import SmoothGaze
from nodes.types import GazeMaps, GazePoints, Tracks
from pipeline.values import equal
from tests.helpers import frames, make_node, table

LEFT, RIGHT = (0.2, 0.5), (0.8, 0.5)
SPREAD = 0.05
CELLS = 32


def opened(**config: object) -> SmoothGaze:
    node = make_node(SmoothGaze, **config)
    node.open()
    return node


def looks(
    *points: tuple[float, float],
    ids: list[int] | None = None,
    sure: float = 0.9,
    at_s: float = 0,
    spread: float = SPREAD,
) -> GazePoints:
    """Return points of one frame, made of the picture at a time."""
    return table(
        GazePoints,
        frame_row=[0] * len(points),
        track_id=ids or [1],
        head_point=[[0.5, 0.2]] * len(points),
        point=points,
        in_frame_prob=[sure] * len(points),
        peak=[0.5] * len(points),
        spread=[[spread, spread]] * len(points),
        asked_ns=[round(at_s * 1e9)] * len(points),
    )


def maps_of(points: GazePoints, spread: float = 2 * SPREAD) -> GazeMaps:
    """Return a normal distribution about each point."""
    middles = cell_centres(CELLS)
    x = np.exp(-((middles - points.point[:, :1]) ** 2) / (2 * spread**2))
    y = np.exp(-((middles - points.point[:, 1:]) ** 2) / (2 * spread**2))
    return table(
        GazeMaps,
        frame_row=points.frame_row,
        track_id=points.track_id,
        heatmap=y[:, :, None] * x[:, None, :],
        asked_ns=points.asked_ns,
    )


def run(*points: tuple[float, float], fps: float = 30.0, maps: bool = False, **config: object) -> np.ndarray:
    """Return the points (T, 2) reported of one person who is asked about in every frame."""
    node = opened(**config)
    made = []
    for k, point in enumerate(points):
        seen = looks(point, at_s=k / fps)
        gaze = maps_of(seen) if maps else None
        made.append(node.process(frames(1, start_s=k / fps, step_s=1 / fps), seen, gaze).point[0])
    return np.array(made)


def noisy(about: tuple[float, float], count: int, rng: np.random.Generator, sigma: float = 0.02) -> list:
    return [tuple(point) for point in np.array(about) + rng.normal(0, sigma, (count, 2))]


@pytest.mark.parametrize("maps", [False, True], ids=["points", "maps"])
def test_a_fixation_is_held_steady(maps: bool) -> None:
    rng = np.random.default_rng(0)
    seen = noisy((0.4, 0.5), 60, rng)

    made = run(*seen, maps=maps)[15:]

    assert np.abs(made - [0.4, 0.5]).max() < 0.025
    steps = [np.linalg.norm(np.diff(points, axis=0), axis=1).mean() for points in (made, seen[15:])]
    assert steps[0] < 0.25 * steps[1]


@pytest.mark.parametrize("maps", [False, True], ids=["points", "maps"])
@pytest.mark.parametrize("fps", [5, 12.5, 30, 60])
def test_a_shift_is_followed_at_the_second_look_and_nothing_is_reported_between(maps: bool, fps: float) -> None:
    made = run(*[LEFT] * 20, *[RIGHT] * 5, fps=fps, maps=maps)[:, 0]

    assert made[:21] == pytest.approx([LEFT[0]] * 21, abs=0.01)
    assert made[21:] == pytest.approx([RIGHT[0]] * 4, abs=0.01)


@pytest.mark.parametrize("maps", [False, True], ids=["points", "maps"])
@pytest.mark.parametrize("fps", [5, 60])
def test_a_single_outlier_is_no_shift(maps: bool, fps: float) -> None:
    made = run(*[LEFT] * 20, RIGHT, *[LEFT] * 5, fps=fps, maps=maps)

    assert made == pytest.approx(np.array([LEFT] * 26), abs=0.01)


def test_a_broad_map_may_wander_farther_than_a_sharp_one() -> None:
    node = make_node(SmoothGaze)
    moved = {}
    for spread in (0.02, 0.15):
        node.open()
        for k, x in enumerate([0.4] * 10 + [0.5, 0.5]):
            seen = looks((x, 0.5), at_s=k / 30, spread=spread)
            moved[spread] = node.process(frames(1, start_s=k / 30), seen).point[0, 0] - 0.4

    assert moved[0.02] == pytest.approx(0.1)
    assert moved[0.15] < 0.04


def test_the_rate_hardly_matters() -> None:
    """The same gaze, seen at 60, 30 and 15 frames a second: reported points differ by less than their noise."""
    rng = np.random.default_rng(1)
    truth = np.repeat([[0.2, 0.4], [0.6, 0.5], [0.7, 0.3], [0.3, 0.6]], 60, axis=0)
    drift = np.cumsum(rng.normal(0, 0.002, truth.shape), axis=0)
    seen = [tuple(point) for point in truth + drift]

    made = {step: run(*seen[::step], fps=60 / step) for step in (1, 2, 4)}

    for step in (2, 4):
        apart = np.linalg.norm(made[1][::step] - made[step], axis=1)
        assert np.median(apart) < 0.005
        assert (apart > 0.1).sum() <= 3  # the three shifts, each known one look later at the lower rate


def test_the_spread_becomes_that_of_what_is_held() -> None:
    node = opened()
    node.process(frames(1), looks(LEFT, spread=0.1))

    made = node.process(frames(1, start_s=0.1), looks(LEFT, spread=0.06, at_s=0.1))

    assert 0.06 < made.spread[0, 0] < 0.1


def test_the_in_frame_probability_is_that_of_the_chain() -> None:
    node = opened(inside_s=0.6, outside_s=0.3, evidence_s=0.1)
    chain, chance = Chain(0.6, 0.3, 0.1), None
    for k, sure in enumerate([0.9, 0.8, 0.2, 0.3, 0.1, 1.0, 0.0]):
        made = node.process(frames(1, start_s=0.04 * k), looks(LEFT, sure=sure, at_s=0.04 * k))
        seen = np.array([sure], np.float32)
        before = chance
        chance = bounded(seen) if before is None else updated(before, seen, np.array([0.04]), chain)
        assert made.in_frame_prob[0] == pytest.approx(chance[0])


def test_an_older_map_that_stands_in_is_no_look_though_the_head_moves() -> None:
    node = opened()
    first = node.process(frames(1), looks(LEFT, sure=0.9))
    held = []
    for k in range(1, 6):
        seen = looks(RIGHT, sure=0.1, at_s=0.0)
        seen = table(GazePoints, **{**vars(seen), "head_point": [[0.5 + k / 100, 0.2]]})
        held.append(node.process(frames(1, start_s=k / 30), seen))

    assert all((one.point == first.point).all() for one in held)
    assert all((one.in_frame_prob == first.in_frame_prob).all() for one in held)
    assert held[-1].head_point[0, 0] == pytest.approx(0.55)
    assert node.process(frames(1, start_s=0.2), looks(LEFT, sure=0.1, at_s=0.2)).in_frame_prob[0] < 0.5


def test_time_is_counted_from_look_to_look() -> None:
    """A call every third frame gives what a third of the rate gives."""
    rng = np.random.default_rng(2)
    seen = noisy(LEFT, 10, rng)
    node = opened()
    spared = []
    for k in range(30):
        points = looks(seen[k // 3], at_s=k // 3 * 0.1)
        spared.append(node.process(frames(1, start_s=k / 30), points).point[0])

    assert np.array(spared)[::3] == pytest.approx(run(*seen, fps=10))
    assert (np.array(spared)[1::3] == np.array(spared)[::3]).all()


def test_with_maps_a_point_without_its_map_is_no_look() -> None:
    node = opened()
    begun = looks(LEFT, ids=[4])
    node.process(frames(1), begun, maps_of(begun))

    made = node.process(frames(1, start_s=0.1), looks(RIGHT, RIGHT, ids=[4, 5], at_s=0.1), GazeMaps.empty())

    assert made.point[:, 0] == pytest.approx([LEFT[0], RIGHT[0]], abs=0.01)
    assert made.in_frame_prob == pytest.approx([0.9, 0.9])


def test_what_is_held_stands_in_its_rows_among_those_of_whom_nothing_is() -> None:
    node = opened()
    begun = looks(LEFT, RIGHT, ids=[4, 6])
    node.process(frames(1), begun, maps_of(begun))

    seen = looks(RIGHT, (0.5, 0.5), (0.5, 0.5), (0.1, 0.9), ids=[6, 7, 4, 8], at_s=0.1)
    made = node.process(frames(1, start_s=0.1), seen, GazeMaps.empty())

    assert made.track_id.tolist() == [6, 7, 4, 8]
    assert made.point[:, 0] == pytest.approx([RIGHT[0], 0.5, LEFT[0], 0.1], abs=0.01)


def test_each_track_is_smoothed_for_itself_whatever_the_order() -> None:
    rng = np.random.default_rng(0)
    ticks = []
    for k in range(20):
        ids = rng.permutation([3, 7, 9])[: rng.integers(1, 4)].tolist()
        ticks.append(looks(*rng.random((len(ids), 2)).tolist(), ids=ids, at_s=k / 30))
    together, alone = opened(), opened()

    for k, tick in enumerate(ticks):
        frame, one = frames(1, start_s=k / 30), tick.take(tick.track_id == 7)
        both, single = together.process(frame, tick, maps_of(tick)), alone.process(frame, one, maps_of(one))
        assert both.track_id.tolist() == tick.track_id.tolist()
        assert np.array_equal(both.take(both.track_id == 7).point, single.point)


@pytest.mark.parametrize(("gap_s", "bridged"), [(1.0, True), (2.5, False)], ids=["a second", "too long"])
def test_a_gap_is_bridged_for_forget_s(gap_s: float, bridged: bool) -> None:
    node = opened(forget_s=2.0)
    node.process(frames(1), looks(LEFT))

    back = node.process(frames(1, start_s=gap_s), looks(RIGHT, at_s=gap_s))

    assert back.point[0] == pytest.approx(LEFT if bridged else RIGHT)


def test_streams_and_generations_are_smoothed_for_themselves() -> None:
    node = opened()
    batch = frames(5, ("a", "b", "a", "a", "b"), pts_s=[0, 0, 0.1, 0.2, 0.2], generation=[0, 0, 0, 1, 0])
    x = [0.2, 0.9, 0.2, 0.7, 0.9]
    points = table(
        GazePoints,
        frame_row=range(5),
        track_id=[1] * 5,
        point=[[one, 0.5] for one in x],
        spread=[[SPREAD] * 2] * 5,
        asked_ns=batch.pts_ns,
    )

    assert node.process(batch, points).point[:, 0] == pytest.approx(x)


def test_a_finished_stream_is_forgotten() -> None:
    node = opened()
    node.process(frames(1), looks(LEFT))

    node.stream_ended("shop")

    assert node.process(frames(1, start_s=0.1), looks(RIGHT, at_s=0.1)).point[0] == pytest.approx(RIGHT)


def correction(track_id: int, taken_from: int) -> Tracks:
    return table(Tracks, frame_row=[0], track_id=[track_id], taken_from=[taken_from])


@pytest.mark.parametrize(("own_s", "expected"), [(None, LEFT), (0.0, LEFT), (0.2, RIGHT)], ids=["none", "older", "own"])
def test_a_track_takes_over_the_fresher_filter_of_the_one_it_takes_from(
    own_s: float | None, expected: tuple[float, float]
) -> None:
    """Track 2 is found to be track 1: what was held of 1 goes on, unless 2 looked since."""
    node = opened()
    seen = {0.1: looks(LEFT, ids=[1], at_s=0.1)}
    if own_s is not None:
        seen[own_s] = looks(RIGHT, ids=[2], at_s=own_s)
    for at_s, points in sorted(seen.items()):
        node.process(frames(1, start_s=at_s), points, None, Tracks.empty())

    node.process(frames(1, start_s=0.3), GazePoints.empty(), None, correction(2, 1))
    middle = looks((0.5, 0.5), ids=[2], at_s=0.4)
    made = node.process(frames(1, start_s=0.4), middle, None, Tracks.empty())

    assert made.point[0] == pytest.approx(expected)


def test_a_track_that_takes_from_nobody_known_begins_anew() -> None:
    node = opened()

    made = node.process(frames(1), looks(LEFT, ids=[2]), None, correction(2, 1))

    assert made.point[0] == pytest.approx(LEFT)


def test_settings_can_change_while_it_runs() -> None:
    node = opened(gate=1.0, hold_s=100.0)
    node.process(frames(1), looks(LEFT))
    node.config = type(node.config)(hold_s=0.001)
    node.reconfigured()

    nearby = (LEFT[0] + 0.01, LEFT[1])
    assert node.process(frames(1, start_s=0.1), looks(nearby, at_s=0.1)).point[0] == pytest.approx(nearby)


def test_a_frame_that_comes_twice_changes_nothing() -> None:
    node = opened()
    first, again = (node.process(frames(1), looks(LEFT)) for _ in range(2))

    assert equal(first, again)
