"""Targets get the probability that they are looked at: by the gaze map inside them, in/out and the head's direction."""

import logging
from typing import Any

import numpy as np
import pytest

from nodes.hit_aoi import HitAoi
from nodes.types import AoiHits, GazeMaps, GazePoints, HeadPoses, Objects, Tracks
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, run_node, table

TEA = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.5], [0.1, 0.5]]
COFFEE = [[0.5, 0.1], [0.7, 0.1], [0.7, 0.5], [0.5, 0.5]]
SHELF = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.0, 0.5]]
CELLS = 20
ALONE = Tracks.empty()


def gaze(
    *spots: tuple[float, float], track: int = 1, frame_row: int = 0, in_frame: float = 0.95, height: float = 0.8
) -> GazeMaps:
    """Return the map of one head at the bottom in the middle, with a cell that stands out at each spot."""
    heat = np.zeros((CELLS, CELLS))
    for x, y in spots:
        heat[int(y * CELLS), int(x * CELLS)] = height
    return table(
        GazeMaps,
        frame_row=[frame_row],
        track_id=[track],
        head_box=[[0.45, 0.85, 0.55, 0.95]],
        heatmap=[heat],
        in_frame_prob=[in_frame],
    )


def person(track_id: int, head: list[float], frame_row: int = 0) -> Tracks:
    return table(Tracks, frame_row=[frame_row], track_id=[track_id], head_box=[head])


def pose(yaw_deg: float, agreement: float = 1.0) -> HeadPoses:
    nan = float("nan")
    return table(HeadPoses, frame_row=[0], track_id=[1], yaw_pitch_roll_deg=[[yaw_deg, nan, nan]], score=[agreement])


def told(
    maps: GazeMaps,
    aois: dict[str, Any] | None = None,
    tracks: Tracks = ALONE,
    poses: HeadPoses | None = None,
    points: GazePoints | None = None,
    objects: Objects | None = None,
    **config: Any,
) -> list[tuple[int, str, float]]:
    batch = frames(2, size_wh=(400, 400), config={"shop": {"aois": aois or {}}})
    steady = points or GazePoints.empty()
    (hits,) = run_node(make_node(HitAoi, **config), [(batch, maps, steady, tracks, poses, objects)])
    return [
        (track_id, name, round(score, 3))
        for track_id, name, score in zip(hits.track_id.tolist(), hits.target, hits.score.tolist(), strict=True)
    ]


def names(*args: Any, **config: Any) -> list[str]:
    return [name for _, name, _ in told(*args, **config)]


def probability(*args: Any, **config: Any) -> float:
    ((_, _, score),) = told(*args, **config)
    return score


def test_the_area_with_the_hill_is_looked_at() -> None:
    both = {"tea": TEA, "coffee": COFFEE}

    assert names(gaze((0.2, 0.3)), both) == ["tea"]
    assert names(gaze((0.6, 0.3)), both) == ["coffee"]
    assert told(gaze((0.9, 0.7)), both) == [(1, "", 0)]


def test_a_probability_is_the_logistic_of_the_weighed_evidence() -> None:
    weights = {"area_bias": -1, "mass_weight": 1, "size_weight": -0.5, "in_frame_weight": 0.5}
    log_odds = -1 + np.log(0.5 + 1e-3) - 0.5 * np.log(0.08 + 1e-4) + 0.5 * np.log(0.95 / 0.05)

    score = probability(gaze((0.2, 0.3), (0.9, 0.9)), {"tea": TEA}, **weights)

    assert score == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-3)


def test_the_height_of_a_map_means_nothing_only_where_it_lies() -> None:
    assert told(gaze((0.2, 0.3), height=0.9), {"tea": TEA}) == told(gaze((0.2, 0.3), height=0.01), {"tea": TEA})


def test_half_the_map_is_half_as_convincing_as_all_of_it() -> None:
    areas = {"tea": TEA}

    assert probability(gaze((0.2, 0.3)), areas) > probability(gaze((0.2, 0.3), (0.9, 0.9)), areas) > 0.1


