"""Files as they are: the shipped models, third-party detectors, and whole architectures with random weights."""

from pathlib import Path

import numpy as np
import pytest

from nodes.surgery.detector_job import DetectorJob
from nodes.surgery.detector_trial import Outputs
from nodes.surgery.gaze_job import GazeJob
from nodes.surgery.job import Rewritten, Source
from nodes.surgery.opening import read_model
from nodes.surgery.probing import open_engine
from nodes.surgery.trials import Trial, made_up, of_clips
from pipeline.cards import ModelCard, load_card
from tests.repository import ROOT

DEMO = ROOT / "scenes" / "demo" / "shop.mp4"


def gaze_job(card: ModelCard, path: Path) -> tuple[GazeJob, Rewritten]:
    job = GazeJob(Source(card, path, (DEMO,), ROOT), read_model(path)[0])
    return job, job.rewrite()


def test_the_shipped_gaze_model_takes_the_heads_of_many_pictures() -> None:
    """Its crops are cut inside the graph, and its map is whole already."""
    job, rewritten = gaze_job(*load_card("gaze-shop-480", ROOT))

    found = job.check(rewritten, {"real": of_clips([DEMO], (480, 288), job.source.card.picture, 3, ROOT)})

    assert found["real"]["all_max"] <= 1e-4
    assert rewritten.steps["map"] == {"cells_wh": [64, 64], "thinned": "no"}


def test_a_picture_without_heads_changes_nothing() -> None:
    _, rewritten = gaze_job(*load_card("gaze-shop-480", ROOT))
    trial = made_up((480, 288), 2)
    engine = open_engine(rewritten.model)

    inputs = {"image_bgr": trial.pictures, "bboxes_x1y1x2y2": trial.boxes, "image_row": np.zeros(4, np.int64)}
    same = engine.run(None, inputs)
    alone = engine.run(None, inputs | {"image_bgr": trial.pictures[:1]})

    np.testing.assert_allclose(same[0], alone[0], atol=1e-4)


def no_decode(outputs: Outputs, picture: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    raise AssertionError("not asked for")


@pytest.mark.parametrize(
    "name", ["yolox-nano-416", "yunet-320", "yunet-dynamic", "rfb-320", "person-detection-retail-0013"]
)
def test_third_party_detectors_take_bytes(name: str, real_models: Path) -> None:
    card, path = load_card(name, ROOT)
    job = DetectorJob(Source(card, path, (DEMO,), ROOT), read_model(path)[0], no_decode)
    rewritten = job.rewrite()

    found = job.check(rewritten, {"made-up": made_up(job.source.size_wh, 1)})

    assert found["made-up"]["max"] <= 1e-4


@pytest.mark.parametrize("name", ["gazelle-dinov3-atto", "gazelle-dinov3-atto-gazefollow"])
def test_upstream_architectures_take_the_heads_of_many_pictures(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the training extra is not installed")
    from training.architectures.names import architectures
    from training.architectures.write import write

    path = write(name, architectures()[name], tmp_path)
    card = load_card(name, ROOT)[0].model_copy(update={"sha256": None})
    job, rewritten = gaze_job(card, path)
    trial = made_up((320, 320), 2)

    found = job.check(rewritten, {"made-up": Trial(trial.pictures, trial.boxes[1:], trial.rows[1:])})

    assert found["made-up"]["all_max"] <= 1e-4
    assert rewritten.steps["map"]["cells_wh"] == [40, 40]
    assert rewritten.steps["map"]["peak_error_prepared"] <= rewritten.steps["map"]["peak_error_released"] / 2
