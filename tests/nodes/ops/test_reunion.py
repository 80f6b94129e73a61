"""Newcomers who turn out to be somebody lost: people who walk through a square frame, 0.3 of it high."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from nodes.ops.boxes import to_anchored
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.reunion import reunite
from nodes.ops.roster import Roster

PACE = Pace(speed=0.8, persistence_s=1.5)
Correction = tuple[int, int, int]


@dataclass(frozen=True)
class Way:
    """Somebody in sight from `since_s` to `until_s`, who begins at `x`, and goes on after resting there."""

    since_s: float
    until_s: float
    x: float
    speed: float = 0.0
    y: float = 0.3
    size: float = 1.0
    rests_s: float = 0.0
    look: tuple[float, ...] = ()
    parts: tuple[bool, bool] = (True, True)

    def at(self, time_s: float) -> np.ndarray | None:
        """Return head and body (2, 4), or None out of sight."""
        if not self.since_s - 1e-6 <= time_s < self.until_s - 1e-6:
            return None
        x = self.x + self.speed * max(time_s - self.since_s - self.rests_s, 0)
        y, wide, high = self.y, 0.05 * self.size, 0.3 * self.size
        boxes = [[x - wide / 4, y, x + wide / 4, y + high / 7], [x - wide, y, x + wide, y + high]]
        return np.where(np.array(self.parts)[:, None], boxes, np.nan)


@dataclass
class Outcome:
    """What became of it: when what was corrected, and the roster at the end."""

    told: list[tuple[float, Correction]] = field(default_factory=list)
    roster: Roster = field(default_factory=Roster)

    def corrections(self) -> list[Correction]:
        return [correction for _, correction in self.told]


def seen(*ways: Way, seconds: float = 6.0, fps: float = 25, confirm_s: float = 0.1, max_lost_s: float = 4.0) -> Outcome:
    """Return what becomes of people each of whom is a newcomer at the first sight: nobody matches them."""
    outcome, rows = Outcome(), list[Way]()
    roster, step_ns = outcome.roster, int(1e9 / fps)
    for index in range(int(seconds * fps)):
        time_s = index / fps
        roster.advance(index * step_ns, max_lost_s, PACE)
        rows = rows[len(rows) - len(roster) :]  # the first ones lost are the first ones forgotten
        here = [way.at(time_s) for way in rows]
        if rows:
            boxes = np.array([np.full((2, 4), np.nan) if box is None else box for box in here])
            looks = np.array([np.zeros(len(w.look)) if b is None else w.look for w, b in zip(rows, here, strict=True)])
            roster.see(to_anchored(boxes), ~np.isnan(boxes[..., 0]), looks, PACE)
        new = [way for way in ways if way.at(time_s) is not None and way not in rows]
        if new:
            boxes = np.array([way.at(time_s) for way in new])
            roster.add(to_anchored(boxes), ~np.isnan(boxes[..., 0]), np.array([way.look for way in new]), PACE)
            rows += new
        roster.confirm(roster.due(confirm_s))
        left, corrections = reunite(roster, PACE, "scipy")
        rows = [way for way, stays in zip(rows, left, strict=True) if stays]
        outcome.told += [(time_s, correction) for correction in corrections]
    return outcome


def since(seconds: float, fps: float = 25) -> int:
    return round(seconds * fps) * int(1e9 / fps)


LOST = Way(0, 2, 0.1, 0.15)
"""Half a body height a second; when last seen at 0.39."""
BACK = Way(3.6, 6, 0.64, 0.15)
"""Where the way of LOST leads."""


@pytest.mark.parametrize("fps", [5, 25, 60])
def test_who_goes_on_where_somebody_was_lost_gets_that_number(fps: float) -> None:
    outcome = seen(LOST, BACK, fps=fps)

    assert outcome.corrections() == [(2, since(3.6, fps), 1)]
    assert outcome.told[0][0] == pytest.approx(3.9, abs=1.01 / fps)
    assert outcome.roster.track_id.tolist() == [1]
    assert outcome.roster.first_ns.tolist() == [0]
    assert outcome.roster.last_id == 2
    assert outcome.roster.motion.anchored()[0, BODY, 0] == pytest.approx(0.64 + 0.15 * 2.4, abs=0.01 + 0.16 / fps)


@pytest.mark.parametrize(
    "other",
    [
        Way(3.6, 6, 0.64, -0.15),  # comes the other way
        Way(3.6, 6, 0.9, 0.15),  # nobody walks that fast
        Way(3.6, 6, 0.64, 0.15, y=0.55),
        Way(3.6, 6, 0.64, 0.15, y=0.25, size=1.4),  # much nearer to the camera
        Way(1.96, 6, 0.41, 0.15),  # both were in sight at once
    ],
)
def test_who_cannot_be_the_one_lost_keeps_a_new_number(other: Way) -> None:
    outcome = seen(LOST, other)

    assert outcome.corrections() == []
    assert outcome.roster.track_id.tolist()[-1] == 2


def test_who_is_still_in_sight_is_not_looked_for() -> None:
    outcome = seen(Way(0, 6, 0.5), Way(1, 6, 0.5))

    assert outcome.corrections() == []
    assert outcome.roster.track_id.tolist() == [1, 2]


def test_who_stood_still_is_found_again_near_by() -> None:
    assert seen(Way(0, 2, 0.5), Way(4, 6, 0.6)).corrections() == [(2, since(4), 1)]
    assert seen(Way(0, 2, 0.5), Way(4, 6, 0.8)).corrections() == []


def test_longer_out_of_sight_may_be_farther_off() -> None:
    soon, late = (seen(Way(0, 2, 0.5), Way(at, at + 2, 0.65)).corrections() for at in (2.6, 4))

    assert soon == []
    assert late == [(2, since(4), 1)]


def test_of_two_newcomers_the_likelier_is_the_one_lost() -> None:
    outcome = seen(LOST, Way(3.6, 6, 0.75, 0.15), Way(3.6, 6, 0.6, 0.15))

    assert outcome.corrections() == [(3, since(3.6), 1)]
    assert sorted(outcome.roster.track_id.tolist()) == [1, 2]


def test_two_who_were_lost_are_found_each_for_himself() -> None:
    outcome = seen(
        *[Way(0, 2, 0.2, 0.15), Way(0, 2, 0.8, -0.15)],
        *[Way(3.6, 6, 0.72, 0.15), Way(3.6, 6, 0.28, -0.15)],
    )

    assert sorted(outcome.corrections()) == [(3, since(3.6), 1), (4, since(3.6), 2)]
    assert sorted(outcome.roster.track_id.tolist()) == [1, 2]


def test_somebody_may_be_lost_and_found_more_than_once() -> None:
    outcome = seen(Way(0, 2, 0.5), Way(3, 4.5, 0.52), Way(5.5, 8, 0.54), seconds=8)

    assert outcome.corrections() == [(2, since(3), 1), (3, since(5.5), 1)]
    assert outcome.roster.track_id.tolist() == [1]


def test_who_has_been_forgotten_is_not_found() -> None:
    assert seen(Way(0, 2, 0.5), Way(4, 6, 0.52), max_lost_s=1.5).corrections() == []


def test_who_has_no_number_yet_gets_none_of_others() -> None:
    """Confirmed only when nothing is compared any more."""
    assert seen(LOST, BACK, confirm_s=1.6).corrections() == []


def test_a_newcomer_whose_way_shows_later_is_compared_again() -> None:
    """Too far ahead for somebody who stands, but not for somebody who walks on."""
    waits, stays = (seen(LOST, Way(3.6, 6, 0.72, speed, rests_s=0.35)) for speed in (0.3, 0.0))

    assert waits.told == [(pytest.approx(4.2, abs=0.01), (2, since(3.6), 1))]
    assert stays.told == []


def test_people_come_to_rest_out_of_sight() -> None:
    """3.6 s at the old speed would have been 1.8 body heights."""
    assert seen(LOST, Way(5.6, 7, 0.42, 0.15), seconds=7).corrections() == [(2, since(5.6), 1)]


def test_nobody_takes_the_place_of_somebody_who_never_had_a_number() -> None:
    outcome = seen(Way(1, 1.2, 0.5), Way(2, 4, 0.5), confirm_s=0.3)

    assert outcome.corrections() == []
    assert outcome.roster.last_id == 1


def test_who_is_out_of_sight_when_due_is_not_compared() -> None:
    assert seen(LOST, Way(3.6, 3.8, 0.64, 0.15)).corrections() == []


def test_who_was_there_at_the_same_time_is_not_compared_beside_others_either() -> None:
    outcome = seen(LOST, Way(1.96, 6, 0.41, 0.15), Way(2.24, 6, 0.9))  # both are due at 2.56

    assert outcome.corrections() == []


RED, BLUE = (1.0, 0.0), (0.0, 1.0)


def test_looks_count() -> None:
    def corrected(look: tuple[float, ...], x: float) -> list[Correction]:
        return seen(Way(0, 2, 0.5, look=RED), Way(4, 6, x, look=look)).corrections()

    assert corrected(RED, 0.52) == corrected((0.0, 0.0), 0.52) == [(2, since(4), 1)]
    assert corrected(BLUE, 0.52) == []
    assert corrected(RED, 0.8) == [(2, since(4), 1)]
    assert corrected((0.0, 0.0), 0.8) == []


@pytest.mark.parametrize("part", [HEAD, BODY])
def test_half_of_a_person_is_enough(part: int) -> None:
    only = (part == HEAD, part == BODY)

    assert seen(Way(0, 2, 0.5, parts=only), Way(4, 6, 0.52, parts=only)).corrections() == [(2, since(4), 1)]
    assert seen(Way(0, 2, 0.5, parts=only), Way(4, 6, 0.9, parts=only)).corrections() == []


def test_a_head_does_not_go_on_as_a_body() -> None:
    head, body = (True, False), (False, True)

    assert seen(Way(0, 2, 0.5, parts=head), Way(4, 6, 0.5, parts=body)).corrections() == []


def test_nobody_is_found_in_an_empty_place() -> None:
    roster = Roster()
    roster.advance(0, 4.0, PACE)

    left, corrections = reunite(roster, PACE, "scipy")

    assert (len(left), corrections) == (0, [])
