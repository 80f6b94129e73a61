"""Every card of configs/models: it loads, says where its file is and what it may be used for, and fits its name."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from nodes.adapters.pose_outputs import rotations_told
from nodes.ops import wholebody
from pipeline.cards import ARCHIVES, FOLDER, ModelCard, load_card
from pipeline.device import open_device
from pipeline.model_files.archives import SUFFIXES
from pipeline.session import Session
from pipeline.yaml_source import read_yaml
from tests.repository import ROOT

NAMES = sorted(path.stem for path in (ROOT / FOLDER).glob("*.yaml"))
FAMILIES = {
    "wholebody34", "wholebody25", "yolox", "boxes", "yunet", "scrfd", "gazelle", "head_pose", "face_gaze", "eye_gaze",
    "face_landmarks", "appearance", "face_recognition",
}  # fmt: skip
KEYS = (
    "title", "file", "url", "member", "sha256", "archive_sha256", "bytes", "page", "licence", "forbids", "convert",
    "family", "input_size_wh", "box_cell_px", "classes", "picture", "crop", "face_to_head", "gaze", "head_pose",
    "face_gaze", "contract", "trained_on", "published", "shipped",
)  # fmt: skip
"""In the order in which cards have them."""


@cache
def card(name: str) -> ModelCard:
    return load_card(name, ROOT)[0]


def of(prefix: str) -> list[str]:
    return [name for name in NAMES if name.startswith(prefix)]


def measured(found: ModelCard, measure: str) -> list[float]:
    return [figure.value for figure in found.published if re.fullmatch(measure, figure.measure)]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    found, text = card(name), (ROOT / FOLDER / f"{name}.yaml").read_text("utf-8")

    assert found.family in FAMILIES
    assert found.title
    assert found.licence
    assert found.trained_on
    assert text.startswith("# ")
    assert found.file.startswith("models/" if found.shipped else "models/fetched/")
    assert sum((bool(found.url), bool(found.convert), found.shipped)) == 1
    for address in filter(None, (found.url, found.page)):
        assert urlsplit(address).scheme == "https"
    assert set(found.classes.values()) <= set(wholebody.NAMES)
    document = read_yaml(ROOT / FOLDER / f"{name}.yaml")
    assert isinstance(document.data, dict)
    assert list(document.data) == [key for key in KEYS if key in document.data]


def test_what_is_an_archive_is_known_in_one_way() -> None:
    assert ARCHIVES == SUFFIXES


def test_each_gaze_model_has_a_card_with_in_out_and_one_without() -> None:
    three = {f"gazelle-dinov3-{size}" for size in ("atto", "femto", "pico", "n", "s", "m", "l", "x", "xl")}
    two = {"gazelle-dinov2-b", "gazelle-dinov2-l"}

    assert set(of("gazelle-")) == {f"{name}{data}" for name in three | two for data in ("", "-gazefollow")}
    for name in of("gazelle-"):
        assert ("inout" in card(name).contract.outputs) == ("_inout_" in card(name).file) == ("gazefollow" not in name)


@pytest.mark.parametrize("name", of("gazelle-"))
def test_sizes_of_gaze_models_are_those_of_their_files(name: str) -> None:
    found = card(name)
    width, height = map(int, re.findall(r"_1x3x(\d+)x(\d+)_1xNx4\.onnx$", found.file)[0])
    cell = found.box_cell_px or 16
    (count,) = {extent for extent in found.contract.outputs["heatmap"].shape if isinstance(extent, int)}

    assert found.input_size_wh == (height, width)
    assert (width % cell, cell) == (0, 14 if "dinov2" in name else 16)
    source = found.gaze.source_cells_wh
    assert source == ((2 * width // cell,) * 2 if "dinov3" in name else None)
    assert (source[0] if source else 2 * width // cell, count) in {(40, 32), (52, 48), (80, 64), (64, 64)}
    heads = [value for count in range(1, 11) for value in measured(found, f"latency of {count} heads?, ms")]
    assert (len(heads), heads) == (10 if "dinov3" in name else 0, sorted(heads))


@pytest.mark.parametrize("name", of("deimv2-"))
def test_sizes_and_rows_of_whole_body_detectors_are_those_of_their_files(name: str) -> None:
    found = card(name)
    rows, height, width = map(int, re.findall(r"_(\d+)query_n_batch_(\d+)x(\d+)\.onnx$", found.file)[0])

    assert found.input_size_wh == (width, height)
    assert found.contract.outputs["label_xyxy_score"].shape == ("N", rows, 6)
    assert tuple(found.classes.values()) == wholebody.NAMES
    assert list(found.classes) == list(range(34))


@pytest.mark.parametrize("name", of("yolov9-"))
def test_sizes_and_classes_of_yolov9_are_those_of_its_files(name: str) -> None:
    found = card(name)
    height, width = map(int, re.findall(r"_1x3x(\d+)x(\d+)\.onnx$", found.file)[0])

    assert found.input_size_wh == (width, height)
    assert tuple(found.classes.values()) == (*wholebody.NAMES[:21], "hand", "hand_left", "hand_right", "foot")
    assert "GPL" in found.licence
    assert found.forbids


def test_rotations_and_angles_of_the_same_labels_are_the_same_pose() -> None:
    """A head with yaw 30, pitch 20 and roll 10 in the labels of 300W-LP, as both kinds of models learn it."""
    yaw, pitch, roll = np.radians([30, 20, 10])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation = (about_z @ about_y @ about_x)[None]

    (six,), (angles,) = (
        rotations_told(answer, outputs)
        for answer, outputs in (
            ({"rotation": rotation}, card("sixdrepnet").head_pose),
            ({"output": np.array([[30, 20, 10]])}, card("fsanet-1x1").head_pose),
        )
        if outputs
    )

    np.testing.assert_allclose(six, angles, atol=1e-12)
    to_right, down, away = -angles[:, 2]  # where the nose points
    assert to_right < -0.4
    assert down < -0.2
    assert away < -0.8


@pytest.mark.parametrize("name", [name for name in NAMES if card(name).bytes])
def test_files_at_hand_are_those_of_their_cards(name: str, real_models: Path) -> None:
    found = card(name)
    path = real_models / Path(found.file).name
    if not path.is_file():
        pytest.skip(f"{path.name} is not among the models at hand")

    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size) == (found.sha256, found.bytes)
    session = Session(found, path, open_device("cpu"))

    assert set(found.contract.inputs) == set(session.inputs)
    session.close()
