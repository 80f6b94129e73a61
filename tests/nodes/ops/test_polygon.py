import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.polygon import distance, inside

SQUARE = np.array([[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]])
ARROWHEAD = np.array([[0, 0], [1, 0.5], [0, 1], [0.5, 0.5]])  # a notch on its left side
BOW_TIE = np.array([[0, 0], [1, 1], [1, 0], [0, 1]])  # crosses itself


@pytest.mark.parametrize(
    ("polygon", "point", "expected"),
    [
        (SQUARE, (0.4, 0.4), True),
        (SQUARE, (0.7, 0.4), False),
        (SQUARE, (0.1, 0.2), False),  # level with an edge, left of it
        (ARROWHEAD, (0.2, 0.5), False),  # in the notch
        (ARROWHEAD, (0.7, 0.5), True),  # level with two vertices
        (ARROWHEAD, (0.2, 0.15), True),
        (BOW_TIE, (0.25, 0.5), True),
        (BOW_TIE, (0.5, 0.25), False),
        (SQUARE, (np.nan, 0.4), False),
    ],
)
def test_inside_by_even_odd(polygon: np.ndarray, point: tuple[float, float], expected: bool) -> None:
    assert inside(np.array([point]), polygon).tolist() == [expected]
    assert inside(np.array([point]), polygon[::-1]).tolist() == [expected]


def test_inside_gives_a_point_on_a_shared_edge_to_one_of_two_neighbours() -> None:
    left = np.array([[0, 0], [0.5, 0], [0.5, 1], [0, 1]])
    right = left + np.array([0.5, 0])
    points = np.array([[0.5, 0.25], [0.5, 0.0], [0.5, 0.99]])

    assert (inside(points, left).astype(int) + inside(points, right)).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("point", "aspect", "expected"),
    [
        ((0.4, 0.4), 2.0, 0.0),
        ((0.2, 0.3), 2.0, 0.0),  # on the edge
        ((0.6, 0.6), 2.0, 0.0),  # on a vertex
        ((0.7, 0.4), 1.0, 0.1),
        ((0.7, 0.4), 2.0, 0.2),  # a tenth of the width is a fifth of the height
        ((0.4, 0.7), 2.0, 0.1),
        ((0.63, 0.64), 1.0, 0.05),  # past a corner: 3-4-5
    ],
)
def test_distance_in_frame_heights(point: tuple[float, float], aspect: float, expected: float) -> None:
    assert distance(np.array([point]), SQUARE, np.array([aspect])) == pytest.approx([expected], abs=1e-12)


def test_distance_of_no_points_and_of_nan() -> None:
    assert distance(np.empty((0, 2)), SQUARE, np.empty(0)).shape == (0,)
    assert np.isnan(distance(np.full((1, 2), np.nan), SQUARE, np.ones(1))).all()


def test_distance_bears_a_vertex_given_twice() -> None:
    doubled = np.concatenate([SQUARE, SQUARE[-1:]])

    assert distance(np.array([[0.1, 0.7]]), doubled, np.ones(1)) == pytest.approx([np.hypot(0.1, 0.1)])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=8),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.floats(0.5, 2),
)
def test_distance_is_never_more_than_to_a_vertex(
    polygon: list[tuple[float, float]], point: tuple[float, float], aspect: float
) -> None:
    away = distance(np.array([point]), np.array(polygon), np.array([aspect]))[0]

    nearest = min(np.hypot((x - point[0]) * aspect, y - point[1]) for x, y in polygon)
    assert 0 <= away <= nearest + 1e-9
