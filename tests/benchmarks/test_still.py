"""People who hardly move and things that do not, and how both are counted."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import count

import numpy as np
import pytest

from benchmarks.still_clips import StillClip, still_clip, swayed
from benchmarks.still_tally import StillTally
from benchmarks.still_time import PEOPLE, REPEATS, SECONDS, ms_per_frame
from nodes.types import Detections
from scenes.truth import PeopleTruth, no_people
from tests.helpers import table

THING, SITTER = [0.1, 0.1, 0.2, 0.3], [0.6, 0.1, 0.7, 0.3]


@pytest.fixture(scope="module")
def clip() -> StillClip:
    return still_clip(7101, 0.002, 40.0)


def test_those_who_sit_still_sway_by_what_they_should_and_never_stand_still(clip: StillClip) -> None:
    sitter = clip.sitters[0]
    places = np.array([swayed(sitter, at_s, 0.002).pose.ground for at_s in np.arange(0, 200, 0.5)])

    assert places.std(axis=0)[[0, 2]] == pytest.approx(0.002, rel=0.15)
    assert (np.abs(np.diff(places, axis=0)).max(axis=1) > 0).all()


def test_heads_of_those_who_sway_stay_heads(clip: StillClip) -> None:
    head = swayed(clip.sitters[0], 3.0, 0.002).pose.head

    assert head @ head.T == pytest.approx(np.eye(3), abs=1e-6)


def test_there_are_people_and_things_apart_from_each_other(clip: StillClip) -> None:
    ids = [figure.person_id for figure in (*clip.things, *clip.sitters)]

    assert len(clip.things) >= 2 and len(clip.sitters) >= 2
    assert len(set(ids)) == len(ids) and len(clip) == 320


def truth() -> PeopleTruth:
    rows = {}
    for field in fields(PeopleTruth):
        empty = getattr(no_people(), field.name)
        rows[field.name] = ("", "") if isinstance(empty, tuple) else np.zeros((2, *empty.shape[1:]), empty.dtype)
    made = PeopleTruth(**rows)
    return replace(made, person_id=np.array([1, 2]), head_box=np.array([THING, SITTER]))


def seen(*boxes: list[float]) -> Detections:
    return table(Detections, head_box=list(boxes), head_score=[0.8] * len(boxes))


def test_things_that_go_and_people_who_do_are_counted() -> None:
    tally = StillTally()
    found, left = [seen(THING, SITTER)] * 40, [seen(THING, SITTER)] * 25 + [seen(SITTER)] * 15

    tally.add(found, left, [truth()] * 40, np.array([1]), fps=2.0)

    assert tally.figures() == {"things_gone": 0.75, "gone_after_s_p50": 12.5, "people_left_out": 0}
    assert tally.details() == "1 of 1 things ever, 0 of 1 people"


def test_somebody_who_was_left_out_once_is_told() -> None:
    tally = StillTally()

    tally.add([seen(SITTER)] * 40, [seen(SITTER)] * 39 + [seen()], [truth()] * 40, np.array([1]), fps=2.0)

    assert tally.figures() == {"things_gone": None, "gone_after_s_p50": None, "people_left_out": 1}


def test_time_is_told_for_each_frame() -> None:
    ticking = count()

    assert ms_per_frame(lambda: next(ticking)) == pytest.approx(1e3 / (SECONDS * 25), abs=1e-3)
    assert PEOPLE == 10 and REPEATS > 1
