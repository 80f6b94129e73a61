"""Gaze-LLE files of upstream's true architecture, with random weights, through their own cards."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import yaml

pytest.importorskip("torch", reason="the training extra is not installed")

from nodes.adapters.gaze_models import GazeModel, open_gaze_model
from nodes.ops.heatmap import evened, kept_cells
from pipeline.device_cpu import CpuDevice
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.yaml_source import read_yaml
from tests.helpers import frames
from tests.repository import ROOT
from training.architectures.names import architectures
from training.architectures.write import write

ATTO = "gazelle-dinov3-atto"
BOXES = np.array([[0.1, 0.2, 0.3, 0.5], [0.6, 0.1, 0.7, 0.3], [0.3, 0.4, 0.5, 0.8]], np.float32)
ROWS = np.array([0, 0, 1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("architectures")


def card_of(name: str, folder: Path, **changes: Any) -> str:
    """Write the file of an architecture where it is missing, and its card with some changes; return the card."""
    card: dict[str, Any] = read_yaml(ROOT / f"configs/models/{name}.yaml").data
    path = folder / Path(card["file"]).name
    if not path.is_file():
        write(name, architectures()[name], folder)
    made = folder / f"{name}-{len(list(folder.iterdir()))}.yaml"
    made.write_text(yaml.safe_dump({**card, "file": path.name, **changes}), "utf-8")
    return str(made)


def opened(card: str, heads_per_call: int | None = None) -> GazeModel:
    return open_gaze_model(Context("gaze", CpuDevice(), ROOT, ROOT, Graph("", ())), card, "gaze.model", heads_per_call)


@cache
def shown() -> FrameBatch:
    """Return two frames with pictures of blobs."""
    rng = np.random.default_rng(3)
    blobs = [cv2.resize(rng.integers(0, 255, (9, 16, 3), np.uint8), (640, 360)) for _ in range(2)]
    return frames(2, pictures=[Picture((blob,), "bgr") for blob in blobs])


@pytest.mark.parametrize("name", [ATTO, f"{ATTO}-gazefollow"])
@pytest.mark.parametrize("said", [True, False], ids=["size in the card", "size in the file alone"])
def test_cards_of_upstream_open_their_files(name: str, said: bool, folder: Path) -> None:
    model = opened(card_of(name, folder, **({} if said else {"input_size_wh": None})))

    maps, probs = model.look(shown(), ROWS, BOXES)

    assert (maps.shape, probs.shape) == ((3, 40, 40), (3,))
    assert 0 <= maps.min() < maps.max() <= 1
    assert ((probs > 0) & (probs < 1)).all()
    model.close()


def test_heads_of_two_frames_get_what_each_gets_alone(folder: Path) -> None:
    model = opened(card_of(ATTO, folder))

    maps, probs = model.look(shown(), ROWS, BOXES)

    for k in range(3):
        alone = model.look(shown(), ROWS[k : k + 1], BOXES[k : k + 1])
        np.testing.assert_allclose(maps[k], alone[0][0], atol=1e-4)
        np.testing.assert_allclose(probs[k], alone[1][0], atol=1e-4)
    model.close()


def test_a_head_too_small_for_the_grid_is_seen(folder: Path) -> None:
    """By itself the file takes such a head for none at all."""
    card = card_of(ATTO, folder)
    speck = np.array([[0.51, 0.51, 0.52, 0.52]], np.float32)  # both edges round to line 10 of 20
    alone = opened(card_of(ATTO, folder, box_cell_px=0))

    ignored, _ = alone.look(shown(), ROWS[:1], speck)
    nobody, _ = alone.look(shown(), ROWS[:1], np.zeros((1, 4), np.float32))
    seen, _ = opened(card).look(shown(), ROWS[:1], speck)
    cell, _ = alone.look(shown(), ROWS[:1], np.array([[0.5, 0.5, 0.55, 0.55]], np.float32))

    np.testing.assert_allclose(ignored, nobody, atol=1e-6)
    np.testing.assert_allclose(seen, cell, atol=1e-6)
    assert np.abs(seen - nobody).max() > 1e-3


def test_cells_are_left_out_by_the_file_as_they_are_evened_out_here(folder: Path) -> None:
    card = card_of(ATTO, folder)
    content = onnx.load(folder / read_yaml(Path(card)).data["file"])
    (last,) = [node for node in content.graph.node if "heatmap" in node.output]
    while last.op_type != "Resize":
        (last,) = [node for node in content.graph.node if last.input[0] in node.output]
    content.graph.output.append(onnx.helper.make_empty_tensor_value_info(last.input[0]))
    session = ort.InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = CpuDevice().model_input(shown().take([0]), (320, 320))
    given = {"image_bgr": picture, "bboxes_x1y1x2y2": BOXES[None]}

    thinned, inside = session.run(["heatmap", last.input[0]], given)

    kept = kept_cells(32, 40)
    assert np.array_equal(thinned, inside.reshape(3, 40, 40)[:, kept][:, :, kept])
    maps, _ = opened(card).look(shown(), np.zeros(3, np.int64), BOXES)
    np.testing.assert_allclose(maps, evened(thinned, (40, 40)), atol=1e-5)
