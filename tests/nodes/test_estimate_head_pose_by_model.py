"""Head poses from a model: what it is shown, what is made of its answers, and when it is believed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from nodes.estimate_head_pose import Config, EstimateHeadPose
from nodes.ops import rotations as rot
from nodes.types import HeadPoses, Tracks
from pipeline.card_fields import Angle, Crop, HeadPoseOutputs
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch, Picture
from pipeline.values import equal
from tests.fake_models import FarDevice, FarSession, detector, pose_model
from tests.helpers import FakeContext, FakeSession, frames, make_node, picture, run_node, table

BOX = [0.1, 0.1, 0.2, 0.2]


def head(yaw: float = 0.0, agreement: float = 1.0) -> list[float]:
    """Return direction scores that speak for a yaw, a multiple of 45°."""
    scores = np.zeros(8)
    scores[round(yaw / 45) % 8] = agreement
    return scores.tolist()


def seen(
    model: FakeSession | Mapping[str, FakeSession], tracks: Tracks, batch: FrameBatch | None = None, **config: Any
) -> HeadPoses:
    """Return the poses of a node that runs the model, or models by card."""
    sessions = model if isinstance(model, Mapping) else {"m": model}
    node = make_node(EstimateHeadPose, FakeContext(sessions=sessions), model=tuple(sessions), **config)
    batch = frames(1, pictures=True) if batch is None else batch
    return run_node(node, [(tracks, batch)])[0]


def heads(*scores: list[float], **columns: Any) -> Tracks:
    given = {
        "frame_row": [0] * len(scores),
        "track_id": [k + 1 for k in range(len(scores))],
        "head_box": [BOX] * len(scores),
        "head_score": [0.9] * len(scores),
        "direction_scores": scores,
    }
    return table(Tracks, **{**given, **columns})


def always(*angles: float, **card: Any) -> FakeSession:
    return pose_model(lambda image: angles, **card)


def test_a_model_tells_all_three_angles() -> None:
    made = seen(always(30, 10, -20), heads(head(45)))

    assert made.yaw_pitch_roll_deg[0] == pytest.approx([30, 10, -20], abs=1e-4)
    assert made.score[0] == pytest.approx(np.cos(np.radians(7.5)), abs=1e-6)


def test_signs_and_order_are_those_of_the_card() -> None:
    columns = {"yaw": (2, -1), "pitch": (0, 1), "roll": (1, -1)}
    angles = {name: Angle(output="angles", column=column, sign=sign) for name, (column, sign) in columns.items()}
    outputs = HeadPoseOutputs(**angles, order="zyx")

    made = seen(always(10, 20, 30, head_pose=outputs), heads(head()))

    assert rot.matrices(made.yaw_pitch_roll_deg) == pytest.approx(rot.matrices(np.array([[-30, 10, -20]]), "zyx"))


@pytest.mark.parametrize("form", ["matrix", "six"])
def test_an_output_may_be_a_rotation(form: str) -> None:
    """Of a model whose axes go to image-left, down and toward the camera."""
    theirs = np.diag([-1, 1, -1]) @ rot.matrices(np.array([[40, 10, 5]])) @ np.diag([-1, 1, -1])
    given = theirs if form == "matrix" else theirs[:, :, :2].transpose(0, 2, 1).reshape(1, 6)
    model = always(0, 0, 0, head_pose=HeadPoseOutputs(rotation="r", axes=(-1, 1, -1)))
    model.answer = lambda inputs: {"r": given.astype(np.float32)}

    made = seen(model, heads(head()))

    assert made.yaw_pitch_roll_deg[0] == pytest.approx([40, 10, 5], abs=1e-4)


def test_several_models_are_averaged_as_rotations() -> None:
    crops = {"a": Crop(), "b": Crop(mean=(9, 9, 9))}
    models = {name: always(yaw, 10, 0, valid_yaw_deg=180, crop=crops[name]) for name, yaw in (("a", 175), ("b", -165))}

    made = seen(models, heads(head(180)))

    shown = [model.calls[0]["input"] for model in models.values()]
    assert (shown[0] - shown[1] == 9).all()

    assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(-175, abs=1e-4)
    assert abs(made.yaw_pitch_roll_deg[0, 2]) < 1e-4
    assert made.score[0] == pytest.approx(abs(1 + np.exp(1j * np.radians(15)) + np.exp(1j * np.radians(-5))) / 3)


def test_heads_from_behind_are_not_shown_to_a_model_of_faces() -> None:
    model = always(10, 5, 0)

    made = seen(model, heads(head(0), head(135), head(180), head(-90)))

    assert [len(call["input"]) for call in model.calls] == [2]
    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([10, 135, 180, -90], abs=1e-4)
    assert np.isnan(made.yaw_pitch_roll_deg[1:, 1:]).all()
    assert made.score[1:] == pytest.approx(1)


def test_how_far_heads_may_be_turned_can_be_narrowed() -> None:
    model = always(50, 5, 0)

    made = seen(model, heads(head(0), head(45), head(90)), max_yaw_deg=60)

    assert len(model.calls[0]["input"]) == 2
    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([50, 50, 90], abs=1e-4)
    assert seen(model, heads(head(45)), max_yaw_deg=49).yaw_pitch_roll_deg[0, 0] == pytest.approx(45)


def test_a_model_far_from_the_directions_is_not_believed() -> None:
    tracks = heads(head(45), head(-45))

    near = seen(always(60, 5, 0), tracks)
    wide = seen(always(60, 5, 0), tracks, max_disagreement_deg=120)

    assert near.yaw_pitch_roll_deg[:, 0] == pytest.approx([60, -45], abs=1e-4)
    assert np.isnan(near.yaw_pitch_roll_deg[1, 1:]).all()
    assert wide.yaw_pitch_roll_deg[:, 0] == pytest.approx([60, 60], abs=1e-4)
    assert wide.score[1] < 0.7 < near.score[1]


@pytest.mark.parametrize(("valid", "told"), [(90, 0), (180, 1)])
def test_without_directions_only_models_that_know_all_sides_are_believed(valid: float, told: int) -> None:
    made = seen(always(40, 5, 0, valid_yaw_deg=valid), heads([0.0] * 8))

    assert len(made) == told
    assert made.score.tolist() == pytest.approx([1.0] * told)


def test_heads_of_a_detector_of_faces_are_believed_without_directions_as_far_as_models_know_them() -> None:
    shown = heads([0.0] * 8, head(180))

    made, beyond = (seen(always(yaw, 5, 0), shown, faces_only=True) for yaw in (40, 100))

    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([40, 180], abs=1e-4)
    assert made.score.tolist() == pytest.approx([1, 1])
    assert beyond.track_id.tolist() == [2]


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
@pytest.mark.parametrize("rotation", [False, True])
def test_an_answer_that_is_no_rotation_is_left_out(broken: float, rotation: bool) -> None:
    model = always(broken, 5, 0)
    if rotation:
        model = always(0, 0, 0, head_pose=HeadPoseOutputs(rotation="r"))
        model.answer = lambda inputs: {"r": np.full((1, 6), broken, np.float32)}

    made = seen({"a": model, "b": always(40, 5, 0)}, heads(head(45)))

    assert made.yaw_pitch_roll_deg[0, 0] == pytest.approx(45)


@pytest.mark.parametrize(("batch", "calls"), [("N", [1, 2]), (1, [1, 1, 1])])
def test_all_heads_of_a_frame_are_one_call_where_the_model_allows_it(batch: Any, calls: list[int]) -> None:
    model = pose_model(lambda image: (float(image.mean()), 0, 0), batch=batch)
    shown = frames(2, pictures=[picture(bgr=(20, 20, 20)), picture(bgr=(40, 40, 40))], size_wh=(64, 36))

    made = seen(model, heads(*[head()] * 3, frame_row=[0, 1, 1]), shown)

    assert [len(call["input"]) for call in model.calls] == calls
    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([20, 40, 40], abs=1e-3)


def test_a_batch_gives_what_its_frames_give_one_by_one() -> None:
    rng = np.random.default_rng(6)
    noise = [Picture((rng.integers(0, 255, (36, 64, 3), np.uint8),), "bgr") for _ in range(3)]
    shown = frames(3, pictures=noise, size_wh=(64, 36))
    boxes = [[x, 0.2, x + 0.2, 0.6] for x in rng.random(6)]
    tracks = heads(*[head(45 * k) for k in range(6)], frame_row=[0, 0, 0, 1, 2, 2], head_box=boxes)

    together = seen(pose_model(sides), tracks, shown)

    for row in range(3):
        alone = tracks.take(tracks.frame_row == row)
        alone = replace(alone, frame_row=np.zeros(len(alone), np.int64))
        made = seen(pose_model(sides, batch=1), alone, shown.take([row]))
        rows = together.take(together.frame_row == row)
        assert equal(made, replace(rows, frame_row=np.zeros(len(rows), np.int64)))


def test_no_heads_are_no_call() -> None:
    model = always(10, 0, 0)

    assert len(seen(model, Tracks.empty())) == 0
    assert len(seen(model, heads(head(), head_box=[[np.nan] * 4]))) == 0
    assert model.calls == []


def test_doubtful_heads_and_those_too_many_are_not_shown_to_the_model() -> None:
    model = always(10, 0, 0)
    tracks = heads(*[head(45)] * 5, frame_row=[0, 0, 0, 1, 1], head_score=[0.5, 0.9, 0.8, 0.2, 0.4])

    made = seen(model, tracks, frames(2, pictures=True), max_heads=2)

    assert made.yaw_pitch_roll_deg[:, 0] == pytest.approx([45, 10, 10, 45, 10], abs=1e-4)


def test_the_model_sees_heads_cut_out_as_its_card_says() -> None:
    image = np.random.default_rng(3).integers(0, 255, (32, 64, 3), np.uint8)
    shown = frames(1, pictures=[Picture((image,), "bgr")], size_wh=(64, 32))
    crop = Crop(scale=2.0, down=0.5, square=True, colour="rgb", mean=(1, 2, 3), std=(4, 5, 6))
    model = always(0, 0, 0, crop=crop)

    # 8 px wide, 4 px high about (36, 16) becomes 16 px square about (36, 18).
    seen(model, heads(head(), head_box=[[32 / 64, 14 / 32, 40 / 64, 18 / 32]]), shown)

    cut = image[10:26:2, 28:44:2, ::-1]
    expected = ((cut - np.array([1, 2, 3])) / np.array([4, 5, 6])).transpose(2, 0, 1)
    np.testing.assert_allclose(model.calls[0]["input"][0], expected, rtol=1e-6)


def sides(image: np.ndarray) -> tuple[float, float, float]:
    """Look at a crop (3, H, W): brighter on the right, above, or towards lower left are yaw, pitch and roll."""
    grey = image.mean(axis=0)
    x, y = np.meshgrid(np.arange(8) - 3.5, np.arange(8) - 3.5)
    return float((grey * x).mean() / 10), float((grey * -y).mean() / 10), float((grey * -x * y).mean() / 10)


@pytest.mark.parametrize("turn", [0, 90])
def test_a_mirrored_picture_has_yaw_and_roll_mirrored_and_pitch_kept(turn: Any) -> None:
    rng, turned = np.random.default_rng(8), np.zeros(3)
    for _ in range(5):
        image = cv2.resize(rng.integers(0, 255, (4, 4, 3), np.uint8), (64, 64))
        (x1, x2), (y1, y2) = np.sort(rng.random((2, 2)), axis=1) * 0.9 + np.array([0, 0.1])
        boxes = [[x1, y1, x2, y2], [1 - x2, y1, 1 - x1, y2]]
        made = []
        for upright, box in zip((image, image[:, ::-1]), boxes, strict=True):
            shown = [Picture((np.ascontiguousarray(np.rot90(upright, turn // 90)),), "bgr", turn)]
            context = FakeContext(session=pose_model(sides), device=CpuDevice())
            node = make_node(EstimateHeadPose, context, model="m")
            tracks = heads(head(), head_box=[box])
            made += run_node(node, [(tracks, frames(1, pictures=shown, size_wh=(64, 64)))])

        plain, mirrored = (poses.yaw_pitch_roll_deg[0] for poses in made)
        assert mirrored == pytest.approx(plain * [-1, 1, -1], abs=0.2)
        turned = np.maximum(turned, np.abs(plain))
    assert (turned > 1).all()


def test_the_device_is_asked_and_not_touched() -> None:
    near = pose_model(sides, crop=Crop(mean=(1, 2, 3), std=(4, 5, 6)))
    tracks, shown = heads(head(), head(45)), frames(1, pictures=[picture((64, 36), (9, 99, 199))], size_wh=(64, 36))
    far = make_node(EstimateHeadPose, FakeContext(sessions={"m": FarSession(near)}, device=FarDevice()), model="m")

    (made,) = run_node(far, [(tracks, shown)])

    assert equal(made, seen(near, tracks, shown))
    assert len(near.calls) == 2


def test_another_card_is_refused() -> None:
    node = make_node(EstimateHeadPose, session=detector(lambda image: []), model="people")

    with pytest.raises(ModelError) as caught:
        node.open()

    assert str(caught.value) == (
        "estimate_head_pose.model: expected a card of the family 'head_pose' with input_size_wh, head_pose and one "
        "input, got 'people' of 'wholebody34' with ['input_bgr']; choose a model of that family"
    )


def test_a_model_of_another_fixed_batch_is_refused() -> None:
    node = make_node(EstimateHeadPose, session=always(0, 0, 0, batch=4), model="m")

    with pytest.raises(ModelError) as caught:
        node.open()

    assert str(caught.value) == (
        "estimate_head_pose.model: expected a model that takes one crop at a time, or any number, got 4 at a time in "
        "'m'; export it with a free first axis"
    )


@pytest.mark.parametrize(("given", "cards"), [(None, ()), ("a", ("a",)), (["a", "b"], ("a", "b"))])
def test_a_model_may_be_none_one_or_several(given: Any, cards: tuple[str, ...]) -> None:
    config = Config(model=given)

    assert config.model == cards
    assert EstimateHeadPose.without_model(config) == (not cards)


def test_missing_models_are_told_before_a_run(tmp_path: Path) -> None:
    (told,) = Config(model=("a.yaml",)).problems(tmp_path)["model"]

    assert told == f"model 'a.yaml': expected a card at {tmp_path}/a.yaml, got no such file (configs/models: none)"
    assert Config().problems(tmp_path) == {"model": []}
