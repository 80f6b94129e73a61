"""True visits come from the script; told ones are held against them by person, target and time."""

import numpy as np

from benchmarks.visits import NOBODY, Visit, owners_of, right_visits, told_visits, true_visits
from nodes.types import Tracks, Visits
from scenes.truth import Fixation, PeopleTruth, no_people
from tests.helpers import table

HEADS = np.array([[0.1, 0.1, 0.2, 0.2], [0.6, 0.1, 0.7, 0.2]])
BODIES = np.array([[0.1, 0.1, 0.2, 0.6], [0.6, 0.1, 0.7, 0.6]])


def truth(*person_id: int) -> PeopleTruth:
    """Return people with the given numbers, on the left and on the right."""
    columns = vars(no_people()) | {
        "person_id": np.array(person_id, np.int64),
        "head_box": HEADS[: len(person_id)],
        "body_box": BODIES[: len(person_id)],
    }
    return PeopleTruth(**columns)


def test_true_visits_are_long_fixations_on_areas_and_people() -> None:
    script = [
        Fixation(1, "coffee", "surface", 1.0, 1.3),
        Fixation(1, "coffee", "surface", 2.0, 2.29),
        Fixation(1, "person:2", "person", 3.0, 4.0),
        Fixation(1, "camera", "camera", 4.0, 6.0),
        Fixation(2, "", "surface", 0.0, 9.0),
    ]

    assert true_visits(script) == [Visit(1, "coffee", 1.0, 1.3), Visit(1, "person:2", 3.0, 4.0)]


def test_told_visits_are_those_that_ended_with_true_people_for_tracks() -> None:
    looks = table(
        Visits,
        kind=["started", "ended", "retracted", "ended", "ended", "ended", "ended", "retracted"],
        visit=["a", "a", "b", "c", "d", "e", "f", "f"],
        track_id=[1, 1, 1, 1, 7, 2, 2, 2],
        target=["tea", "tea", "milk", "person:2", "person:9", "grid:1-2", "tea", "tea"],
        start_ns=[1e9, 1e9, 1e9, 2e9, 3e9, 1e9, 5e9, 5e9],
        end_ns=[1e9, 2e9, 1e9, 3e9, 4e9, 2e9, 6e9, 6e9],
    )

    assert told_visits(looks, {1: 30, 2: 40}) == [
        Visit(30, "tea", 1.0, 2.0),
        Visit(30, "person:40", 2.0, 3.0),
        Visit(NOBODY, f"person:{NOBODY}", 3.0, 4.0),
    ]


def test_a_track_belongs_to_whom_it_overlaps_most_over_all_frames() -> None:
    (left, right), nowhere = HEADS, [np.nan] * 4
    tracks = [
        table(Tracks, track_id=[1], head_box=[right], body_box=[BODIES[1]]),
        table(Tracks, track_id=[1, 2], head_box=[left, nowhere], body_box=[nowhere, BODIES[1]]),
        table(Tracks, track_id=[1], head_box=[left], body_box=[nowhere]),
        table(Tracks, track_id=[1], head_box=[left], body_box=[nowhere]),
        table(Tracks, track_id=[3], head_box=[[0.4, 0.8, 0.5, 0.9]], body_box=[nowhere]),
    ]

    assert owners_of(tracks, [truth(5, 6)] * len(tracks)) == {1: 5, 2: 6}


def test_a_visit_is_right_when_person_target_and_time_agree() -> None:
    true = [Visit(1, "tea", 1.0, 3.0)]

    assert len(right_visits([Visit(1, "tea", 2.0, 3.0)], true)) == 1
    assert len(right_visits([Visit(1, "tea", 2.1, 3.0)], true)) == 0
    assert len(right_visits([Visit(1, "tea", 0.0, 4.0)], true)) == 1
    assert len(right_visits([Visit(2, "tea", 1.0, 3.0)], true)) == 0
    assert len(right_visits([Visit(1, "milk", 1.0, 3.0)], true)) == 0
    assert len(right_visits([Visit(NOBODY, "tea", 1.0, 3.0)], [Visit(NOBODY, "tea", 1.0, 3.0)])) == 0
    assert right_visits([], true) == right_visits(true, []) == []


def test_a_true_visit_is_told_once() -> None:
    assert len(right_visits([Visit(1, "tea", 1.0, 2.0), Visit(1, "tea", 2.0, 3.0)], [Visit(1, "tea", 1.0, 3.0)])) == 1
