import logging
from typing import Any

import pytest

from nodes.hit_aoi import HitAoi
from nodes.types import AoiHits, GazePoints, Tracks
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, run_node, table

TEA = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.5], [0.1, 0.5]]
COFFEE = [[0.3, 0.1], [0.5, 0.1], [0.5, 0.5], [0.3, 0.5]]
SHELF = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.0, 0.5]]
ALONE = Tracks.empty()


def points(*rows: tuple[int, int, float, float], in_frame: float = 1.0) -> GazePoints:
    """Return gaze points from (frame_row, track_id, x, y)."""
    return table(
        GazePoints,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        point=[row[2:] for row in rows],
        in_frame_prob=[in_frame] * len(rows),
    )


def person(track_id: int, head: Any = None, body: Any = None, frame_row: int = 0) -> Tracks:
    unseen = [float("nan")] * 4
    return table(
        Tracks, frame_row=[frame_row], track_id=[track_id], head_box=[head or unseen], body_box=[body or unseen]
    )


def hit(
    gaze: GazePoints,
    aois: dict[str, Any] | None = None,
    tracks: Tracks = ALONE,
    size_wh: tuple[int, int] = (400, 400),
    **config: Any,
) -> list[tuple[int, str, float]]:
    batch = frames(2, size_wh=size_wh, config={"shop": {"aois": aois or {}}})
    (hits,) = run_node(make_node(HitAoi, **config), [(batch, gaze, tracks)])
    return [(t, name, pytest.approx(s)) for t, name, s in zip(hits.track_id, hits.target, hits.score, strict=True)]


def test_points_inside_and_outside() -> None:
    gaze = points((0, 1, 0.2, 0.2), (0, 2, 0.8, 0.8), (1, 1, 0.4, 0.4), in_frame=0.75)

    assert hit(gaze, {"tea": TEA, "coffee": COFFEE}) == [(1, "tea", 0.75), (2, "", 0), (1, "coffee", 0.75)]


def test_overlapping_areas_give_one_row_each_in_order_of_the_configuration() -> None:
    assert hit(points((0, 1, 0.2, 0.2)), {"tea": TEA, "shelf": SHELF}) == [(1, "tea", 1), (1, "shelf", 1)]
    assert hit(points((0, 1, 0.2, 0.2)), {"shelf": SHELF, "tea": TEA}) == [(1, "shelf", 1), (1, "tea", 1)]


def test_an_edge_belongs_to_both_its_areas() -> None:
    assert hit(points((0, 1, 0.3, 0.2)), {"tea": TEA, "coffee": COFFEE}) == [(1, "tea", 1), (1, "coffee", 1)]


def test_score_falls_to_nothing_over_the_margin() -> None:
    areas = {"tea": TEA}

    assert hit(points((0, 1, 0.2, 0.52)), areas, margin=0.04) == [(1, "tea", pytest.approx(0.5, abs=1e-5))]
    assert hit(points((0, 1, 0.2, 0.541)), areas, margin=0.04) == [(1, "", 0)]
    assert hit(points((0, 1, 0.2, 0.51)), areas, margin=0) == [(1, "", 0)]


def test_margin_is_measured_in_frame_heights() -> None:
    sideways = points((0, 1, 0.08, 0.3))

    assert hit(sideways, {"tea": TEA}, margin=0.1) == [(1, "tea", pytest.approx(0.8, abs=1e-5))]
    assert hit(sideways, {"tea": TEA}, margin=0.1, size_wh=(800, 400)) == [(1, "tea", pytest.approx(0.6, abs=1e-5))]


def test_a_point_inside_one_area_is_not_in_the_margin_of_another() -> None:
    assert hit(points((0, 1, 0.31, 0.2)), {"tea": TEA, "coffee": COFFEE}, margin=0.1) == [(1, "coffee", 1)]


def test_a_point_outside_all_hits_the_nearest_and_of_equals_the_first() -> None:
    areas = {"coffee": COFFEE, "tea": TEA}

    assert [row[1] for row in hit(points((0, 1, 0.2, 0.52)), areas)] == ["tea"]
    assert [row[1] for row in hit(points((0, 1, 0.3, 0.52)), areas)] == ["coffee"]


def test_looking_out_of_the_frame_hits_nothing() -> None:
    assert hit(points((0, 1, 0.2, 0.2), in_frame=0.49), {"tea": TEA}) == [(1, "", 0)]
    assert hit(points((0, 1, 0.2, 0.2), in_frame=0.49), {"tea": TEA}, min_in_frame=0.4) == [(1, "tea", 0.49)]


