"""Which frames of faces count as right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import real_labels as labels
from benchmarks.faces import FACES, main
from benchmarks.faces_tally import Tally, between
from benchmarks.real_labels import Heads, Turn
from nodes.types import Detections, GazePoints, HeadPoses, Tracks
from pipeline.errors import ConfigError
from tests.helpers import table

AHEAD = Turn(0, 1, 0, 0)


def turned(turn: Turn, *told: tuple[float, float, float]) -> Tally:
    """Return the tally of two frames straight ahead, 7° up, and of more: yaw, pitch, gaze to the right of the head."""
    frames = [(0.0, 7.0, 0.0)] * 2 + list(told)
    tracks = [table(Tracks, track_id=[1, 2], head_score=[0.4, 0.9]) for _ in frames]
    poses = [table(HeadPoses, track_id=[1, 2], yaw_pitch_roll_deg=[[99, 99, 0], [y, p, 0]]) for y, p, _ in frames]
    points = [
        table(GazePoints, track_id=[2], head_point=[[0.5, 0.5]], point=[[0.5 + gaze, 0.5]]) for *_, gaze in frames
    ]
    tally = Tally()
    tally.add_turns([AHEAD, turn], tracks, poses, points)
    return tally


def counted(tally: Tally) -> list[tuple[int, int]]:
    return [(count.right, count.wanted) for count in (tally.right, tally.both, tally.gaze)]


def test_a_turned_head_is_right_on_the_labelled_sides_of_straight_ahead() -> None:
    right_up = turned(Turn(2, 5, 1, 1), (30, 20, 0.2), (1, 8, -0.1), (-1, 20, 0.1), (30, 6, 0.1))

    assert right_up.neutral_pitch_deg == 7
    assert counted(right_up) == [(2 + 2, 6), (2 + 1, 6), (3, 4)]


def test_what_is_not_labelled_as_turned_counts_only_where_more_is_asked_for() -> None:
    left = turned(Turn(2, 3, -1, 0), (-30, 40, -0.2), (-30, 7, -0.2))

    assert counted(left) == [(2 + 2, 4), (2 + 1, 4), (2, 2)]


def test_straight_ahead_is_within_ten_degrees() -> None:
    ahead = turned(Turn(2, 5, 0, 0), (10, 7, 0), (11, 7, 0), (0, -4, 0), (0, 16.9, 0))

    assert counted(ahead)[:2] == [(2 + 2, 6), (2 + 2, 6)]


def test_a_frame_without_a_pose_is_not_right() -> None:
    tracks, points = [Tracks.empty()] * 3, [GazePoints.empty()] * 3
    ahead = table(HeadPoses, track_id=[1], yaw_pitch_roll_deg=[[0, 7, 0]])
    one = table(Tracks, track_id=[1], head_score=[1])
    tally = Tally()

    tally.add_turns([AHEAD, Turn(2, 2, 1, 0)], [one, one, tracks[2]], [ahead, ahead, HeadPoses.empty()], points)

    assert counted(tally) == [(2, 3), (2, 3), (0, 1)]


def test_faces_move_evenly_between_labelled_frames() -> None:
    one, other = (Heads(np.array([[x, 0, x + 10, 10.0]]), np.array([5.0])) for x in (0, 20))
    truth = {4: one, 14: other}

    assert [between(truth, number).box[0, 0] for number in (0, 4, 9, 14, 30)] == [0, 0, 10, 20, 20]


def test_a_frame_counts_where_every_face_is_found() -> None:
    box = np.array([[48, 27, 96, 54], [240, 135, 288, 162]], np.float64)
    truth = {0: Heads(box, np.zeros(2)), 3: Heads(box, np.zeros(2))}
    faces = [[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.6, 0.6], [0.8, 0.8, 0.9, 0.9]]
    people = [table(Detections, head_box=faces[:count], head_score=[0.9] * count) for count in (2, 1, 3, 0)]
    tally = Tally()

    tally.add_faces("a.mp4", people, truth, np.array([1920, 1080]))

    figures = tally.figures()
    assert (figures["faces_found"], figures["false_heads_per_10_frames"]) == (0.5, 2.5)
    assert tally.details()["faces_found"] == {"a.mp4": "2 of 4 frames"}


def test_all_segments_are_read_without_their_uncertain_ends(tmp_path: Path) -> None:
    path = tmp_path / labels.SEGMENTS
    path.parent.mkdir()
    path.write_text("from,to,yaw,pitch,eyes\n22,46,right,up,\n132,156,center,down,\n226,246,center,level,open\n")

    assert labels.read_turns(tmp_path) == [Turn(28, 40, 1, 1), Turn(138, 150, 0, -1), Turn(232, 240, 0, 0)]
    assert [segment.sign for segment in labels.read_segments(tmp_path)] == [1]


def test_the_folder_must_be_named_and_hold_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)
    with pytest.raises(ConfigError) as unset:
        main([])
    assert str(unset.value) == "GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it"

    monkeypatch.setenv("GAZE_REAL_DATA", str(tmp_path))
    with pytest.raises(ConfigError) as empty:
        main([])
    wanted = ", ".join((labels.CPC, labels.SEGMENTS, labels.HEADS, *FACES))
    assert str(empty.value) == f"GAZE_REAL_DATA={tmp_path}: expected {wanted} in it, got none; name another one"
