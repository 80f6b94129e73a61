from nodes.ops.attention import Fact
from nodes.ops.windows import Window, Windows

S = 10**9


def spans(windows: list[Window]) -> list[str]:
    return [f"{one.span} {one.start_ns / S:g}-{one.until_ns / S:g}" for one in windows]


def visits(at_s: float, count: int = 1) -> Fact:
    return Fact("visits", "tea", "", round(at_s * S), round(at_s * S), count)


def windows(*covered_s: tuple[float, float], whole_s: float = 1000) -> Windows:
    made = Windows(round(covered_s[0][0] * S), 3 * S, 10 * S, round(whole_s * S))
    for start, end in covered_s:
        made.cover(round(start * S), round(end * S))
    return made


def test_there_are_the_windows_with_frames() -> None:
    made = windows((5, 8), (40, 40), (60, 69))

    assert spans(made.over(100 * S)) == ["window -3-7", "window 7-17", "window 37-47", "window 57-67", "window 67-77"]
    assert [one.covered_ns / S for one in made.over(100 * S)] == [2, 1, 0, 7, 2]


def test_what_ends_with_a_window_is_not_in_the_next() -> None:
    assert spans(windows((5, 7)).over(100 * S)) == ["window -3-7"]


def test_windows_are_over_in_the_order_of_their_starts_and_the_whole_stream_last() -> None:
    made = windows((5, 8), (57, 60), whole_s=50)

    assert spans(made.end(60 * S)) == ["window -3-7", "window 7-17", "window 57-67", "whole 5-55", "whole 55-60"]


def test_a_report_is_given_once_and_again_when_it_changed() -> None:
    made = windows((5, 8))
    (window,) = made.over(7 * S)
    first = window.report([visits(6)], [], 7 * S)
    assert made.over(7 * S) == []

    made.changed(6 * S)
    (again,) = made.over(7 * S)
    same = again.report([visits(6)], [], 8 * S)
    made.changed(7 * S)  # later than the window
    later = made.over(7 * S)
    made.changed(6 * S)
    other = made.over(7 * S)[0].report([visits(6, 2)], [], 9 * S)

    assert first is not None and other is not None
    assert (first.revision, same, later, other.revision, other.known_ns) == (0, None, [], 1, 9 * S)


def test_what_is_settled_stays_in_the_windows_that_stay() -> None:
    made = windows((5, 8), (17, 20))
    for window in made.over(20 * S):
        window.report([], [], 20 * S)

    made.settle([visits(5), visits(18)], 18 * S, [6 * S])
    made.changed(0)
    kept = made.over(20 * S)
    made.settle([], 18 * S, [])

    assert spans(kept) == ["window -3-7"]  # a visit may still change it
    assert [one.settled.sums["visits", "tea", ""] for one in kept] == [1]
    assert spans(made.over(30 * S)) == ["window -3-7", "window 17-27"]  # the first is due
    assert (made.hold(6 * S), made.hold(8 * S), made.hold(18 * S)) == (True, False, True)


def test_windows_that_are_over_and_were_reported_are_forgotten() -> None:
    made = windows((5, 8))
    made.over(7 * S)[0].report([], [], 7 * S)

    made.settle([], 7 * S - 1, [])
    assert made.hold(6 * S)
    made.settle([], 7 * S, [])

    assert not made.hold(6 * S)
