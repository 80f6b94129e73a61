"""Pose models made elsewhere, on photographs and footage of faces: signs, angles and crops are those of their cards."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from nodes.estimate_head_pose import EstimateHeadPose
from nodes.ops.rotations import angle_between, matrices
from nodes.types import Tracks
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.frames import Picture
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.ports import config_of
from pipeline.yaml_source import read_yaml
from tests.helpers import frames, table
from tests.repository import ROOT

FSANET = ("fsanet-1x1", "fsanet-var")
ADAS = ("head-pose-estimation-adas-0001",)
HEADS = {
    "person_a-720p.jpg": (561, 19, 773, 294),
    "person_a_and_b.jpg": (1115, 325, 1342, 645),
    "person_b2.jpg": (390, 60, 920, 830),
    "two_people.jpg": (764, 1, 978, 300),
}
"""One whole head in each photograph, pixels."""
ROLLS = {"person_a_and_b.jpg": -14, "two_people.jpg": 7, "person_a-720p.jpg": 0, "person_b2.jpg": 0}
"""By the line through the eyes, degrees clockwise."""
CPC_HEAD, CPC_LEANING = (730, 55, 1050, 500), (672, 53, 1019, 524)
"""Where the man's head is while he turns it, and where while he looks down to the left, pixels."""


def write_cards(folder: Path, models: Path) -> None:
    """Write the cards that ship, with the files of a folder."""
    for name in (*FSANET, *ADAS):
        values = {**read_yaml(ROOT / f"configs/models/{name}.yaml").data, "file": str(models / f"{name}.onnx")}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(values), "utf-8")


@pytest.fixture(scope="module")
def estimators(real_models: Path, tmp_path_factory: Any) -> dict[tuple[str, ...], EstimateHeadPose]:
    folder = tmp_path_factory.mktemp("cards")
    write_cards(folder, real_models)
    made = {}
    for names in (FSANET, ADAS):
        cards = tuple(str(folder / f"{name}.yaml") for name in names)
        config = config_of(EstimateHeadPose)(model=cards, max_disagreement_deg=180)
        made[names] = EstimateHeadPose(config, Context("poses", CpuDevice(), ROOT, ROOT, Graph("", ())))
        made[names].open()
    return made


def pose_of(node: EstimateHeadPose, image: np.ndarray, box: tuple[int, ...]) -> np.ndarray:
    """Return yaw, pitch and roll (3,) of a head."""
    height, width = image.shape[:2]
    tracks = table(
        Tracks,
        frame_row=[0],
        track_id=[1],
        head_box=[np.array(box) / [width, height, width, height]],
        head_score=[0.9],
        direction_scores=[[0.9, 0, 0, 0, 0, 0, 0, 0]],
    )
    shown = frames(1, pictures=[Picture((image,), "bgr")], size_wh=(width, height))
    (angles,) = node.process(tracks, shown).yaw_pitch_roll_deg
    assert np.isfinite(angles).all()
    return angles


def faces(folder: Path) -> dict[str, np.ndarray]:
    return {name: cv2.imread(str(folder / "face_images" / name)) for name in HEADS}


@pytest.mark.parametrize("names", [FSANET, ADAS], ids=["fsanet", "adas"])
def test_mirrored_faces_have_yaw_and_roll_mirrored_and_pitch_kept(
    names: tuple[str, ...], estimators: dict[tuple[str, ...], EstimateHeadPose], real_data: Path
) -> None:
    apart = []
    for name, image in faces(real_data).items():
        x1, y1, x2, y2 = HEADS[name]
        width = image.shape[1]
        plain = pose_of(estimators[names], image, (x1, y1, x2, y2))
        mirrored = pose_of(estimators[names], image[:, ::-1].copy(), (width - x2, y1, width - x1, y2))
        apart.append(mirrored - plain * [-1, 1, -1])
        for axis in (0, 2):
            if abs(plain[axis]) > 8:
                assert plain[axis] * mirrored[axis] < 0

    assert np.abs(apart).mean(axis=0).max() < 6


@pytest.mark.parametrize("names", [FSANET, ADAS], ids=["fsanet", "adas"])
def test_roll_is_that_of_the_line_through_the_eyes(
    names: tuple[str, ...], estimators: dict[tuple[str, ...], EstimateHeadPose], real_data: Path
) -> None:
    told = {name: pose_of(estimators[names], image, HEADS[name])[2] for name, image in faces(real_data).items()}

    assert np.mean([abs(told[name] - roll) for name, roll in ROLLS.items()]) < 5
    assert told["person_a_and_b.jpg"] < -5 < told["person_a-720p.jpg"] < 5


def shots(folder: Path) -> list[tuple[dict[str, str], np.ndarray]]:
    """Return the middle frame of each labelled segment in which the man turns his head."""
    lines = (folder / "cpc_demo/head_direction_segments.csv").read_text("utf-8").splitlines()
    video = cv2.VideoCapture(str(folder / "cpc_demo/demo.mp4"))
    found = []
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        video.set(cv2.CAP_PROP_POS_FRAMES, (int(row["from"]) + int(row["to"])) // 2)
        found.append((row, video.read()[1]))
    return found


def test_both_models_tell_the_labelled_directions_and_agree(
    estimators: dict[tuple[str, ...], EstimateHeadPose], real_data: Path
) -> None:
    wanted = shots(real_data)
    where = [CPC_LEANING if row["from"] == "82" else CPC_HEAD for row, _ in wanted]
    told = {
        names: np.array([pose_of(node, image, box) for (_, image), box in zip(wanted, where, strict=True)])
        for names, node in estimators.items()
    }

    for angles in told.values():
        yaw, pitch = angles[:, 0], angles[:, 1]
        side = np.array([{"left": -1, "right": 1}.get(row["yaw"], 0) for row, _ in wanted])
        high = np.array([{"down": -1, "up": 1}.get(row["pitch"], 0) for row, _ in wanted])
        assert (yaw[side != 0] * side[side != 0] > 5).all()
        assert np.abs(yaw[side == 0]).mean() < 8
        assert pitch[high > 0].mean() > pitch[high == 0].mean() + 5
        assert pitch[high == 0].mean() > pitch[high < 0].mean() + 5
    apart = angle_between(*(matrices(angles) for angles in told.values()))
    assert apart.mean() < 12


@pytest.mark.parametrize("name", FSANET)
def test_cards_of_pose_models_say_where_to_get_them(name: str) -> None:
    card, _ = load_card(name, ROOT)

    assert (card.family, card.shipped, Path(card.file).parent.name) == ("head_pose", False, "fetched")
    assert card.url and card.url.startswith("https://") and card.url.endswith(f"{name}-iter-688590.onnx")
