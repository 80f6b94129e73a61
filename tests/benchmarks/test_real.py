"""Labels made by eye, and what is counted against them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import real_labels as labels
from benchmarks.real import frames_to_show, main
from benchmarks.real_labels import Persons, Segment, Stay, middle_deg
from benchmarks.real_tally import Tally
from nodes.types import Detections, HeadPoses, Tracks
from pipeline.errors import ConfigError
from tests.helpers import table

HEADS = """# a comment
clip,frame,x1,y1,x2,y2,yaw_deg
a/b.mp4,0,48,27,96,54,-30
a/b.mp4,0,240,135,480,270,180
a/b.mp4,7,,,,,
"""
NO_BOX = [np.nan] * 4


def poses_of(tracks: Tracks, *yaw_deg: float) -> HeadPoses:
    angles = [[yaw, np.nan, np.nan] for yaw in yaw_deg]
    return table(HeadPoses, track_id=tracks.track_id[: len(yaw_deg)], yaw_pitch_roll_deg=angles)


def test_heads_are_read_by_clip_and_frame_and_scaled_to_the_frame(tmp_path: Path) -> None:
    (tmp_path / labels.HEADS).write_text(HEADS)

    heads = labels.read_heads(tmp_path)["a/b.mp4"]

    boxes = heads[0].in_frame(np.array([1920, 1080]))
    assert boxes == pytest.approx(np.array([[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 1.0, 1.0]]))
    assert heads[0].yaw_deg.tolist() == [-30, 180]
    assert heads[7].box.shape == (0, 4)


def test_persons_are_read_by_frame_from_zero(tmp_path: Path) -> None:
    path = tmp_path / labels.PERSONS
    path.parent.mkdir()
    path.write_text("61,1,192,108,384,540,1,1,1.0\n61,2,0,0,96,108,0,1,0.3\n")

    (number, persons), *others = labels.read_persons(tmp_path).items()

    assert (number, others) == (60, [])
    assert persons.box == pytest.approx(np.array([[0.1, 0.1, 0.3, 0.6], [0, 0, 0.05, 0.1]]))
    assert persons.valid.tolist() == [True, False]


def test_segments_are_those_to_a_side_without_their_uncertain_ends(tmp_path: Path) -> None:
    path = tmp_path / labels.SEGMENTS
    path.parent.mkdir()
    path.write_text("from,to,yaw,pitch,eyes\n22,46,right,up,\n52,70,left,up,\n132,156,center,down,\n")

    assert labels.read_segments(tmp_path) == [Segment(28, 40, 1), Segment(58, 64, -1)]


def test_stays_are_read_with_when_the_person_stands(tmp_path: Path) -> None:
    path = tmp_path / labels.STAYS
    path.parent.mkdir()
    path.write_text("# a comment\nvisit,frame_in,frame_out,stand_from,stand_to,person\n1,61,197,82,180,woman\n")

    assert labels.read_stays(tmp_path) == [Stay(61, 197, 82, 180)]


def test_heads_count_loosely_and_by_overlap() -> None:
    truth = np.array([[0.2, 0.2, 0.4, 0.4], [0.6, 0.6, 0.8, 0.8]])
    face = [0.25, 0.25, 0.35, 0.35]
    people = table(Detections, head_box=[face, truth[1], [0, 0, 0.1, 0.1], NO_BOX], head_score=[0.9, 0.8, 0.7, 0])
    tally = Tally()

    tally.add_heads("a.mp4", people, truth)
    tally.add_heads("a.mp4", people, np.empty((0, 4)))

    figures = tally.figures()
    assert (figures["head_recall"], figures["head_recall_iou50"]) == (1.0, 0.5)
    assert figures["head_false_per_10_frames"] == 20
    assert tally.by_clip["a.mp4"] == tally.heads


def test_yaws_are_close_within_45_degrees_around_the_circle() -> None:
    left = np.arange(0.0, 1.0, 0.2)
    truth = np.stack([left, left, left + 0.1, left + 0.1], axis=1)
    tracks = table(Tracks, track_id=[1, 2, 3, 4, 5], head_box=truth, head_score=[1] * 5)
    tally = Tally()

    labelled, again = np.array([-25, 60, 170, 61, 0]), np.array([-25, 70, 150, 60, np.nan])

    tally.add_yaws(tracks, poses_of(tracks, 20, 106, -150, 106), truth, labelled, again)

    assert (tally.facing.right, tally.facing.wanted) == (1, 3)  # the last has no pose
    assert (tally.behind.right, tally.behind.wanted) == (2, 2)
    assert (tally.facing_again.right, tally.facing_again.wanted) == (1, 2)  # of the last nobody knows
    assert (tally.behind_again.right, tally.behind_again.wanted) == (1, 2)


def test_of_three_yaws_the_middle_one_on_the_circle_counts() -> None:
    assert middle_deg(np.array([170.0, -170.0, 180.0])) == 180.0
    assert middle_deg(np.array([110.0, 120.0, 30.0])) == 110.0


def test_each_labelled_head_was_looked_at_again(tmp_path: Path) -> None:
    rows = [row for row in labels.AGAIN.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    clip, frame, x1, y1, *yaws = rows[1].split(",")
    known, unknown = (f"{clip},{frame},{x1},{y},90,330,5\n" for y in (y1, 300))
    (tmp_path / labels.HEADS).write_text(f"clip,frame,x1,y1,x2,y2,yaw_deg\n{known}{unknown}")

    heads = labels.read_heads(tmp_path)[clip][int(frame)]

    assert heads.again_deg[0] == middle_deg(np.array([float(yaw) for yaw in yaws])) and np.isnan(heads.again_deg[1])
    assert len(rows) - 1 == 53 == len({tuple(row.split(",")[:4]) for row in rows[1:]})


def test_hidden_persons_count_neither_way() -> None:
    known = Persons(np.array([[0.1, 0.1, 0.3, 0.9], [0.6, 0.1, 0.8, 0.9]]), np.array([True, False]))
    people = table(
        Detections,
        body_box=[[0.1, 0.1, 0.3, 0.85], [0.6, 0.1, 0.8, 0.8], [0.4, 0.1, 0.5, 0.2], NO_BOX],
        body_score=[0.9, 0.8, 0.7, 0],
    )
    tally = Tally()

    tally.add_persons(people, known)

    assert (tally.persons.wanted, tally.persons.right, tally.persons.wrong) == (1, 1, 1)


def test_a_frame_agrees_when_the_surest_head_is_turned_to_the_side() -> None:
    tracks = table(Tracks, track_id=[1, 2], head_box=[[0, 0, 1, 1]] * 2, head_score=[0.4, 0.9])
    poses = [poses_of(tracks, 30, -10), poses_of(tracks, -30, 10), HeadPoses.empty(), poses_of(tracks, 5, -5)]
    tally = Tally()

    tally.add_directions([tracks] * 4, poses, [Segment(0, 2, -1), Segment(3, 3, 1)])

    assert (tally.directions.right, tally.directions.wanted) == (1, 4)


def test_a_stay_wants_one_track_of_its_own_for_most_of_it() -> None:
    def present(*track_id: int) -> Tracks:
        return table(Tracks, track_id=list(track_id))

    always, first, second, third = 9, 1, 2, 3
    tracks = [present(always)] * 10
    tracks += [present(always, first)] * 8 + [present(always)] * 2
    tracks += [present(always, second)] * 5 + [present(always, third)] * 5
    tally = Tally()

    tally.add_stays(tracks, [Stay(10, 19, 10, 19), Stay(20, 29, 20, 29)])

    assert (tally.stays.right, tally.stays.wanted) == (1, 2)


def test_labelled_frames_are_shown_first() -> None:
    assert frames_to_show([3, 5, 7, 9, 11, 13], 100, 3) == [5, 9, 13]
    assert frames_to_show([40], 100, 3) == [16, 40, 50]
    assert frames_to_show([], 2, 4) == [0, 1]


def test_the_folder_must_be_named_and_hold_the_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_REAL_DATA", raising=False)
    with pytest.raises(ConfigError) as unset:
        main([])
    assert str(unset.value) == "GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it"

    with pytest.raises(ConfigError) as empty:
        labels.clips(tmp_path)
    assert str(empty.value) == (
        f"GAZE_REAL_DATA={tmp_path}: expected {', '.join(labels.READ)} in it, got none; name another one"
    )