def test_two_areas_with_a_hill_each_share_the_probability() -> None:
    both = told(gaze((0.2, 0.3), (0.6, 0.3)), {"tea": TEA, "coffee": COFFEE})

    assert [name for _, name, _ in both] == ["tea", "coffee"]
    assert both[0][2] == both[1][2] < 0.5


def test_who_looks_out_of_the_frame_looks_less_at_everything() -> None:
    inside, outside = (probability(gaze((0.2, 0.3), in_frame=p), {"tea": TEA}, min_score=0) for p in (0.95, 0.05))

    assert inside > 2 * outside


def test_the_smoothed_in_frame_probability_comes_before_that_of_the_map() -> None:
    steady = table(GazePoints, frame_row=[0], track_id=[1], in_frame_prob=[0.05])

    assert probability(gaze((0.2, 0.3)), {"tea": TEA}, points=steady) == probability(
        gaze((0.2, 0.3), in_frame=0.05), {"tea": TEA}
    )


def test_a_head_turned_to_the_side_of_the_area_looks_at_it_rather() -> None:
    to_it, unknown, away = (
        probability(gaze((0.2, 0.3)), {"tea": TEA}, poses=poses) for poses in (pose(-90), None, pose(90))
    )

    assert to_it > unknown > away
    assert probability(gaze((0.2, 0.3)), {"tea": TEA}, poses=pose(90, agreement=0)) == unknown


def test_who_faces_the_camera_looks_at_areas_less() -> None:
    assert probability(gaze((0.2, 0.3)), {"tea": TEA}, poses=pose(180)) > probability(
        gaze((0.2, 0.3)), {"tea": TEA}, poses=pose(0)
    )


def test_an_area_inside_another_does_not_rival_it() -> None:
    alone = told(gaze((0.2, 0.3)), {"tea": TEA})
    nested = told(gaze((0.2, 0.3)), {"tea": TEA, "shelf": SHELF}, rival_share=0)

    assert [name for _, name, _ in nested] == ["tea", "shelf"]
    assert nested[0] == alone[0]


def test_of_overlapping_areas_the_higher_level_is_looked_at() -> None:
    tea = {"polygon": TEA, "level": 1}

    assert names(gaze((0.2, 0.3)), {"shelf": SHELF, "tea": tea}) == ["tea"]
    assert names(gaze((0.8, 0.3)), {"shelf": SHELF, "tea": tea}) == ["shelf"]


def test_a_hole_is_not_part_of_its_area() -> None:
    shelf = {"polygon": SHELF, "holes": [TEA]}

    assert names(gaze((0.2, 0.3)), {"shelf": shelf}) == [""]
    assert names(gaze((0.8, 0.3)), {"shelf": shelf}) == ["shelf"]


def test_people_are_looked_at_on_their_heads() -> None:
    other = person(7, head=[0.6, 0.6, 0.7, 0.7])

    assert names(gaze((0.65, 0.65)), {"tea": TEA}, other) == ["person:7"]
    assert names(gaze((0.9, 0.65)), {"tea": TEA}, other) == [""]
    assert names(gaze((0.65, 0.65)), {"tea": TEA}, other, people=False) == [""]


def test_the_head_counts_enlarged() -> None:
    other = person(7, head=[0.6, 0.6, 0.7, 0.7])

    assert names(gaze((0.72, 0.65)), {"tea": TEA}, other, head_scale=2.0) == ["person:7"]
    assert names(gaze((0.72, 0.65)), {"tea": TEA}, other, head_scale=1.0) == [""]


def test_a_head_hides_the_area_behind_it() -> None:
    assert names(gaze((0.2, 0.3)), {"tea": TEA}, person(7, head=[0.15, 0.25, 0.25, 0.35])) == ["person:7"]


