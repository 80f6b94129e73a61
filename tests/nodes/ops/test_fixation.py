import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.fixation import WHOLE, Fixations, Pace, distances, followed, on_maps, seen_anew, share_followed
from nodes.ops.heatmap import cell_centres

PACE = Pace(hold_s=0.5, gate=0.4, follow_s=0.02)
STEP = np.array([0.1])


def spots(*points: tuple[float, float], spread: float = 0.05) -> Fixations:
    return seen_anew(np.array(points), np.full((len(points), 2), spread), None)


def maps(*heat: list[list[float]]) -> Fixations:
    none = np.zeros((len(heat), 2))
    return seen_anew(none, none, np.array(heat, np.float32))


def share(distance: float, before: float) -> float:
    return float(share_followed(np.array([distance]), np.array([before]), STEP, PACE)[0])


def test_maps_are_as_far_apart_as_they_share_little() -> None:
    held, seen = maps([[0.5, 0.5, 0.0, 0.0]] * 1), maps([[0.0, 0.2, 0.2, 0.0]])

    assert distances(held, held)[0] == pytest.approx(0, abs=1e-6)
    assert distances(held, seen)[0] == pytest.approx(0.5)
    assert distances(held, maps([[0.0, 0.0, 0.0, 3.0]]))[0] == pytest.approx(1)


def test_points_are_as_far_apart_as_normal_distributions_of_their_spread() -> None:
    """By numbers: the integral of the root of the product of both."""
    x = np.linspace(-1, 2, 3001)

    def density(mean: float, sigma: float) -> np.ndarray:
        return np.exp(-((x - mean) ** 2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))

    held, seen = spots((0.4, 0.5), spread=0.05), spots((0.52, 0.5), spread=0.08)
    shared = np.sqrt(density(0.4, 0.05 * WHOLE) * density(0.52, 0.08 * WHOLE)).sum() * (x[1] - x[0])
    across = np.sqrt(2 * 0.05 * 0.08 / (0.05**2 + 0.08**2))

    assert distances(held, held)[0] == pytest.approx(0)
    assert distances(held, seen)[0] == pytest.approx(1 - shared * across, abs=1e-6)


def test_the_part_of_a_normal_distribution_above_half_its_peak_is_as_much_narrower() -> None:
    x, y = np.meshgrid(np.linspace(-3, 3, 601), np.linspace(-3, 3, 601))
    weight = np.exp(-(x**2 + y**2) / 2)
    weight[weight < 0.5] = 0

    assert 1 / np.sqrt((weight * x**2).sum() / weight.sum()) == pytest.approx(WHOLE, rel=0.01)


def test_within_a_fixation_looks_are_averaged_over_hold_s() -> None:
    assert share(0.0, 0.0) == pytest.approx(1 - np.exp(-0.1 / 0.5))
    assert share(0.0, 1.0) == share(0.0, 0.0)


def test_a_single_look_beyond_the_gate_waits() -> None:
    assert share(0.9, 0.0) == 0
    assert 0 < share(0.2, 0.0) < share(0.0, 0.0)


def test_two_looks_beyond_the_gate_are_another_fixation() -> None:
    assert share(0.4, 0.4) == 1
    assert share(1.0, 0.5) == 1
    assert share(0.2, 0.9) == pytest.approx(1 - np.exp(-0.1 * (0.5 / 0.5 + 1 / 0.02)))


@given(*[st.floats(0, 1)] * 2, st.floats(0.001, 2))
def test_shares_are_shares_and_grow_with_the_look_before(distance: float, before: float, dt_s: float) -> None:
    low, high = (
        share_followed(np.array([distance]), np.array([one]), np.array([dt_s]), PACE)[0] for one in (0.0, before)
    )

    assert 0 <= low <= high <= 1


def test_what_is_held_goes_that_share_of_the_way() -> None:
    held, seen = spots((0.4, 0.5), spread=0.05), spots((0.41, 0.5), spread=0.06)

    made = followed(held, seen, STEP, PACE)

    way = share(float(distances(held, seen)[0]), 0.0)
    assert made.point[0] == pytest.approx([0.4 + 0.01 * way, 0.5])
    assert made.spread[0] ** 2 == pytest.approx(0.05**2 + way * (0.06**2 - 0.05**2))
    assert made.distance == distances(held, seen)


def test_maps_are_averaged_and_read() -> None:
    held, seen = maps([[0.6, 0.4, 0.0, 0.0]]), maps([[0.4, 0.6, 0.0, 0.0]])

    made = followed(held, seen, STEP, PACE)
    read = on_maps(made, cell_centres(4), cell_centres(1), 0.5)

    way = share(float(distances(held, seen)[0]), 0.0)
    high, low = 0.6 - 0.2 * way, 0.4 + 0.2 * way
    assert made.map[0, 0] == pytest.approx([high, low, 0, 0], abs=1e-6)
    rising = (low - high / 2) / (high - high / 2 + low - high / 2)
    assert read.point[0] == pytest.approx([0.125 + 0.25 * rising, 0.5], abs=1e-6)
    assert read.distance == made.distance


def test_a_map_of_zeros_is_even() -> None:
    assert maps([[0.0, 0.0], [0.0, 0.0]]).map[0] == pytest.approx(np.full((2, 2), 0.25))


def test_everybody_is_followed_for_themselves() -> None:
    held, seen = spots((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)), spots((0.1, 0.12), (0.8, 0.5), (0.9, 0.9))
    dt_s = np.array([0.1, 0.2, 0.3])

    together = followed(held, seen, dt_s, PACE)

    for k in range(3):
        alone = followed(held.take([k]), seen.take([k]), dt_s[k : k + 1], PACE)
        assert (alone.point[0] == together.point[k]).all()
        assert alone.distance[0] == together.distance[k]


def test_nobody_is_held_with_any_shape_of_maps() -> None:
    nobody, somebody = spots(), maps([[0.2, 0.3]])

    assert nobody.join(somebody) is somebody
    assert somebody.join(nobody) is somebody
    assert len(followed(nobody, nobody, np.empty(0), PACE).point) == 0
    assert somebody.join(somebody).map.shape == (2, 1, 2)
