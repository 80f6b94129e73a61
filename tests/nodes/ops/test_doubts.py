"""Who is found again beside where expected may be somebody else, until the one expected turns up."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.track_people import TrackPeople
from nodes.types import Detections, Tracks
from tests.helpers import frames, make_node, table

STEP_S = 0.1
NONE = [np.nan] * 4


def found(*places: float) -> Detections:
    """Return bodies with these middles, 0.2 of the frame wide and 0.6 high."""
    count = len(places)
    return table(
        Detections,
        frame_row=[0] * count,
        head_box=[NONE] * count,
        body_box=[[x - 0.1, 0.2, x + 0.1, 0.8] for x in places],
        body_score=[0.9] * count,
    )


def follow(*places: tuple[float, ...]) -> list[Tracks]:
    node = make_node(TrackPeople, confirm_s=0.1, coast_s=0.0)
    node.open()
    return [node.process(frames(1, start_s=STEP_S * k, step_s=STEP_S), found(*here)) for k, here in enumerate(places)]


def numbers(tracks: list[Tracks]) -> list[list[int]]:
    return [frame.track_id.tolist() for frame in tracks]


LOST = [(0.3,)] * 10 + [()] * 5
BESIDE, THERE = 0.4, 0.3


def test_who_turns_up_where_expected_gets_the_number_back() -> None:
    tracks = follow(*LOST, (BESIDE,), (BESIDE,), *[(BESIDE, THERE)] * 3)

    assert numbers(tracks)[15:] == [[1], [1], [1], [1, 2], [1, 2]]
    told = tracks[18]
    assert told.taken_from.tolist() == [0, 1]
    assert told.taken_since_ns.tolist() == [0, 1_500_000_000]
    assert told.body_box[:, 0] == pytest.approx([THERE - 0.1, BESIDE - 0.1], abs=0.01)
    assert not any(frame.taken_from.any() for frame in (*tracks[:18], tracks[19]))


def test_nobody_is_doubted_who_was_found_where_expected() -> None:
    tracks = follow(*LOST, (THERE,), (THERE,), *[(THERE, BESIDE)] * 3)

    assert numbers(tracks)[15:] == [[1], [1], [1], [1, 2], [1, 2]]
    assert not any(frame.taken_from.any() for frame in tracks)
    assert tracks[-1].body_box[:, 0] == pytest.approx([THERE - 0.1, BESIDE - 0.1], abs=0.01)


def test_a_doubt_fades_as_the_place_grows_uncertain() -> None:
    tracks = follow(*LOST, *[(BESIDE,)] * 17, *[(BESIDE, THERE)] * 3)

    assert not any(frame.taken_from.any() for frame in tracks)
    assert tracks[-1].body_box[:, 0] == pytest.approx([BESIDE - 0.1, THERE - 0.1], abs=0.01)


def test_a_newcomer_elsewhere_settles_nothing() -> None:
    tracks = follow(*LOST, (BESIDE,), (BESIDE,), *[(BESIDE, 0.8)] * 3)

    assert not any(frame.taken_from.any() for frame in tracks)
    assert numbers(tracks)[-1] == [1, 2]
