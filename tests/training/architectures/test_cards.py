"""Architectures stand for the files of cards: names and shapes agree, and our adapters understand what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="the training extra is not installed")

from nodes.adapters.crop_models import open_crop_model
from nodes.adapters.detectors import open_detector
from nodes.adapters.face_gaze import face_gaze
from nodes.adapters.pose_outputs import rotations_told
from nodes.ops.detected import Limits
from nodes.ops.wholebody import NAMES
from pipeline.cards import ModelCard, load_card
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.yaml_source import read_yaml
from tests.helpers import frames
from tests.repository import ROOT
from training.architectures.names import architectures

KNOWN = architectures()
ROWS = np.array([0, 1])
HEADS = np.array([[0.2, 0.1, 0.4, 0.5], [0.5, 0.3, 0.8, 0.9]])
CONTEXT = Context("node", CpuDevice(), ROOT, ROOT, Graph("", ()))


def card_of(name: str) -> ModelCard:
    return load_card(name, ROOT)[0]


@pytest.fixture
def card_with_file(written: Callable[[str], Path], tmp_path: Path) -> Callable[[str], str]:
    """Return what writes a card whose file is that of an architecture, of no known checksum."""

    def card_with_file(name: str) -> str:
        card: dict[str, Any] = read_yaml(ROOT / f"configs/models/{name}.yaml").data
        made = tmp_path / f"{name}.yaml"
        made.write_text(yaml.safe_dump(card | {"file": str(written(name)), "sha256": None}), "utf-8")
        return str(made)

    return card_with_file


def shown() -> FrameBatch:
    """Return two frames with pictures of blobs."""
    rng = np.random.default_rng(3)
    blobs = [cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (320, 180)) for _ in range(2)]
    return frames(2, pictures=[Picture((blob,), "bgr") for blob in blobs])


@pytest.mark.parametrize("name", KNOWN)
def test_names_and_shapes_are_those_of_the_card(name: str) -> None:
    card, architecture = card_of(name), KNOWN[name]
    width, height = card.input_size_wh or (0, 0)
    sizes = {"H": height, "W": width}

    assert Path(card.file).name == architecture.file
    wanted = (card.contract.inputs, card.contract.outputs)
    got = ({key: given.shape for key, given in architecture.inputs.items()}, architecture.outputs)
    for specs, shapes in zip(wanted, got, strict=True):
        assert len(specs) == len(shapes)
        for (key, spec), (made, shape) in zip(specs.items(), shapes.items(), strict=True):
            assert spec.position is not None or key == made
            for a, b in zip(spec.shape, shape, strict=True):
                a = sizes.get(a, a) if isinstance(a, str) else a
                assert a == b or isinstance(a, str) or isinstance(b, str), (key, spec.shape, shape)


@pytest.mark.parametrize(
    "name",
    ["deimv2-wholebody34-atto", "yolov9-wholebody25-n", "scrfd-500m"],
    ids=["wholebody34", "wholebody25", "scrfd"],
)
def test_detectors_find_things_in_frames(name: str, card_with_file: Callable[[str], str]) -> None:
    detector = open_detector(CONTEXT, card_with_file(name), "node.model")
    limits = Limits.closed(0.5)
    limits.min_score[:] = 0.05

    found = detector.find(shown(), limits)

    assert len(found) == 2
    for each in found:
        assert 5 < len(each.label) < 1000
        assert set(each.label.tolist()) <= set(detector.labels) <= set(range(len(NAMES)))
        assert each.box.min() >= 0 and each.box.max() <= 1
        assert each.score.min() >= 0.05 and each.score.max() < 1
    detector.close()


@pytest.mark.parametrize("name", ["whenet", "dmhead-mask", "fsanet-1x1", "sixdrepnet", "head-pose-mobilenetv2"])
def test_head_poses_are_rotations(name: str, card_with_file: Callable[[str], str]) -> None:
    model = open_crop_model(CONTEXT, card_with_file(name), "node.model", "head_pose", "head_pose")

    answer = model.answers(CONTEXT.device, model.cut_out(CONTEXT.device, shown(), ROWS, HEADS), ROWS)

    outputs = model.session.card.head_pose
    assert outputs is not None
    turned = rotations_told(answer, outputs)
    np.testing.assert_allclose(turned @ turned.transpose(0, 2, 1), np.tile(np.eye(3), (2, 1, 1)), atol=1e-5)
    np.testing.assert_allclose(np.linalg.det(turned), 1, atol=1e-5)
    model.session.close()


@pytest.mark.parametrize("name", ["mobilegaze-mobileone-s0", "privigaze-student"])
def test_gaze_of_faces_is_a_direction(name: str, card_with_file: Callable[[str], str]) -> None:
    session = CONTEXT.open_session(card_with_file(name))
    model = face_gaze(session, name, "node.model")

    direction, sure = model.told(CONTEXT.device, shown(), ROWS, HEADS, np.zeros((2, 3)))

    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-6)
    assert sure.shape == (2,) and (sure > 0).all() and (sure <= 1).all()
    model.close()
