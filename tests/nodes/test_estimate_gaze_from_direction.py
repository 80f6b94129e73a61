"""Gaze maps made of where heads and eyes point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nodes.estimate_gaze_from_direction import EstimateGazeFromDirection
from nodes.types import GazeDirections, GazeMaps, HeadPoses, Tracks
from pipeline.frames import FrameBatch
from pipeline.values import equal
from tests.helpers import frames, make_node, run_node, table

MIDDLE = [0.47, 0.46, 0.53, 0.54]
LEFT = [0.02, 0.46, 0.08, 0.54]


def heads(count: int, **columns: Any) -> Tracks:
    given = {
        "frame_row": [0] * count,
        "track_id": [k + 1 for k in range(count)],
        "head_box": [MIDDLE] * count,
    }
    return table(Tracks, **{**given, **columns})


def posed(*rows: tuple[int, float, float], frame_row: int = 0, score: float = 1.0) -> HeadPoses:
    """Return poses of (track, yaw, pitch)."""
    angles = [[yaw, pitch, pitch * 0] for _, yaw, pitch in rows]
    count = len(rows)
    return table(
        HeadPoses,
        frame_row=[frame_row] * count,
        track_id=[row[0] for row in rows],
        yaw_pitch_roll_deg=angles,
        score=[score] * count,
    )


def looking(*rows: tuple[int, float, float], score: float = 1.0) -> GazeDirections:
    """Return directions of (track, yaw, pitch)."""
    count = len(rows)
    return table(
        GazeDirections,
        frame_row=[0] * count,
        track_id=[row[0] for row in rows],
        yaw_pitch_deg=[row[1:] for row in rows],
        score=[score] * count,
    )


def maps(
    tracks: Tracks,
    poses: HeadPoses | None = None,
    directions: GazeDirections | None = None,
    batch: FrameBatch | None = None,
    **config: Any,
) -> GazeMaps:
    shown = frames(1) if batch is None else batch
    return run_node(make_node(EstimateGazeFromDirection, **config), [(shown, tracks, poses, directions)])[0]


def centre(one: GazeMaps, row: int = 0) -> tuple[float, float]:
    """Return where the middle of a map's weight is, x and y in fractions of the frame."""
    weight = one.heatmap[row].astype(np.float64)
    down, across = ((np.arange(count) + 0.5) / count for count in weight.shape)
    return float(weight.sum(axis=0) @ across / weight.sum()), float(weight.sum(axis=1) @ down / weight.sum())


def spread(one: GazeMaps) -> float:
    """Return how high the map is about its middle row."""
    weight = one.heatmap[0].sum(axis=1).astype(np.float64)
    rows = (np.arange(len(weight)) + 0.5) / len(weight)
    return float(np.sqrt(weight @ (rows - centre(one)[1]) ** 2 / weight.sum()))


def test_a_map_is_one_at_its_peak_and_lies_where_the_head_points() -> None:
    made = maps(heads(3), posed((1, 90, 0), (2, -90, 0), (3, 0, 0)))

    assert made.heatmap.shape == (3, 32, 32)
    assert made.heatmap.max(axis=(1, 2)).tolist() == [1, 1, 1]
    assert made.heatmap.min() >= 0
    assert centre(made, 0)[0] > 0.6
    assert centre(made, 1)[0] < 0.4
    assert made.in_frame_prob[2] < made.in_frame_prob[0]
    assert made.in_frame_prob[0] == pytest.approx(made.in_frame_prob[1])
    assert (made.track_id.tolist(), made.head_box.tolist()[0]) == ([1, 2, 3], pytest.approx(MIDDLE))


def test_a_head_of_which_only_the_yaw_is_known_points_to_the_horizon_and_less_surely() -> None:
    known, unknown = (maps(heads(1), posed((1, 90, pitch))) for pitch in (0, np.nan))

    assert centre(unknown)[1] == pytest.approx(0.5, abs=0.01)
    assert spread(unknown) > 1.2 * spread(known)


def test_pitch_is_up() -> None:
    assert centre(maps(heads(1), posed((1, 90, 30))))[1] < 0.45
    assert centre(maps(heads(1), posed((1, 90, -30))))[1] > 0.55


