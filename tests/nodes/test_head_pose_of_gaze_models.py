"""Head poses told by a gaze model: which part of it is run, on what, and what is made of its vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from nodes.adapters.pose_outputs import rotations_told
from nodes.estimate_head_pose import Config, EstimateHeadPose
from nodes.ops.rotations import yaw_pitch_roll
from nodes.types import HeadPoses, Tracks
from pipeline.card_fields import HeadPoseOutputs
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.ports import config_of
from pipeline.session import Session
from scenes.still import render_still
from tests.fake_models import gaze_model, pose_model
from tests.helpers import FakeContext, FakeDevice, FakeSession, frames, make_node, picture, run_node, table
from tests.repository import ROOT
from tests.small_gaze import CARD, write_small_gaze

RIGHT, LEFT = [0.75, 0.45, 0.85, 0.55], [0.15, 0.45, 0.25, 0.55]


def heads(*boxes: list[float], rows: list[int] | None = None) -> Tracks:
    return table(
        Tracks,
        frame_row=rows or [0] * len(boxes),
        track_id=np.arange(len(boxes)) + 1,
        head_box=boxes,
        head_score=[0.9] * len(boxes),
    )


def silent(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((len(boxes), 8, 8)), boxes[:, 0]


def told(session: FakeSession, tracks: Tracks, count: int = 1) -> HeadPoses:
    node = make_node(EstimateHeadPose, FakeContext(session=session), model="gaze")
    return run_node(node, [(tracks, frames(count, pictures=True))])[0]


def of_file(card: str, tracks: Tracks, levels: list[int]) -> HeadPoses:
    node = EstimateHeadPose(
        config_of(EstimateHeadPose)(model=card), Context("poses", CpuDevice(), ROOT, ROOT, Graph("", ()))
    )
    grey = [picture(bgr=(level, level, level)) for level in levels]
    return run_node(node, [(tracks, frames(len(levels), pictures=grey))])[0]


@pytest.mark.parametrize(
    ("device", "many", "calls"), [("cuda", True, [3]), ("cuda", False, [2, 1]), ("cpu", True, [2, 1])]
)
def test_directions_of_heads_are_told_in_as_few_calls_as_file_and_device_allow(
    device: str, many: bool, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeDevice, "kind", device)
    session = gaze_model(silent, many=many, directions=True)

    poses = told(session, heads(RIGHT, LEFT, RIGHT, rows=[0, 0, 2]), count=3)

    assert [call["bboxes_x1y1x2y2"].shape[1] for call in session.calls] == calls
    # 0.6 to the side against 0.5 to the camera; RIGHT is to image-right.
    yaw = np.degrees(np.arctan2(0.6, 0.5))
    assert poses.yaw_pitch_roll_deg == pytest.approx(np.array([[yaw, 0, 0], [-yaw, 0, 0], [yaw, 0, 0]]), abs=1e-4)
    assert poses.score == pytest.approx(1)


def test_a_head_above_the_middle_looks_up() -> None:
    poses = told(gaze_model(silent, directions=True), heads([0.45, 0.0, 0.55, 0.5]))

    assert poses.yaw_pitch_roll_deg == pytest.approx(np.array([[0, 45, 0]]), abs=1e-4)


def test_it_is_averaged_with_models_of_crops() -> None:
    models = {"gaze": gaze_model(silent, directions=True), "crops": pose_model(lambda _: (0, 0, 0), valid_yaw_deg=180)}
    node = make_node(EstimateHeadPose, FakeContext(sessions=models), model=("gaze", "crops"))

    (poses,) = run_node(node, [(heads(RIGHT), frames(1, pictures=True))])

    assert poses.yaw_pitch_roll_deg[0, 0] == pytest.approx(np.degrees(np.arctan2(0.6, 0.5)) / 2, abs=1e-4)


def test_no_heads_are_no_call() -> None:
    session = gaze_model(silent, directions=True)

    assert len(told(session, Tracks.empty())) == 0
    assert session.calls == []


def test_only_the_part_of_a_file_that_tells_directions_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[set[str]] = []
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda self, given: (ran.append(set(self.outputs)), run(self, given))[1])

    poses = of_file(write_small_gaze(tmp_path), heads(RIGHT, LEFT, rows=[0, 1]), [255, 51])

    assert ran == [{"direction"}] * 2
    x, y, z = np.array([[0.25, -0.05, -1], [-0.35, -0.05, -0.2]]).T
    expected = [np.arctan2(x, -z), np.arctan2(-y, np.hypot(x, z)), 0 * x]
    assert poses.yaw_pitch_roll_deg == pytest.approx(np.degrees(expected).T, abs=0.05)


def test_what_networks_are_taught_is_read_as_the_angles_of_the_scenes() -> None:
    people = render_still(9_900_000, (160, 96)).people

    rotations = rotations_told({"direction": people.head_vector}, HeadPoseOutputs(vector="direction"))

    assert len(people) > 0
    np.testing.assert_allclose(yaw_pitch_roll(rotations)[:, :2], people.yaw_pitch_roll_deg[:, :2], atol=1e-6)


def test_a_batch_gives_what_its_frames_give_one_by_one(tmp_path: Path) -> None:
    card, boxes = write_small_gaze(tmp_path), [RIGHT, LEFT, RIGHT, LEFT]

    together = of_file(card, heads(*boxes, rows=[0, 1, 1, 2]), [255, 51, 102])

    alone = [of_file(card, heads(box), [level]) for box, level in zip(boxes, [255, 51, 51, 102], strict=True)]
    told = np.concatenate([poses.yaw_pitch_roll_deg for poses in alone])
    np.testing.assert_allclose(together.yaw_pitch_roll_deg, told, atol=1e-4)


def test_axes_are_those_of_the_card(tmp_path: Path) -> None:
    card = write_small_gaze(tmp_path, head_pose={"vector": "direction", "axes": [-1, 1, 1]})

    assert of_file(card, heads(RIGHT), [255]).yaw_pitch_roll_deg[0, 0] == pytest.approx(-14, abs=0.1)


def test_a_gaze_model_that_tells_no_directions_is_refused(tmp_path: Path) -> None:
    card = write_small_gaze(tmp_path, head_pose=None)
    expected = (
        f"model {card!r}: expected a model of head poses, or a gaze model whose card has head_pose, got a gaze model "
        "without; choose another: python run_graph.py models list --family head_pose"
    )

    assert Config(model=card).problems(ROOT)["model"] == [expected]
    with pytest.raises(ModelError) as caught:
        of_file(card, heads(RIGHT), [255])
    assert str(caught.value) == expected
    assert Config(model=write_small_gaze(tmp_path)).problems(ROOT)["model"] == []


def test_a_detector_is_refused_before_a_run() -> None:
    (problem,) = Config(model="people-shop-480").problems(ROOT)["model"]

    assert problem.startswith("model 'people-shop-480': expected a card of the family 'head_pose' or 'gazelle', got")


def test_a_gaze_model_whose_card_tells_poses_another_way_is_refused(tmp_path: Path) -> None:
    card = write_small_gaze(tmp_path, head_pose={"rotation": "direction"})

    with pytest.raises(ModelError) as caught:
        of_file(card, heads(RIGHT), [255])

    assert str(caught.value) == (
        f"estimate_head_pose.model: expected a gaze model whose card has head_pose.vector, got {card!r} with "
        "{'rotation': 'direction'}; correct the card"
    )


def test_a_file_without_the_output_is_refused(tmp_path: Path) -> None:
    outputs = {**CARD["contract"]["outputs"], "pointing": {"shape": ["heads", 3]}}
    contract = {**CARD["contract"], "outputs": outputs}
    card = write_small_gaze(tmp_path, head_pose={"vector": "pointing"}, contract=contract)

    with pytest.raises(ModelError, match=r"expected output 'pointing' of float32 \[heads, 3\], got outputs 'heatmap'"):
        of_file(card, heads(RIGHT), [255])
    assert yaml.safe_load(Path(card).read_text("utf-8"))["head_pose"] == {"vector": "pointing"}
