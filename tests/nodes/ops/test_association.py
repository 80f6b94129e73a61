import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.association import fit_in_body

BODY = np.array([[0.4, 0.2, 0.6, 0.9]])
OWN = [0.47, 0.2, 0.53, 0.3]


def fit(head: list[float]) -> float:
    return float(fit_in_body(np.array([head]), BODY)[0, 0])


def test_a_head_on_top_in_the_middle_fits_wholly() -> None:
    assert fit(OWN) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ([0.42, 0.2, 0.48, 0.3], 1 - 0.25 / 0.75),
        ([0.47, 0.35, 0.53, 0.45], 0.5),
        ([0.47, 0.15, 0.53, 0.25], 0.5 * (1 - 0.5 / 3)),
        ([0.47, 0.6, 0.53, 0.7], 0.0),
        ([0.7, 0.2, 0.76, 0.3], 0.0),
        ([0.4, 0.2, 0.6, 0.9], 1 - np.log(1 / 0.7) / np.log(1.2 / 0.7)),
        ([0.495, 0.2, 0.505, 0.22], 0.0),
        ([np.nan] * 4, np.nan),
    ],
    ids=["aside", "arms up", "half above", "at the hips", "beside", "as large as the body", "tiny", "no head"],
)
def test_fit_by_hand(head: list[float], expected: float) -> None:
    assert fit(head) == pytest.approx(expected, nan_ok=True)


def test_a_head_behind_a_body_fits_it_less_than_its_own() -> None:
    heads = np.array([OWN, [0.55, 0.25, 0.59, 0.31]])

    fits = fit_in_body(heads, BODY)

    assert fits[0, 0] > fits[1, 0] + 0.3


@pytest.mark.parametrize(("count", "bodies"), [(0, 0), (0, 2), (3, 0)])
def test_no_heads_or_no_bodies_have_no_fits(count: int, bodies: int) -> None:
    assert fit_in_body(np.ones((count, 4)), np.ones((bodies, 4))).shape == (count, bodies)


@given(st.floats(0.2, 5), st.floats(-3, 3), st.floats(0.2, 5), st.floats(-3, 3), st.floats(0, 0.1), st.floats(0, 0.1))
def test_the_fit_does_not_depend_on_where_or_how_large(
    width: float, left: float, height: float, top: float, aside: float, drop: float
) -> None:
    head = np.array([OWN]) + np.array([aside, drop] * 2)
    scale, offset = np.array([width, height] * 2), np.array([left, top] * 2)

    fits = fit_in_body(head * scale + offset, BODY * scale + offset)

    assert fits == pytest.approx(fit_in_body(head, BODY), abs=1e-9)
