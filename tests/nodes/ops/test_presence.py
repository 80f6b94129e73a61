import pytest

from nodes.ops.presence import cut, joined, length, overlap, reached


@pytest.mark.parametrize(
    ("parts", "max_gap", "expected"),
    [
        ([], 5, []),
        ([(3, 4), (0, 2)], 0, [(0, 2), (3, 4)]),
        ([(0, 2), (2, 4)], 0, [(0, 4)]),
        ([(0, 2), (3, 4), (6, 7)], 1, [(0, 4), (6, 7)]),
        ([(0, 9), (2, 3), (8, 10)], 0, [(0, 10)]),
    ],
)
def test_joined(parts: list[tuple[int, int]], max_gap: int, expected: list[tuple[int, int]]) -> None:
    assert joined(parts, max_gap) == expected


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [
        (0, [], [(1, 3), (5, 8)]),
        (3, [(1, 3)], [(5, 8)]),
        (4, [(1, 3)], [(5, 8)]),
        (6, [(1, 3), (5, 6)], [(6, 8)]),
        (9, [(1, 3), (5, 8)], []),
    ],
)
def test_cut(at: int, before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    assert cut([(1, 3), (5, 8)], at) == (before, after)


def test_length_is_the_time_in_all() -> None:
    assert length([(1, 3), (5, 8)]) == 5
    assert length([]) == 0


def test_overlap_is_never_negative() -> None:
    assert overlap((0, 5), (3, 9)) == 2
    assert overlap((0, 5), (7, 9)) == 0


@pytest.mark.parametrize(("time", "expected"), [(0, 1), (1, 1), (2, 2), (3, 5), (5, 7), (6, None)])
def test_reached_is_the_last_moment_of_that_much_time(time: int, expected: int | None) -> None:
    assert reached([(1, 3), (5, 8)], time) == expected


def test_nobody_reaches_anything_who_was_never_there() -> None:
    assert reached([], 0) is None
