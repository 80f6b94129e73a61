"""Cards of the models that ship: what they promise is what the networks take and tell."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from nodes.ops.wholebody import FACE, NAMES
from pipeline.cards import ModelCard
from training.cards import DETECTOR_FILE, GAZE_FILE, detector_card, gaze_card
from training.detector_graph import DetectorGraph
from training.gaze_net import GazeGraph


def card(file: str, said: dict[str, Any]) -> ModelCard:
    return ModelCard.model_validate({"name": "some", "file": file, **said})


@pytest.mark.parametrize(
    ("file", "said", "graph"),
    [(DETECTOR_FILE, detector_card(), DetectorGraph), (GAZE_FILE, gaze_card(), GazeGraph)],
    ids=["detector", "gaze model"],
)
def test_inputs_are_those_of_the_network(file: str, said: dict[str, Any], graph: Any) -> None:
    found = card(file, said)

    assert list(found.contract.inputs) == list(inspect.signature(graph.forward).parameters)[1:]
    assert found.picture.shrink == "linear"
    assert found.input_size_wh == (480, 288)


def test_the_detector_tells_faces_by_their_name() -> None:
    classes = card(DETECTOR_FILE, detector_card()).classes

    assert classes[FACE] == "face" == NAMES[FACE]
    assert sorted(classes) == [0, *range(7, 17)]


def test_of_many_pictures_the_gaze_model_need_not_be_told() -> None:
    found = card(GAZE_FILE, gaze_card())

    assert [name for name, spec in found.contract.inputs.items() if spec.optional] == ["image_row"]
    assert found.contract.inputs["image_row"].dtype == "int64"
    assert found.contract.inputs["image_bgr"].shape[0] == "images"


def test_the_gaze_model_tells_head_poses() -> None:
    poses = card(GAZE_FILE, gaze_card()).head_pose

    assert poses is not None
    assert (poses.vector, poses.axes, poses.valid_yaw_deg) == ("direction", (1, 1, 1), 180)
