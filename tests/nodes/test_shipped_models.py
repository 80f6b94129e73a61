"""The nodes on the models that ship: real cards, files, sessions and device, on pictures that no model was trained on.

How good the models are is for the benchmarks; here they must be far better than chance.
"""

from typing import Any

import numpy as np
import pytest

from nodes.detect_parts import DetectParts
from nodes.detect_people import DetectPeople
from nodes.estimate_gaze import EstimateGaze
from nodes.estimate_head_pose import EstimateHeadPose
from nodes.locate_gaze import LocateGaze
from nodes.ops.boxes import iou, share_inside
from nodes.ops.wholebody import FACE, HEAD
from nodes.types import Detections, GazePoints, HeadPoses, Tracks
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context, Node
from pipeline.ports import config_of
from scenes.still import Still, render_still
from tests.helpers import frames, table
from tests.repository import ROOT

SEEDS = range(9_900_000, 9_900_006)
SIZE_WH = (480, 288)


def opened(cls: type[Node[Any]], **config: Any) -> Any:
    node = cls(config_of(cls)(**config), Context("node", CpuDevice(), ROOT, ROOT, Graph("", ())))
    node.open()
    return node


@pytest.fixture(scope="module")
def stills() -> list[Still]:
    return [render_still(seed, SIZE_WH, difficulty=0.0) for seed in SEEDS]


@pytest.fixture(scope="module")
def shown(stills: list[Still]) -> FrameBatch:
    return frames(len(stills), pictures=[Picture((still.bgr,), "bgr") for still in stills], size_wh=SIZE_WH)


@pytest.fixture(scope="module")
def people(shown: FrameBatch) -> Detections:
    node = opened(DetectPeople)
    found = node.process(shown)
    node.close()
    return found


@pytest.fixture(scope="module")
def truth(stills: list[Still]) -> Tracks:
    """Return the heads one sees well as tracks, so that nodes below can be asked about exactly these."""
    rows = [
        (row, int(still.people.person_id[k]), still.people.head_box[k], still.people.body_box[k])
        for row, still in enumerate(stills)
        for k in range(len(still.people))
        if still.people.head_visible[k] > 0.7 and np.ptp(still.people.head_box[k, 1::2]) * SIZE_WH[1] >= 20
    ]
    frame_row, track_id, head_box, body_box = zip(*rows, strict=True)
    return table(
        Tracks,
        frame_row=frame_row,
        track_id=track_id,
        head_box=np.array(head_box),
        body_box=np.array(body_box),
        head_score=[1.0] * len(rows),
    )


def matched(people: Detections, truth: Tracks) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the found and of the true heads that lie on each other."""
    same_frame = people.frame_row[:, None] == truth.frame_row[None]
    overlap = np.where(same_frame, iou(people.head_box, truth.head_box.astype(np.float32)), 0)
    found = overlap.argmax(axis=0)
    hit = overlap[found, np.arange(len(truth))] >= 0.5
    return found[hit], np.flatnonzero(hit)


def test_the_detector_finds_heads_with_their_bodies(people: Detections, truth: Tracks) -> None:
    found, true = matched(people, truth)

    assert len(true) >= 0.4 * len(truth)
    with_body = people.body_score[found] > 0
    assert with_body.mean() >= 0.5


def test_batches_give_what_single_frames_give(shown: FrameBatch, people: Detections) -> None:
    node = opened(DetectPeople)

    single = node.process(shown.take([2]))

    of_third = people.take(people.frame_row == 2)
    assert len(single) == len(of_third)
    assert single.head_box == pytest.approx(of_third.head_box, abs=1e-4, nan_ok=True)
    node.close()


def test_heads_point_roughly_where_they_do(stills: list[Still], people: Detections, truth: Tracks) -> None:
    found, true = matched(people, truth)
    seen = people.take(found)
    names = ("frame_row", "head_box", "head_score", "direction_scores")
    tracks = table(Tracks, track_id=np.arange(len(seen)), **{name: getattr(seen, name) for name in names})
    poses: HeadPoses = opened(EstimateHeadPose).process(tracks)

    yaw = np.array([_of_person(stills, truth, row, "yaw_pitch_roll_deg")[0] for row in true[poses.track_id]])
    off = np.abs((poses.yaw_pitch_roll_deg[:, 0] - yaw + 180) % 360 - 180)
    assert np.median(off) < 60


def test_faces_are_parts_that_lie_in_heads(shown: FrameBatch) -> None:
    node = opened(DetectParts)
    parts = node.process(shown)
    node.close()

    faces, heads = parts.take(parts.label == FACE), parts.take(parts.label == HEAD)
    same_frame = faces.frame_row[:, None] == heads.frame_row[None]
    assert len(faces) > 0
    assert ((share_inside(faces.box, heads.box) * same_frame).max(axis=1) > 0.7).mean() >= 0.8


def test_heads_point_roughly_where_the_gaze_model_says(stills: list[Still], shown: FrameBatch, truth: Tracks) -> None:
    node = opened(EstimateHeadPose, model="gaze-shop-480")
    poses: HeadPoses = node.process(truth, shown)
    node.close()

    assert np.array_equal(poses.track_id, truth.track_id)
    told = np.array([_of_person(stills, truth, row, "yaw_pitch_roll_deg") for row in range(len(truth))])
    off = np.abs((poses.yaw_pitch_roll_deg[:, 0] - told[:, 0] + 180) % 360 - 180)
    assert np.median(off) < 45
    assert (poses.yaw_pitch_roll_deg[:, 2] == 0).all()


def test_gaze_is_better_than_chance(stills: list[Still], shown: FrameBatch, truth: Tracks) -> None:
    node = opened(EstimateGaze)
    maps = node.process(shown, truth)
    points: GazePoints = opened(LocateGaze).process(maps)
    node.close()

    assert np.array_equal(maps.track_id, truth.track_id)
    inside = np.array([_of_person(stills, truth, row, "in_frame") for row in range(len(truth))])
    targets = np.array([_of_person(stills, truth, row, "target_point") for row in np.flatnonzero(inside)])
    others = np.roll(targets, 1, axis=0)
    off = np.linalg.norm(points.point[inside] - targets, axis=1).mean()
    assert off < np.linalg.norm(points.point[inside] - others, axis=1).mean()
    assert points.in_frame_prob[inside].mean() > points.in_frame_prob[~inside].mean()


def _of_person(stills: list[Still], truth: Tracks, row: int, field: str) -> Any:
    people = stills[int(truth.frame_row[row])].people
    return getattr(people, field)[people.person_id == truth.track_id[row]][0]
