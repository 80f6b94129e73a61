"""A newcomer who turns out to be somebody lost: told by the tracker, and what becomes of visits."""

from __future__ import annotations

import pytest

from nodes.types import Tracks
from pipeline.values import concat
from tests.helpers import frames, run_node
from tests.nodes.look_clips import hits, node
from tests.nodes.walkers import Person, follow, ids, person

STEP_S = 0.1
HIDDEN = range(20, 32)
CONFIG = {"min_likeness": 0.4, "confirm_s": 0.1, "max_lost_s": 4.0, "coast_s": 0.0}
"""So sure that nobody is found again at first sight where the place is not."""


def walk(speed_after: float = 0.022, start_after: float = 0.73) -> list[list[Person]]:
    """Return 4.5 s of somebody who walks across, hidden for 1.2 s in between; speed and place after it, per frame."""
    before = [[person(0.05 + 0.022 * k)] for k in range(HIDDEN.start)]
    return [*before, *[[] for _ in HIDDEN], *[[person(start_after + speed_after * k)] for k in range(13)]]


def corrections(tracks: list[Tracks]) -> list[tuple[int, int, int, float]]:
    """Return (frame, track, taken from, since in s) of all rows that correct."""
    return [
        (index, *(int(column[row]) for column in (frame.track_id, frame.taken_from)), frame.taken_since_ns[row] / 1e9)
        for index, frame in enumerate(tracks)
        for row in frame.taken_from.nonzero()[0]
    ]


def test_who_comes_back_has_a_new_number_until_the_way_tells_who_it_is() -> None:
    tracks = follow(*walk(), step_s=STEP_S, **CONFIG)

    assert ids(tracks) == [[1]] * 20 + [[]] * 13 + [[2]] * 2 + [[1]] * 10
    assert corrections(tracks) == [(35, 1, 2, pytest.approx(3.2))]


@pytest.mark.parametrize(("speed", "start"), [(-0.022, 0.75), (0.022, 0.1), (0.0, 0.2)])
def test_who_comes_from_elsewhere_stays_somebody_new(speed: float, start: float) -> None:
    tracks = follow(*walk(speed, start), step_s=STEP_S, **CONFIG)

    assert ids(tracks)[-1] == [2]
    assert corrections(tracks) == []


def test_numbers_that_were_taken_back_are_not_used_again() -> None:
    later = [[*people, person(0.2)] for people in walk()[-3:]]

    tracks = follow(*walk()[:-3], *later, step_s=STEP_S, **CONFIG)

    assert ids(tracks)[-1] == [1, 3]


def test_two_who_meet_behind_a_pillar_are_corrected_each_by_his_way() -> None:
    """They come from both sides; the numbers they get at first are those of nobody."""
    one, other = walk(), walk()
    both = [a + [{**p, **mirrored(p)} for p in b] for a, b in zip(one, other, strict=True)]

    tracks = follow(*both, step_s=STEP_S, **CONFIG)

    assert ids(tracks)[0] == ids(tracks)[-1] == [1, 2]
    assert sorted(row[1:3] for row in corrections(tracks)) == [(1, 3), (2, 4)]
    assert tracks[-1].body_box[0, 0] > 0.8 > 0.2 > tracks[-1].body_box[1, 0]


@pytest.mark.parametrize(("body", "beside"), [(True, (0.4, 0.46)), (False, (0.38, 0.42))])
def test_somebody_doubted_who_is_hidden_is_told_of_all_the_same(body: bool, beside: tuple[float, float]) -> None:
    """Found a bit beside where the one lost was, and hidden when that one turns up: nobody could tell it later."""
    here, wrong = [person(0.3, body=body)], [[person(x, body=body)] for x in beside]

    tracks = follow(*[here] * 10, *[[]] * 5, *wrong, *[here] * 3, confirm_s=0.1, coast_s=0.0, min_likeness=0.2)

    assert ids(tracks)[15:] == [[1], [1], [], [1, 2], [1]]
    assert corrections(tracks) == [(18, 2, 1, pytest.approx(1.5))]
    assert tracks[18].observed.tolist() == [True, False]


def mirrored(one: Person) -> Person:
    """Return the boxes of a person as in a mirror, a bit lower."""
    return {
        name: [1 - one[name][2], one[name][1] + 0.1, 1 - one[name][0], one[name][3] + 0.1]
        for name in ("head_box", "body_box")
    }


def test_two_visits_become_the_one_that_it_was() -> None:
    tracks = follow(*walk(), step_s=STEP_S, **CONFIG)
    whole = concat([frame.take(frame.observed) for frame in in_one_batch(tracks)])
    looks = hits(*[(int(row), int(track), "tea") for row, track in zip(whole.frame_row, whole.track_id, strict=True)])
    batch = frames(len(tracks), step_s=STEP_S)

    during, after = run_node(node(max_gap_s=1.5, min_look_s=0.1, min_visit_s=0.1), [(batch, looks, whole)], ["shop"])

    told = concat([during, after])
    before, wrong = "shop/0/1/tea/0", "shop/0/2/tea/3300000000"
    assert list(zip(told.kind, told.visit, told.reason, told.replaces, strict=True)) == [
        ("started", before, "", ""),
        ("started", wrong, "", ""),
        ("retracted", wrong, "identity", ""),
        ("updated", before, "", wrong),
        ("ended", before, "stream_ended", wrong),
    ]
    assert (told.start_ns[-1], told.end_ns[-1]) == (0, 4_500_000_000)


def in_one_batch(tracks: list[Tracks]) -> list[Tracks]:
    """Return tracks of frames that were batches of their own as rows of one."""
    return [Tracks(**{**vars(frame), "frame_row": frame.frame_row + index}) for index, frame in enumerate(tracks)]