def test_a_point_that_is_not_known_hits_nothing() -> None:
    unknown = points((0, 1, float("nan"), float("nan")))

    assert hit(unknown, {"tea": TEA}) == [(1, "", 0)]
    assert hit(unknown) == [(1, "", 0)]


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((0.65, 0.65), "person:7"),  # head
        ((0.71, 0.65), "person:7"),  # 1.3 times the head
        ((0.72, 0.65), ""),
        ((0.75, 0.75), "person:7"),  # upper body, next to the head
        ((0.75, 0.9), ""),  # lower body
    ],
)
def test_people_are_looked_at_on_head_and_upper_body(point: tuple[float, float], expected: str) -> None:
    other = person(7, head=[0.6, 0.6, 0.7, 0.7], body=[0.5, 0.7, 0.8, 1.0])

    assert [row[1] for row in hit(points((0, 1, *point)), tracks=other, grid_rows=0, upper_body=0.35)] == [expected]


def test_people_need_not_show_a_head_or_a_body() -> None:
    headless = person(7, body=[0.5, 0.7, 0.8, 1.0])
    bodiless = person(8, head=[0.6, 0.6, 0.7, 0.7])

    assert [row[1] for row in hit(points((0, 1, 0.55, 0.72)), tracks=headless, upper_body=0.35)] == ["person:7"]
    assert [row[1] for row in hit(points((0, 1, 0.65, 0.65)), tracks=bodiless)] == ["person:8"]
    assert [row[1] for row in hit(points((0, 1, 0.55, 0.72)), tracks=headless)] == ["grid:3-2"]


def test_people_of_other_frames_and_oneself_are_not_looked_at() -> None:
    head = [0.6, 0.6, 0.7, 0.7]

    assert [row[1] for row in hit(points((0, 7, 0.65, 0.65)), tracks=person(7, head), grid_rows=0)] == [""]
    assert [row[1] for row in hit(points((0, 1, 0.65, 0.65)), tracks=person(7, head, frame_row=1), grid_rows=0)] == [""]
    assert [row[1] for row in hit(points((0, 1, 0.65, 0.65)), tracks=person(7, head), people=False)] == ["grid:2-2"]


def test_of_two_people_the_nearer_head_is_looked_at() -> None:
    both = concat([person(7, [0.5, 0.6, 0.7, 0.8]), person(8, [0.6, 0.6, 0.8, 0.8])])

    assert [row[1] for row in hit(points((0, 1, 0.66, 0.7)), tracks=both)] == ["person:8"]
    assert [row[1] for row in hit(points((0, 1, 0.64, 0.7)), tracks=both)] == ["person:7"]


def test_of_a_head_and_the_top_of_a_body_the_nearer_is_looked_at() -> None:
    both = concat([person(7, body=[0.0, 0.5, 1.0, 1.0]), person(8, [0.6, 0.55, 0.7, 0.65])])

    assert [row[1] for row in hit(points((0, 1, 0.64, 0.6)), tracks=both, upper_body=0.35)] == ["person:8"]
    assert [row[1] for row in hit(points((0, 1, 0.55, 0.52)), tracks=both, upper_body=0.35)] == ["person:7"]


def test_areas_come_before_people_and_people_before_the_grid() -> None:
    other = person(7, head=[0.15, 0.15, 0.25, 0.25])
    gaze = points((0, 1, 0.2, 0.2))

    assert hit(gaze, {"tea": TEA}, other) == [(1, "tea", 1)]
    assert hit(gaze, tracks=other) == [(1, "person:7", 1)]
    assert hit(gaze) == [(1, "grid:1-1", 1)]


@pytest.mark.parametrize(
    ("point", "expected"), [((0, 0), "1-1"), ((1, 1), "2-4"), ((0.5, 0.49), "1-3"), ((0.24, 0.5), "2-1")]
)
def test_grid_cells_count_from_one_at_the_top_left(point: tuple[float, float], expected: str) -> None:
    hits = hit(points((0, 1, *point)), grid_rows=2, grid_columns=4)

    assert hits == [(1, f"grid:{expected}", 1)]


def test_streams_have_their_own_areas() -> None:
    batch = frames(2, stream=["bar", "shop"], config={"shop": {"aois": {"tea": TEA}}})
    node = make_node(HitAoi)

    (hits,) = run_node(node, [(batch, points((0, 1, 0.2, 0.2), (1, 1, 0.2, 0.2)), ALONE)])

    assert hits.target == ("grid:1-1", "tea")
    assert hits.frame_row.tolist() == [0, 1]


def test_no_frames_and_no_rows() -> None:
    node = make_node(HitAoi)

    outputs = run_node(node, [(frames(0), GazePoints.empty(), ALONE), (frames(1), GazePoints.empty(), person(1))])

    assert all(equal(output, AoiHits.empty()) for output in outputs)


def test_the_lack_of_areas_is_said_once_with_the_cure(caplog: pytest.LogCaptureFixture) -> None:
    tick = (frames(1), points((0, 1, 0.2, 0.2)), ALONE)

    with caplog.at_level(logging.INFO):
        run_node(make_node(HitAoi), [tick, tick])

    assert caplog.messages == [
        "stream shop names no areas: reporting people and cells of a 3×3 grid; to name areas, write them under "
        "streams.shop.aois as polygons in fractions of the frame, such as shelf: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]]"
    ]
