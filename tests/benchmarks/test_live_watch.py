"""Whether a stream came back in time is judged by the wait that was running when its camera was all right again."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.live_faults import worst
from benchmarks.live_watch import Seen, current_back_off, outcome
from pipeline.status import StreamStatus

DOOR = StreamStatus(
    id="door",
    url="rtsp://door",
    live=True,
    state="live",
    state_s=0.0,
    reason=None,
    message="",
    next_try_s=None,
    connections=1,
    losses={},
    generation=100,
    frames_in=0,
    frames_out=0,
    dropped={},
    in_flight=0,
    last_out_s=None,
    drift_ppm=None,
)


def change(unix_s: float, state: str, **values: Any) -> Seen:
    return Seen(unix_s, replace(DOOR, state=state, **values))


LOST = [
    change(0.0, "live"),
    change(10.0, "lost", reason="ended"),
    change(10.1, "backing_off", reason="ended", next_try_s=0.9),
    change(11.0, "connecting", reason="ended"),
    change(11.2, "backing_off", reason="refused", next_try_s=2.0, message="nobody listens"),
    change(13.2, "connecting", reason="refused"),
    change(13.5, "live", reason="refused", generation=101),
]


@pytest.mark.parametrize(
    ("right_s", "left_s"),
    [
        (9.0, 0.9),  # right before it was noticed: the first wait
        (10.5, 0.5),  # within the first wait
        (11.1, 2.0),  # within a try that fails
        (12.2, 1.0),  # within the second wait
        (13.3, 0.0),  # within the try that works
    ],
)
def test_the_wait_that_counts_is_what_is_left_of_it(right_s: float, left_s: float) -> None:
    assert current_back_off(LOST, right_s, 13.5) == pytest.approx(left_s)


def test_a_wait_after_the_first_new_frame_excuses_nothing() -> None:
    again = [change(0.0, "live"), change(9.0, "lost"), change(9.1, "backing_off", next_try_s=5.0)]

    assert current_back_off(again, right_s=2.0, first_s=3.0) == 0.0


def test_the_outcome_tells_time_bound_and_what_was_said() -> None:
    assert outcome(LOST, right_s=12.2, first_s=13.6, wait_s=0.5) == {
        "recovered_s": 1.4,
        "back_off_s": 1.0,
        "allowed_s": 2.5,
        "in_time": True,
        "states": ["live", "lost", "backing_off", "connecting", "backing_off", "connecting", "live"],
        "reasons": ["ended", "refused"],
        "message": "",
        "generations": 1,
        "false_ends": 0,
    }


@pytest.mark.parametrize(("first_s", "in_time"), [(14.69, True), (14.71, False), (None, False)])
def test_later_than_allowed_or_never_is_not_in_time(first_s: float | None, in_time: bool) -> None:
    assert outcome(LOST, right_s=12.2, first_s=first_s, wait_s=0.5)["in_time"] is in_time


def test_an_end_is_a_false_one() -> None:
    ended = [change(0.0, "live"), change(1.0, "ended")]

    assert outcome(ended, 1.0, None, 0.5)["false_ends"] == 1


def faced(recovered_s: float | None, allowed_s: float, false_ends: int = 0) -> dict[str, Any]:
    return {"recovered_s": recovered_s, "allowed_s": allowed_s, "false_ends": false_ends}


@pytest.mark.parametrize(
    ("outcomes", "recovered_s"),
    [
        ([faced(1.0, 2.0), faced(5.0, 9.0), faced(0.5, 0.6)], 0.5),  # the one nearest to its bound
        ([faced(5.0, 9.0), faced(3.0, 2.0)], 3.0),
        ([faced(5.0, 2.0), faced(None, 9.0)], None),
    ],
)
def test_of_several_rounds_the_one_that_kept_its_bound_least_counts(
    outcomes: list[dict[str, Any]], recovered_s: float | None
) -> None:
    found = worst(outcomes)

    assert found["recovered_s"] == recovered_s
    assert found["each_s"] == [one["recovered_s"] for one in outcomes]


def test_false_ends_of_all_rounds_count() -> None:
    assert worst([faced(1.0, 2.0, 1), faced(1.5, 2.0, 2)])["false_ends"] == 3
