"""The shipped graph on rendered truth, from clip to figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import clips
from benchmarks.accuracy import main, true_heads
from benchmarks.accuracy_tally import Tally
from benchmarks.clips import TrueClip, check_published, true_clips
from nodes.types import Detections, GazeMaps, HeadPoses, Tracks
from pipeline.errors import ConfigError
from scenes.sets import seed_set
from scenes.truth import TARGET_KINDS, PeopleTruth, no_people
from tests.helpers import table

KEYS = [
    *("seeds", "frames", "head_px_p50", "heads_under_24px"),
    *("head_recall", "head_precision", "body_recall", "body_precision"),
    *("direction_accuracy", "direction_within_one", "yaw_mae_deg"),
    *("gaze_auc", "gaze_l2", "gaze_l2_centroid", "aoi_pair_accuracy", "inout_ap"),
    *("visits_precision", "visits_recall", "visits_f1"),
]

BOXES = np.array([[0.1, 0.1, 0.2, 0.2], [0.4, 0.1, 0.5, 0.2], [0.7, 0.1, 0.8, 0.2]])


def truth(**columns: object) -> PeopleTruth:
    """Return three people whose heads and bodies have the same boxes; the last one is hidden."""
    known = {
        "person_id": np.array([1, 2, 3]),
        "head_box": BOXES,
        "body_box": BOXES,
        "head_visible": np.array([1.0, 0.3, 0.29]),
        "body_visible": np.array([1.0, 0.3, 0.29]),
        "yaw_pitch_roll_deg": np.array([[0.0, 0, 0], [170, 0, 0], [0, 0, 0]]),
        "direction": np.array([0, 4, 0]),
        "target_point": np.array([[0.5, 0.5], [2.0, 0.5], [0.5, 0.5]]),
        "in_frame": np.array([True, False, True]),
        "target_kind": np.array([0, 5, 1]),
        "looked_at": ("", "", "shelf"),
    }
    return PeopleTruth(**vars(no_people()) | known | columns)


def test_a_short_clip_gives_every_figure_and_is_rendered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seeds", "9001", "--seconds", "0.5", "--out", str(tmp_path)]) == 0

    written = json.loads((tmp_path / "accuracy.json").read_text())
    assert list(written) == ["9001", "details"]
    figures, details = written["9001"], written["details"]["9001"]
    assert list(figures) == KEYS
    assert (figures["seeds"], figures["frames"]) == ("9001-9001", 6)
    assert details["gaze_heads"] == details["heads"]["wanted"] > 0
    assert capsys.readouterr().out.startswith("9001 ")
    assert 0 <= figures["gaze_auc"] <= 1

    monkeypatch.setattr(clips, "write_clip", None)
    (again,) = true_clips(seed_set("9001", seconds=0.5), tmp_path / "clips")
    assert len(again.frames) == 6


def test_hidden_heads_and_bodies_count_neither_way() -> None:
    people = table(
        Detections,
        head_box=[BOXES[0], BOXES[2], [0, 0.5, 0.1, 0.6]],
        head_score=[0.9, 0.8, 0.7],
        body_box=[BOXES[0], BOXES[1], BOXES[2]],
        body_score=[0.9, 0.8, 0.7],
        direction_scores=[[0, 0, 0, 0, 1, 0, 0, 0]] * 3,
    )
    tally = Tally()

    tally.add_detections(people, truth())

    assert (tally.heads.wanted, tally.heads.right, tally.heads.wrong) == (2, 1, 1)
    assert (tally.bodies.wanted, tally.bodies.right, tally.bodies.wrong) == (2, 2, 0)
    assert (tally.directions_right, tally.directions_near) == (0, 0)


def test_a_direction_is_right_when_its_score_is_best() -> None:
    scores = np.zeros((2, 8), np.float32)
    scores[1, [3, 4]] = 0.4, 0.6  # the first has no direction at all, though direction 0 would be right
    people = table(Detections, head_box=BOXES[:2], head_score=[0.9, 0.8], direction_scores=scores)
    tally = Tally()

    tally.add_detections(people, truth())

    assert (tally.directions_right, tally.directions_near) == (1, 1)


@pytest.mark.parametrize(("told", "near"), [(7, True), (1, True), (6, False), (2, False), (4, False)])
def test_a_direction_is_near_within_one_step_around_the_circle(told: int, near: bool) -> None:
    people = table(Detections, head_box=BOXES[:1], head_score=[0.9], direction_scores=np.eye(8)[[told]])
    tally = Tally()

    tally.add_detections(people, truth())

    assert (tally.directions_right, tally.directions_near) == (0, int(near))


def test_yaw_errors_go_around_the_circle() -> None:
    tracks = table(Tracks, track_id=[7, 8], head_box=BOXES[[1, 0]], head_score=[0.9, 0.8])
    poses = table(HeadPoses, track_id=[7], yaw_pitch_roll_deg=[[-170, np.nan, np.nan]])
    tally = Tally()

    tally.add_poses(tracks, poses, truth())

    assert tally.yaw_errors_deg == [pytest.approx(20)]
    assert tally.heads_tracked == 2


def test_points_are_scored_inside_the_frame_and_in_or_out_for_all() -> None:
    maps = np.zeros((2, 64, 64), np.float32)
    maps[0, 32, 40] = 1
    gaze = table(GazeMaps, track_id=[1, 2], heatmap=np.ones((2, 1, 1)), in_frame_prob=[0.9, 0.2])
    gaze = replace(gaze, heatmap=maps)
    tally = Tally()

    tally.add_gaze(gaze, truth(), (480, 288))

    assert (tally.in_frame, tally.in_frame_prob) == ([True, False], [pytest.approx(0.9), pytest.approx(0.2)])
    assert tally.peaks == [pytest.approx(8 / 64)]
    assert tally.figures()["inout_ap"] == 1


@pytest.mark.parametrize(
    ("kind", "name", "counts"),
    [
        ("surface", "shelf", True),
        ("object", "", True),
        ("hand", "", True),
        ("surface", "", False),
        ("elsewhere", "", False),
        ("person", "person:2", False),
    ],
)
def test_pairs_are_of_those_who_look_at_an_area_or_a_thing(kind: str, name: str, counts: bool) -> None:
    maps = np.zeros((1, 64, 64), np.float32)
    maps[0, 32, 32] = 1
    gaze = replace(table(GazeMaps, track_id=[1], heatmap=np.ones((1, 1, 1)), in_frame_prob=[0.9]), heatmap=maps)
    tally = Tally()

    tally.add_gaze(
        gaze, truth(target_kind=np.array([TARGET_KINDS.index(kind), 0, 0]), looked_at=(name, "", "")), (480, 288)
    )

    assert tally.pairs_won == ([True] if counts else [])
    assert tally.figures()["aoi_pair_accuracy"] == (1 if counts else None)


def test_nothing_measured_is_none() -> None:
    assert set(Tally().figures().values()) == {None}


def test_true_heads_are_asked_about_under_the_numbers_of_their_people() -> None:
    heads = true_heads(truth())

    assert heads.track_id.tolist() == [1, 2]
    assert heads.head_box == pytest.approx(BOXES[:2])


def test_a_published_set_must_still_be_what_it_was() -> None:
    chosen = replace(seed_set("1"), name="bench", statistics={"frames": 2.0, "heads": 3.0})
    clip = TrueClip(1, Path("x.mp4"), (480, 288), {}, (), (no_people(),))

    with pytest.raises(ConfigError) as changed:
        check_published(chosen, [clip])

    assert str(changed.value) == (
        "set 'bench': expected the statistics it was published with, {'frames': 2.0, 'heads': 3.0}, got "
        "{'frames': 1.0, 'heads': 0.0}; the scenes are drawn otherwise: undo that, or publish a new set under another "
        "name"
    )
