"""The people of one stream: numbers, ages, and who is forgotten when."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.boxes import to_anchored
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.roster import Roster

PACE = Pace(speed=0.8, persistence_s=1.5)
RATES = pytest.mark.parametrize("fps", [5, 25, 60])
ASPECT = 16 / 9
BOTH, HEAD_ONLY, BODY_ONLY, UNSEEN = [True, True], [True, False], [False, True], [False, False]


def whole(*xs: float) -> np.ndarray:
    """Return anchored boxes (N, 2, 4) of people whose middle lines are at x, 0.6 of the frame high."""
    boxes = [[[x - 0.03, 0.2, x + 0.03, 0.28], [x - 0.1, 0.2, x + 0.1, 0.8]] for x in xs]
    return to_anchored(np.array(boxes).reshape(-1, 2, 4))


class Stream:
    """A roster that is shown frames; who is shown stands still at the place where it was first."""

    def __init__(self, fps: float, max_lost_s: float = 4.0, confirm_s: float = 0.1) -> None:
        self.roster = Roster()
        self.step_ns, self.max_lost_s, self.confirm_s = int(1e9 / fps), max_lost_s, confirm_s
        self.index = -1

    def frame(self, *seen: list[bool], new: np.ndarray | None = None, new_seen: list[bool] = BOTH) -> None:
        """Show a frame: which parts of whom are seen, and who is new."""
        self.index += 1
        roster = self.roster
        roster.advance(self.index * self.step_ns, self.max_lost_s, PACE)
        if len(roster):
            shown = np.array([*seen, *[UNSEEN] * (len(roster) - len(seen))])
            roster.see(roster.first_box, shown, np.zeros((len(roster), 0)), PACE)
            roster.forget(ASPECT)
        if new is not None:
            roster.add(new, np.array([new_seen] * len(new)), np.zeros((len(new), 0)), PACE)
        roster.confirm(roster.due(self.confirm_s))

    def frames(self, seconds: float, *seen: list[bool]) -> None:
        for _ in range(round(seconds * 1e9 / self.step_ns)):
            self.frame(*seen)


def test_who_is_there_in_the_first_frame_has_a_number_at_once() -> None:
    stream = Stream(25)

    stream.frame(new=whole(0.3, 0.9))

    assert stream.roster.track_id.tolist() == [1, 2]


@RATES
@pytest.mark.parametrize("confirm_s", [0.2, 0.6])
def test_others_have_one_after_seconds_in_sight(fps: float, confirm_s: float) -> None:
    stream = Stream(fps, confirm_s=confirm_s)
    stream.frame()
    stream.frame(new=whole(0.3))

    ages = 0
    while not stream.roster.track_id[0]:
        stream.frame(BOTH)
        ages += 1

    assert confirm_s <= ages * stream.step_ns / 1e9 < confirm_s + 1 / fps


def test_in_sight_is_what_was_seen_and_not_what_has_passed() -> None:
    stream = Stream(10, confirm_s=0.3)
    stream.frame()
    stream.frame(new=whole(0.3))

    for seen in (BOTH, UNSEEN, UNSEEN, BODY_ONLY, UNSEEN):
        stream.frame(seen)
        assert stream.roster.track_id.tolist() == [0]

    stream.frame(HEAD_ONLY)
    assert stream.roster.track_id.tolist() == [1]


@RATES
def test_who_has_a_number_is_remembered_for_seconds(fps: float) -> None:
    stream = Stream(fps, max_lost_s=2.0)
    stream.frame(new=whole(0.3))
    stream.frame(BOTH)

    stream.frames(2.0)
    assert stream.roster.track_id.tolist() == [1]

    stream.frame()
    assert len(stream.roster) == 0


@RATES
def test_who_has_none_yet_is_forgotten_sooner(fps: float) -> None:
    stream = Stream(fps, max_lost_s=2.0, confirm_s=1.0)
    stream.frame()
    stream.frame(new=whole(0.3))

    stream.frames(0.4)
    assert stream.roster.track_id.tolist() == [0]

    stream.frame()
    assert len(stream.roster) == 0


def test_who_has_none_yet_is_waited_for_at_any_rate() -> None:
    """A frame is later than `max_lost_s` here."""
    stream = Stream(4, max_lost_s=0.1)
    stream.frame()
    stream.frame(new=whole(0.3))

    stream.frame(BOTH)

    assert stream.roster.track_id.tolist() == [1]


@RATES
@pytest.mark.parametrize(("seen", "left"), [(HEAD_ONLY, [True, False]), (BODY_ONLY, [False, True])])
def test_a_part_is_forgotten_for_itself(fps: float, seen: list[bool], left: list[bool]) -> None:
    stream = Stream(fps, max_lost_s=1.0)
    stream.frame(new=whole(0.3))

    stream.frames(1.0, seen)
    assert stream.roster.motion.known.tolist() == [[True, True]]

    stream.frame(seen)
    assert stream.roster.motion.known.tolist() == [left]
    assert stream.roster.track_id.tolist() == [1]


@RATES
def test_lost_and_just_seen_go_by_time(fps: float) -> None:
    stream = Stream(fps)
    stream.frame(new=whole(0.3, 0.9))
    stream.frames(0.4, BOTH, BOTH)
    stream.frames(0.4, BOTH, HEAD_ONLY)
    stream.frames(0.4, BODY_ONLY)

    roster = stream.roster
    assert roster.lost_ns() / 1e9 == pytest.approx(np.array([[0.4, 0.0], [0.4, 0.8]]))
    roster.advance((stream.index + 1) * stream.step_ns, 4.0, PACE)
    assert roster.just_seen().tolist() == [True, False]


@pytest.mark.parametrize(
    ("x", "y", "stays"),
    [
        *[(0.01, 0.0, True), (-0.01, 0.0, False), (ASPECT - 0.01, 0.0, True), (ASPECT + 0.01, 0.0, False)],
        *[(0.5, -0.79, True), (0.5, -0.81, False), (0.5, 0.79, True), (0.5, 0.81, False)],
    ],
)
def test_who_is_lost_and_expected_outside_the_frame_is_gone(x: float, y: float, stays: bool) -> None:
    stream = Stream(25)
    stream.frame(new=np.concatenate([whole(x) + np.array([0, y, 0, 0]), whole(0.7)]))
    stream.frame(BOTH, UNSEEN)
    assert stream.roster.track_id.tolist() == [1, 2]  # in sight, wherever it is

    stream.frame(UNSEEN, BOTH)

    assert stream.roster.track_id.tolist() == ([1, 2] if stays else [2])


@pytest.mark.parametrize("half", [HEAD_ONLY, BODY_ONLY])
@pytest.mark.parametrize(("x", "stays"), [(0.51, 1), (0.9, 2)])
def test_half_a_person_lost_in_the_place_of_somebody_whole_is_gone(half: list[bool], x: float, stays: int) -> None:
    stream = Stream(25)
    stream.frame(new=whole(0.5, 1.4))
    stream.frame(BOTH, UNSEEN, new=whole(x), new_seen=half)
    stream.frame(BOTH, UNSEEN, half)
    assert len(stream.roster) == 3  # while it is seen, it may be somebody

    stream.frame(UNSEEN, BOTH, UNSEEN)
    assert len(stream.roster) == 3  # while the other one is lost, too, nobody knows

    stream.frame(BOTH, UNSEEN, UNSEEN)
    assert len(stream.roster) == 1 + stays
    assert stream.roster.track_id[:2].tolist() == [1, 2]


def test_the_lost_go_where_the_camera_takes_them() -> None:
    stream = Stream(25)
    stream.frame(new=whole(0.3))

    stream.roster.advance(40_000_000, 4.0, PACE, np.array([[1, 0, 0.2], [0, 1, -0.1]]))

    assert stream.roster.motion.anchored()[0, BODY] == pytest.approx([0.5, 0.1, 0.2, 0.6])


def test_last_sights_and_first_are_kept() -> None:
    stream = Stream(25)
    stream.frame(new=whole(0.3))
    stream.roster.advance(stream.step_ns, 4.0, PACE)
    stream.roster.see(whole(0.32), np.array([BOTH]), np.zeros((1, 0)), PACE)
    seen = stream.roster.motion.mean.copy()

    stream.frames(1.0)

    assert stream.roster.motion.anchored()[0, BODY, 0] > seen[0, 0, BODY, 0] + 0.05

    assert np.array_equal(stream.roster.last_mean.swapaxes(0, 1), seen)
    assert np.array_equal(stream.roster.first_box, whole(0.3))
    assert stream.roster.first_ns.tolist() == [0]


def test_looks_are_a_running_mean_of_those_that_are_known() -> None:
    stream = Stream(25)
    stream.frame(new=whole(0.3))
    roster, seen = stream.roster, np.array([BOTH])

    roster.see(whole(0.3), seen, np.array([[1.0, 0.0]]), PACE)
    assert roster.looks.tolist() == [[1, 0]]

    roster.see(whole(0.3), seen, np.array([[0.0, 1.0]]), PACE)
    assert roster.looks == pytest.approx(np.array([[0.9, 0.1]]) / 0.82**0.5)

    roster.see(whole(0.3), seen, np.array([[0.0, 0.0]]), PACE)
    assert roster.looks == pytest.approx(np.array([[0.9, 0.1]]) / 0.82**0.5)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 10)), max_size=40))
def test_numbers_rise_and_are_never_used_again(course: list[tuple[bool, int, int]]) -> None:
    """Some are seen or not, some are new, some time passes."""
    stream = Stream(5, max_lost_s=0.6, confirm_s=0.2)
    given_out: set[int] = set()
    for seen, new, pause in course:
        for _ in range(pause % 4):
            stream.frame()
        before = stream.roster.track_id[stream.roster.track_id > 0].tolist()
        stream.frame(*[BOTH] * (len(stream.roster) * seen), new=whole(*[0.2 + 0.4 * k for k in range(new)]))
        numbers = stream.roster.track_id[stream.roster.track_id > 0].tolist()

        fresh = sorted(set(numbers) - set(before))
        assert len(set(numbers)) == len(numbers)
        assert fresh == list(range(max(given_out, default=0) + 1, max(given_out, default=0) + 1 + len(fresh)))
        given_out.update(fresh)
    assert stream.roster.last_id == len(given_out)


def test_columns_stay_together() -> None:
    stream = Stream(25)
    stream.frame(new=whole(0.3, 0.6, 0.9))
    stream.frame(BOTH, HEAD_ONLY, BODY_ONLY)

    stream.roster.keep(np.array([True, False, True]))

    roster = stream.roster
    assert roster.track_id.tolist() == [1, 3]
    assert roster.motion.anchored()[:, HEAD, 0] == pytest.approx([0.3, 0.9])
    assert roster.first_box[:, HEAD, 0].tolist() == [0.3, 0.9]
    assert {len(column) for column in (roster.first_ns, roster.seen_ns, roster.in_sight_ns, roster.looks)} == {2}
