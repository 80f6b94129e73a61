import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.angles import wrap_deg, yaw_of_directions


def scores(**by_direction: float) -> np.ndarray:
    made = np.zeros((1, 8), np.float32)
    for name, score in by_direction.items():
        made[0, int(name[1:])] = score
    return made


@pytest.mark.parametrize(
    ("evidence", "yaw", "agreement"),
    [
        ({"d0": 0.9}, 0.0, 1.0),
        ({"d2": 0.4}, 90.0, 1.0),
        ({"d4": 0.4}, 180.0, 1.0),
        ({"d6": 0.4}, -90.0, 1.0),
        ({"d1": 0.5, "d2": 0.5}, 67.5, np.cos(np.pi / 8)),
        ({"d3": 0.5, "d5": 0.5}, 180.0, np.cos(np.pi / 4)),
        ({"d0": 0.6, "d4": 0.2}, 0.0, 0.5),
    ],
    ids=["front", "image-right", "back", "image-left", "between", "about the back", "torn"],
)
def test_yaw_by_hand(evidence: dict[str, float], yaw: float, agreement: float) -> None:
    got_yaw, got_agreement = yaw_of_directions(scores(**evidence))

    assert abs(wrap_deg(got_yaw - yaw)) == pytest.approx(0, abs=1e-4)
    assert got_agreement == pytest.approx(agreement)


def test_opposite_or_no_directions_agree_on_nothing() -> None:
    _, agreement = yaw_of_directions(np.concatenate([scores(d1=0.5, d5=0.5), scores()]))

    assert agreement == pytest.approx([0, 0], abs=1e-7)


@given(st.floats(0, 359.9), st.floats(0.01, 1))
def test_a_score_split_between_neighbours_gives_the_yaw_back(yaw: float, score: float) -> None:
    lower = int(yaw // 45)
    past = np.deg2rad(yaw - 45 * lower)
    # Parts of a unit vector along two axes 45° apart, by the law of sines.
    made = np.zeros((1, 8))
    made[0, lower], made[0, (lower + 1) % 8] = score * np.sin(np.pi / 4 - past), score * np.sin(past)

    got, agreement = yaw_of_directions(made)

    assert abs(wrap_deg(got - yaw)) == pytest.approx(0, abs=1e-6)
    assert agreement >= np.cos(np.pi / 8) - 1e-9


@given(st.floats(-1000, 1000))
def test_wrapped_angles_are_the_same_direction(angle: float) -> None:
    wrapped = float(wrap_deg(np.array(angle)))

    assert -180 < wrapped <= 180
    assert np.isclose(np.cos(np.deg2rad(wrapped)), np.cos(np.deg2rad(angle)), atol=1e-9)
