"""What the event layer is given in place of models, for people at places written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.event_inputs import CELLS, SURE, peak_hits, true_gaze, true_tracks
from nodes.types import AoiHits, GazeMaps, Tracks
from pipeline.streams import Area
from scenes.truth import PeopleTruth, no_people
from tests.helpers import table

HEADS = [[0.1, 0.1, 0.2, 0.2], [0.5, 0.1, 0.6, 0.2]]
SHELF = {"shelf": Area(polygon=((0.45, 0.05), (0.95, 0.05), (0.95, 0.5), (0.45, 0.5)))}


def people(**columns: Any) -> PeopleTruth:
    """Return two people, the second before the shelf; the first looks as given, the second out of the picture."""
    made: dict[str, Any] = {
        "person_id": np.array([4, 9]),
        "head_box": np.array(HEADS),
        "body_box": np.array(HEADS),
        "head_visible": np.ones(2),
        "direction": np.array([0, 2]),
        "in_frame": np.array([True, False]),
        "looked_at": ("", ""),
        "target_point": np.full((2, 2), np.nan),
    }
    made |= columns
    return PeopleTruth(**vars(no_people()) | made)


def looks_at(x: float, y: float, name: str) -> PeopleTruth:
    return people(target_point=np.array([[x, y], [np.nan, np.nan]]), looked_at=(name, ""))


def spot(gaze: GazeMaps, head: int = 0) -> tuple[float, float] | None:
    """Return the middle of the one cell that stands out in the map of a head, or None."""
    rows, columns = np.nonzero(gaze.heatmap[head])
    assert len(rows) <= 1
    return None if not len(rows) else (float(columns[0] + 0.5) / CELLS, float(rows[0] + 0.5) / CELLS)


def near(got: tuple[float, float] | None, x: float, y: float, most: float = 0.5 / CELLS) -> bool:
    return got is not None and bool(max(abs(got[0] - x), abs(got[1] - y)) <= most + 1e-9)


def test_a_true_map_has_one_cell_where_the_person_looks_and_none_when_that_is_not_in_the_picture() -> None:
    gaze = true_gaze(looks_at(0.8, 0.3, "shelf"), 0, SHELF)

    assert near(spot(gaze), 0.8, 0.3)
    assert spot(gaze, 1) is None
    assert gaze.track_id.tolist() == [4, 9]
    assert np.allclose(gaze.in_frame_prob, [SURE, 1 - SURE])


def test_what_is_in_front_of_an_area_or_a_head_is_not_told_from_it_by_a_flat_map() -> None:
    on_shelf, on_head = looks_at(0.8, 0.3, ""), looks_at(0.55, 0.15, "")
    beside, own_head = looks_at(0.3, 0.8, ""), looks_at(0.15, 0.15, "")

    assert spot(true_gaze(on_shelf, 0, SHELF)) is None
    assert spot(true_gaze(on_head, 0, {})) is None
    assert near(spot(true_gaze(beside, 0, SHELF)), 0.3, 0.8)
    assert near(spot(true_gaze(own_head, 0, SHELF)), 0.15, 0.15)
    assert near(spot(true_gaze(on_shelf, 0, None)), 0.8, 0.3)


def test_a_spot_behind_a_head_moves_to_the_nearest_one_of_its_area_that_is_seen() -> None:
    hidden = looks_at(0.51, 0.15, "shelf")

    assert near(spot(true_gaze(hidden, 0, SHELF)), 0.5, 0.15, 1.0 / CELLS)
    assert near(spot(true_gaze(hidden, 0, None)), 0.51, 0.15)
    assert near(spot(true_gaze(looks_at(0.55, 0.15, "person:9"), 0, SHELF)), 0.55, 0.15)  # the head itself is looked at
    within = {"shelf": Area(polygon=((0.51, 0.11), (0.55, 0.11), (0.55, 0.15)))}
    assert spot(true_gaze(hidden, 0, within)) is None  # nothing of it is seen


def test_there_is_no_map_of_a_head_that_the_edge_cuts_off() -> None:
    boxes = np.array([[0.0, 0.1, 0.02, 0.2], [0.5, 0.1, 0.6, 0.2]])

    neither = np.array([False, False])
    halved = people(head_box=boxes, head_visible=np.array([0.4, 0.4]), in_frame=neither)
    most = people(head_box=boxes, head_visible=np.array([0.6, 1.0]), in_frame=neither)

    assert true_gaze(halved, 0, SHELF).track_id.tolist() == [9]  # the second is hidden, but not by the edge
    assert true_gaze(most, 0, SHELF).track_id.tolist() == [4, 9]


def test_true_tracks_are_numbered_like_people_and_face_where_they_do() -> None:
    tracks = true_tracks(people())

    assert (tracks.track_id.tolist(), tracks.direction_scores.argmax(axis=1).tolist()) == ([4, 9], [0, 2])
    assert np.allclose(tracks.head_box, HEADS)


def peaks_at(*points: tuple[float, float], in_frame: float = 0.9) -> tuple[GazeMaps, Tracks]:
    heatmap = np.zeros((len(points), 64, 64), np.float32)
    for row, (x, y) in enumerate(points):
        heatmap[row, int(y * 64), int(x * 64)] = 1
    boxes = np.array(HEADS[: len(points)], np.float32)
    ids = [4, 9][: len(points)]
    gaze = table(GazeMaps, track_id=ids, head_box=boxes, heatmap=heatmap, in_frame_prob=[in_frame] * len(points))
    return gaze, table(Tracks, track_id=[4, 9], head_box=HEADS, body_box=HEADS)


def told(hits: AoiHits) -> list[tuple[int, str, float]]:
    return list(zip(hits.track_id.tolist(), hits.target, hits.score.tolist(), strict=True))


def test_a_bare_peak_hits_the_areas_that_hold_it_else_a_head_else_nothing() -> None:
    two = SHELF | {"board": Area(polygon=((0.7, 0.2), (0.9, 0.2), (0.9, 0.4), (0.7, 0.4)))}

    assert told(peak_hits(*peaks_at((0.8, 0.3)), two)) == [(4, "shelf", 1.0), (4, "board", 1.0)]
    assert told(peak_hits(*peaks_at((0.55, 0.15)), {})) == [(4, "person:9", 1.0)]
    assert told(peak_hits(*peaks_at((0.15, 0.15)), {})) == [(4, "", 0.0)]  # one's own head
    assert told(peak_hits(*peaks_at((0.8, 0.3), in_frame=0.4), SHELF)) == [(4, "", 0.0)]
    assert told(peak_hits(*peaks_at((0.3, 0.9), (0.15, 0.15)), SHELF)) == [(4, "", 0.0), (9, "person:4", 1.0)]
    assert told(peak_hits(GazeMaps.empty(), Tracks.empty(), SHELF)) == []