def test_eyes_and_head_are_weighed_by_how_sure_they_are() -> None:
    """Where 13° and 10° stand for how far off they are, eyes count 1.69 times as much as the head."""
    both = maps(heads(1), posed((1, 90, -40)), looking((1, 90, 40)))
    wanted = np.degrees(np.arctan2((1.69 - 1) * np.sin(np.radians(40)), (1.69 + 1) * np.cos(np.radians(40))))
    alone = maps(heads(1), None, looking((1, 90, wanted)))

    assert centre(both)[1] == pytest.approx(centre(alone)[1], abs=0.01)
    assert spread(both) > 0.5 * spread(alone)
    doubtful = maps(heads(1), posed((1, 90, -40)), looking((1, 90, 40), score=0.1))
    assert centre(doubtful)[1] > 0.5 > centre(both)[1]


def test_two_that_agree_are_surer_than_one() -> None:
    both = maps(heads(1), posed((1, 90, 0)), looking((1, 90, 0)))
    eyes = maps(heads(1), None, looking((1, 90, 0)))
    dim = maps(heads(1), None, looking((1, 90, 0), score=0.25))

    assert spread(both) < spread(eyes) < spread(dim)


def test_opposites_say_nothing_and_neither_do_heads_of_which_nothing_is_known() -> None:
    tracks = heads(4, head_box=[MIDDLE, MIDDLE, [np.nan] * 4, MIDDLE])

    made = maps(tracks, posed((1, 90, 0), (3, 90, 0)), looking((1, -90, 0), (2, 50, np.nan)), eyes_spread_deg=13)

    assert made.track_id.tolist() == []
    assert made.heatmap.shape[1:] == GazeMaps.empty().heatmap.shape[1:]


def test_frames_of_two_streams_have_cameras_of_their_own() -> None:
    shown = frames(
        stream=("shop", "door"),
        pts_s=[0.2, 0.4],
        config={"shop": {"hfov_deg": 30}, "door": {"hfov_deg": 120}},
    )
    tracks = heads(2, frame_row=[0, 1], track_id=[1, 1])
    poses = replace(posed((1, 90, 0), (1, 90, 0)), frame_row=np.array([0, 1]))

    made = maps(tracks, poses, None, shown)

    assert made.asked_ns.tolist() == [200_000_000, 400_000_000]
    one, other = (maps(heads(1), posed((1, 90, 0)), hfov_deg=deg) for deg in (30, 120))
    np.testing.assert_allclose(made.heatmap[0], one.heatmap[0])
    np.testing.assert_allclose(made.heatmap[1], other.heatmap[0])
    assert not np.allclose(one.heatmap, other.heatmap)


def test_a_camera_matrix_goes_before_a_field_of_view() -> None:
    focal = 320 / np.tan(np.radians(15))
    matrix = [[focal, 0, 320], [0, focal, 180], [0, 0, 1]]
    told = [{"camera_matrix": matrix, "hfov_deg": 100}, {"hfov_deg": 30}]

    made, wanted = (maps(heads(1), posed((1, 90, 0)), None, frames(1, config={"shop": one})) for one in told)

    np.testing.assert_allclose(made.heatmap, wanted.heatmap, atol=1e-5)


def test_the_size_of_maps_can_be_set() -> None:
    assert maps(heads(1), posed((1, 90, 0)), map_wh=(48, 27)).heatmap.shape == (1, 27, 48)


def test_a_look_out_of_the_picture_is_told_as_such() -> None:
    made = maps(heads(2, head_box=[LEFT, LEFT]), posed((1, -90, 0), (2, 90, 0)))

    assert made.in_frame_prob[0] < 0.2 < 0.7 < made.in_frame_prob[1]


def test_no_rows_come_of_no_rows() -> None:
    assert equal(maps(Tracks.empty(), HeadPoses.empty(), GazeDirections.empty()), GazeMaps.empty())


def test_a_node_that_is_wired_to_neither_says_so() -> None:
    with pytest.raises(ValueError, match="got neither") as caught:
        maps(heads(1))

    assert str(caught.value) == (
        "estimate_gaze_from_direction: expected poses of heads, directions of eyes or both, got neither; wire `poses` "
        "or `directions`"
    )