def test_people_of_other_frames_oneself_and_people_without_a_head_are_not_looked_at() -> None:
    head = [0.6, 0.6, 0.7, 0.7]

    assert names(gaze((0.65, 0.65)), {"tea": TEA}, person(1, head)) == [""]
    assert names(gaze((0.65, 0.65)), {"tea": TEA}, person(7, head, frame_row=1)) == [""]
    assert names(gaze((0.65, 0.65)), {"tea": TEA}, person(7, [float("nan")] * 4)) == [""]


def test_things_are_looked_at_in_their_boxes() -> None:
    bottle = table(Objects, frame_row=[0], object_id=[4], label=["bottle"], box=[[0.6, 0.6, 0.7, 0.7]], score=[0.9])

    assert names(gaze((0.65, 0.65)), {"tea": TEA}, objects=bottle) == ["object:bottle:4"]


def test_doubtful_targets_are_told_as_far_as_asked_for() -> None:
    both = {"tea": TEA, "coffee": COFFEE}
    mostly_tea = gaze((0.2, 0.3), (0.22, 0.42), (0.27, 0.17), (0.6, 0.3))

    assert names(mostly_tea, both, rival_share=0.7) == ["tea"]
    assert names(mostly_tea, both, rival_share=0.1) == ["tea", "coffee"]
    assert names(mostly_tea, both, rival_share=0.1, min_score=0.4) == ["tea"]


@pytest.mark.parametrize(
    ("point", "expected"), [((0, 0), "1-1"), ((0.99, 0.99), "2-4"), ((0.5, 0.49), "1-3"), ((0.24, 0.5), "2-1")]
)
def test_a_stream_without_areas_has_a_grid_counted_from_one_at_the_top_left(
    point: tuple[float, float], expected: str
) -> None:
    hits = told(gaze(point, in_frame=0.75), grid_rows=2, grid_columns=4)

    assert hits == [(1, f"grid:{expected}", 0.75)]


def test_people_come_before_the_grid() -> None:
    other = person(7, head=[0.5, 0.5, 0.65, 0.65])

    assert names(gaze((0.6, 0.6)), tracks=other) == ["person:7"]
    assert names(gaze((0.6, 0.6)), tracks=other, people=False) == ["grid:2-2"]
    assert names(gaze((0.9, 0.65)), grid_rows=0) == [""]


def test_streams_have_their_own_areas() -> None:
    batch = frames(2, stream=["bar", "shop"], config={"shop": {"aois": {"tea": TEA}}})
    maps = concat([gaze((0.2, 0.3)), gaze((0.2, 0.3), frame_row=1)])

    (hits,) = run_node(make_node(HitAoi), [(batch, maps, GazePoints.empty(), ALONE)])

    assert hits.target == ("grid:1-1", "tea")
    assert hits.frame_row.tolist() == [0, 1]


def test_areas_may_change_between_ticks() -> None:
    ticks = [
        (frames(1, config={"shop": {"aois": {name: TEA}}}), gaze((0.2, 0.3)), GazePoints.empty(), ALONE)
        for name in ("tea", "milk")
    ]

    assert [hits.target for hits in run_node(make_node(HitAoi), ticks)] == [("tea",), ("milk",)]


def test_no_frames_and_no_rows() -> None:
    nobody = (GazeMaps.empty(), GazePoints.empty())

    outputs = run_node(
        make_node(HitAoi), [(frames(0), *nobody, ALONE), (frames(1), *nobody, person(1, [0.1, 0.1, 0.2, 0.2]))]
    )

    assert all(equal(output, AoiHits.empty()) for output in outputs)


def test_the_lack_of_areas_is_said_once_with_the_cure(caplog: pytest.LogCaptureFixture) -> None:
    tick = (frames(1), gaze((0.2, 0.2)), GazePoints.empty(), ALONE)

    with caplog.at_level(logging.INFO):
        run_node(make_node(HitAoi), [tick, tick])

    assert caplog.messages == [
        "stream shop names no areas: reporting people and cells of a 3×3 grid; to name areas, write them under "
        "streams.shop.aois as polygons in fractions of the frame, such as shelf: [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]]"
    ]
