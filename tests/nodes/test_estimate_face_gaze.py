"""Where eyes look, told by models of faces and of eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes.estimate_face_gaze import Config, EstimateFaceGaze
from nodes.ops.directions import vectors
from nodes.types import GazeDirections, HeadPoses, Tracks
from pipeline.card_fields import Crop, FaceGazeOutputs
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch, Picture
from tests.fake_face_models import eye_gaze_model, face_gaze_model, landmarks_model
from tests.fake_models import FarDevice, FarSession, detector
from tests.helpers import FakeContext, FakeSession, frames, make_node, picture, run_node, table

BOX = [0.1, 0.1, 0.3, 0.5]
FACING = [0.0, 0.0, 0.0]
EYES = [0.3, 0.4, 0.7, 0.4, 0.5, 0.6, 0.35, 0.8, 0.65, 0.8]
"""Points of a face: eyes, nose, corners of the mouth."""


def heads(count: int, **columns: Any) -> Tracks:
    given = {
        "frame_row": [0] * count,
        "track_id": [k + 1 for k in range(count)],
        "head_box": [BOX] * count,
        "head_score": [0.9] * count,
    }
    return table(Tracks, **{**given, **columns})


def posed(tracks: Tracks, *angles: list[float]) -> HeadPoses:
    rows = slice(len(angles))
    return table(
        HeadPoses, frame_row=tracks.frame_row[rows], track_id=tracks.track_id[rows], yaw_pitch_roll_deg=angles
    )  # fmt: skip


def told(
    sessions: dict[str, FakeSession],
    tracks: Tracks,
    poses: HeadPoses | None = None,
    batch: FrameBatch | None = None,
    device: Any = None,
    **config: Any,
) -> GazeDirections:
    """Return what a node says that runs the model `m`, with `points` for the eyes where they are given."""
    known = {"landmarks": "points"} if "points" in sessions else {}
    context = FakeContext(sessions=sessions, device=device)
    node = make_node(EstimateFaceGaze, context, model="m", **known, **config)
    return run_node(node, [(frames(1, pictures=True) if batch is None else batch, tracks, poses)])[0]


def test_steps_of_angles_are_a_direction_and_how_sure_it_is() -> None:
    made = told({"m": face_gaze_model(lambda image: (30, -20))}, heads(1))

    assert made.yaw_pitch_deg[0] == pytest.approx([30, -20], abs=1e-3)
    # Two steps alike, 4° apart, are each as sure as the cosine of half the way.
    assert made.score[0] == pytest.approx(np.cos(np.radians(2)) * 1.0, abs=1e-4)
    assert (made.frame_row.tolist(), made.track_id.tolist()) == ([0], [1])


def test_looking_into_the_camera_is_no_yaw_and_no_pitch() -> None:
    made = told({"m": face_gaze_model(lambda image: (0, 0))}, heads(1))

    assert made.yaw_pitch_deg[0] == pytest.approx([0, 0], abs=1e-4)
    assert vectors(made.yaw_pitch_deg)[0] == pytest.approx([0, 0, -1], abs=1e-5)


def test_only_faces_that_are_seen_are_shown_to_the_model() -> None:
    model = face_gaze_model(lambda image: (0, 0))
    tracks = heads(5, head_box=[BOX, BOX, BOX, BOX, [np.nan] * 4], head_score=[0.9, 0.9, 0.9, 0.1, 0.9])

    made = told({"m": model}, tracks, posed(tracks, FACING, [61, 0, 0], [-60, np.nan, np.nan], FACING, FACING))

    assert made.track_id.tolist() == [1, 3]
    assert [len(call["face"]) for call in model.calls] == [2]
    assert len(told({"m": model}, heads(2), posed(heads(2)))) == 0
    assert len(told({"m": model}, heads(2), posed(heads(2), [80, 0, 0]), max_yaw_deg=90)) == 1


def test_without_poses_all_faces_are_shown_to_the_model_the_best_first() -> None:
    tracks = heads(3, head_score=[0.5, 0.9, 0.8])

    assert told({"m": face_gaze_model(lambda image: (0, 0))}, tracks).track_id.tolist() == [1, 2, 3]
    assert told({"m": face_gaze_model(lambda image: (0, 0))}, tracks, max_heads=2).track_id.tolist() == [2, 3]


def test_frames_and_streams_are_told_apart() -> None:
    model = face_gaze_model(lambda image: (float(image.mean()), 0), batch=1)
    shown = frames(
        stream=("shop", "door"), pts_s=[0, 0], pictures=[picture(bgr=(b, b, b)) for b in (20, 40)], size_wh=(64, 36)
    )
    tracks = heads(2, frame_row=[0, 1], track_id=[1, 1])

    made = told({"m": model}, tracks, posed(tracks, FACING, FACING), shown)

    assert made.yaw_pitch_deg[:, 0] == pytest.approx([20, 40], abs=1e-3)
    assert (made.frame_row.tolist(), len(model.calls)) == ([0, 1], 2)


def test_no_heads_are_no_call() -> None:
    model = face_gaze_model(lambda image: (0, 0))

    assert len(told({"m": model}, Tracks.empty())) == 0
    assert model.calls == []


def test_a_model_may_tell_a_vector_with_axes_of_its_own() -> None:
    model = face_gaze_model(lambda image: (0, 0), face_gaze=FaceGazeOutputs(vector="v", axes=(-1, -1, 1)))
    model.answer = lambda inputs: {"v": np.array([[-2.0, 0, -2], [0, 0, 0]], np.float32)}

    made = told({"m": model}, heads(2))

    assert made.track_id.tolist() == [1]
    assert made.yaw_pitch_deg[0] == pytest.approx([45, 0])
    assert made.score.tolist() == [1]


def eyes(model: FakeSession, points: Any = None, **given: Any) -> GazeDirections:
    """Return what a chain of models of eyes says of one head."""
    tracks = heads(1)
    poses = posed(tracks, given.pop("pose", FACING))
    return told({"m": model, "points": points or landmarks_model(lambda image: EYES)}, tracks, poses, **given)


def test_a_chain_of_eyes_is_told_the_pose_as_its_head_model_counts_and_no_roll() -> None:
    model = eye_gaze_model(lambda left, right, pose: (0, 0, -1))

    eyes(model, pose=[25, 10, -15])

    assert model.calls[0]["head_pose_angles"].tolist() == [[25, -10, 0]]


@pytest.mark.parametrize("roll", [0, 30, -50])
def test_what_an_upright_eye_tells_is_leaned_back(roll: float) -> None:
    made = eyes(eye_gaze_model(lambda left, right, pose: (0, -1, -1)), pose=[0, 0, roll])

    up = vectors(made.yaw_pitch_deg)[0] * np.sqrt(2)
    assert up == pytest.approx([np.sin(np.radians(roll)), -np.cos(np.radians(roll)), -1], abs=1e-5)


def test_eyes_are_cut_out_about_their_points_the_left_of_the_image_first() -> None:
    """A head of 20 x 20 px at (10, 5) of 100 x 50: eyes at (16, 13) and (24, 13), 8 px apart, 6.8 px wide."""
    image = np.zeros((50, 100, 3), np.uint8)
    image[:, :20], image[13:, 20:] = 50, 200
    shown = frames(1, pictures=[Picture((image,), "bgr")], size_wh=(100, 50))
    model = eye_gaze_model(lambda left, right, pose: (0, 0, -1))
    tracks = heads(1, head_box=[[0.1, 0.1, 0.3, 0.5]])
    sessions = {"m": model, "points": landmarks_model(lambda image: EYES)}

    told(sessions, tracks, posed(tracks, FACING), shown, device=CpuDevice())

    left, right = (model.calls[0][name][0] for name in ("left_eye_image", "right_eye_image"))
    assert (left == 50).all()
    assert right[:, :5].max() < 20
    assert right[:, 7:].min() > 180


def test_eyes_that_are_none_are_left_out() -> None:
    model = eye_gaze_model(lambda left, right, pose: (0, 0, -1))

    assert len(eyes(model, landmarks_model(lambda image: [0.5] * 10))) == 0
    assert len(eyes(model, landmarks_model(lambda image: [np.nan] * 10))) == 0
    assert len(eyes(model, pose=[10, np.nan, np.nan])) == 0
    assert model.calls == []


def test_a_mirrored_face_looks_the_other_way() -> None:
    """The model looks where its left eye is darker than its right one, and up where both are bright."""

    def answer(left: Any, right: Any, pose: Any) -> tuple[float, float, float]:
        return float(right.mean() - left.mean()), -float(right.mean() + left.mean()), -100.0

    image = np.random.default_rng(2).integers(0, 255, (9, 16, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    sides = []
    for mirrored in (False, True):
        seen = np.ascontiguousarray(image[:, ::-1]) if mirrored else image
        tracks = heads(1, head_box=[[0.35, 0.2, 0.75, 0.9] if mirrored else [0.25, 0.2, 0.65, 0.9]])
        pose = [-20, 5, 12] if mirrored else [20, 5, -12]
        shown = frames(1, pictures=[Picture((seen,), "bgr")], size_wh=(96, 54))
        sessions = {"m": eye_gaze_model(answer), "points": landmarks_model(lambda image: EYES)}
        sides.append(told(sessions, tracks, posed(tracks, pose), shown, device=CpuDevice()).yaw_pitch_deg[0])

    assert abs(sides[0][0]) > 5
    assert sides[1] == pytest.approx(sides[0] * [-1, 1], abs=1)


@pytest.mark.parametrize("batch", ["N", 1])
def test_arrays_of_a_device_are_not_touched_on_the_host(batch: Any) -> None:
    near = {
        "m": eye_gaze_model(lambda left, right, pose: (left.mean(), right.mean(), -9), batch=batch),
        "points": landmarks_model(lambda image: EYES, crop=Crop(scale=0.8)),
    }
    tracks = heads(3)
    poses = posed(tracks, FACING, [10, 5, 20], [-10, 0, 0])
    shown = frames(1, pictures=[picture((64, 36), (9, 99, 199))], size_wh=(64, 36))

    far = told({name: FarSession(one) for name, one in near.items()}, tracks, poses, shown, device=FarDevice())

    plain = told(near, tracks, poses, shown)
    np.testing.assert_array_equal(far.yaw_pitch_deg, plain.yaw_pitch_deg)


def refused(sessions: dict[str, FakeSession], **config: Any) -> str:
    with pytest.raises(ModelError) as caught:
        make_node(EstimateFaceGaze, FakeContext(sessions=sessions), model="m", **config).open()
    return str(caught.value)


def test_other_cards_are_refused() -> None:
    eye = eye_gaze_model(lambda left, right, pose: (0, 0, -1))

    assert refused({"m": detector(lambda image: [])}) == (
        "estimate_face_gaze.model: expected a card of the family 'face_gaze' with input_size_wh, face_gaze and one "
        "input, got 'm' of 'wholebody34' with ['input_bgr']; choose a model of that family"
    )
    assert refused({"m": eye}) == (
        "estimate_face_gaze.landmarks: expected the card of a model that finds the eyes for 'm', got none; give one of "
        "the family 'face_landmarks', such as landmarks-regression-retail-0009"
    )
    assert refused({"m": eye, "points": detector(lambda image: [])}, landmarks="points") == (
        "estimate_face_gaze.landmarks: expected a card of the family 'face_landmarks' with input_size_wh and one "
        "input, got 'points' of 'wholebody34' with ['input_bgr']; choose a model of that family"
    )
    assert refused({"m": eye_gaze_model(lambda *one: (0, 0, -1), batch=2), "points": eye}, landmarks="points") == (
        "estimate_face_gaze.model: expected a model that takes one crop at a time, or any number, got 2 at a time in "
        "'m'; export it with a free first axis"
    )
    eye.inputs.pop("head_pose_angles")
    assert refused({"m": eye}, landmarks="points") == (
        "estimate_face_gaze.model: expected a card of the family 'eye_gaze' with input_size_wh, face_gaze and the "
        "inputs ['head_pose_angles', 'left_eye_image', 'right_eye_image'], got 'm' of 'eye_gaze' with "
        "['left_eye_image', 'right_eye_image']; choose a model of that family"
    )


def test_a_chain_of_eyes_without_poses_is_refused() -> None:
    sessions = {"m": eye_gaze_model(lambda *one: (0, 0, -1)), "points": landmarks_model(lambda image: EYES)}

    with pytest.raises(ValueError, match="expected head poses") as caught:
        told(sessions, heads(1))

    assert str(caught.value) == (
        "estimate_face_gaze: expected head poses for 'm', which looks at eyes, got none; wire `poses`"
    )


def test_what_is_missing_is_told_before_a_run(tmp_path: Path) -> None:
    card = tmp_path / "configs/models/m.yaml"
    card.parent.mkdir(parents=True)
    card.write_text("{file: m.onnx, family: eye_gaze, contract: {inputs: {}, outputs: {}}}\n")

    told = Config(model="m").problems(tmp_path)
    other = Config(model="n", landmarks="k").problems(tmp_path)

    assert told["landmarks"] == [
        "expected the card of a model that finds the eyes for 'm', got none; give one of the family 'face_landmarks', "
        "such as landmarks-regression-retail-0009"
    ]
    assert ["got no such file" in other[field][0] for field in ("model", "landmarks")] == [True, True]
