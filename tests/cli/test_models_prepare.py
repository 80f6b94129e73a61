"""`models prepare`: a file, its card and its report beside it; sessions take them; refusals in a sentence."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from onnx import ModelProto

from cli import models_prepare, program
from nodes.surgery.probing import open_engine, run
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ConfigError, ModelError
from pipeline.session import open_session
from tests.clips import write_clip
from tests.nodes.surgery.small_files import detector_file, gaze_file
from tests.repository import ROOT

Caught = pytest.CaptureFixture[str]
GAZE_CARD = {
    "title": "small",
    "file": "models/fetched/small.onnx",
    "licence": "MIT",
    "family": "gazelle",
    "input_size_wh": [16, 16],
    "gaze": {"source_cells_wh": [8, 8], "peak_in_frame": {"even_at": 0.4}},
    "contract": {
        "inputs": {
            "image_bgr": {"shape": [1, 3, "H", "W"], "range": [0.0, 255.0]},
            "bboxes_x1y1x2y2": {"shape": [1, "heads", 4], "range": [0.0, 1.0]},
        },
        "outputs": {"heatmap": {"shape": ["heads", 6, 6], "range": [0.0, 1.0]}, "inout": {"shape": ["heads"]}},
    },
    "published": [{"measure": "AUC", "value": 0.9}],
}
HEADS_CARD = {
    "file": "models/fetched/heads.onnx",
    "family": "wholebody34",
    "input_size_wh": [16, 16],
    "classes": {7: "head"},
    "picture": {"colour": "rgb", "mean": [1, 2, 3]},
    "contract": {
        "inputs": {"input_bgr": {"shape": ["N", 3, "H", "W"]}},
        "outputs": {"label_xyxy_score": {"shape": ["N", 16, 6]}},
    },
}


@pytest.fixture
def checkout(cards: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with a small gaze model, a small detector, the shipped one, and a short clip as the demo."""
    for name in ("models", "configs/models/people-shop-480.yaml"):
        (cards / name).symlink_to(ROOT / name)
    (cards / "models").unlink()
    (cards / "models/fetched").mkdir(parents=True)
    (cards / "models/people-shop-480.onnx").symlink_to(ROOT / "models/people-shop-480.onnx")
    (cards / "scenes/demo").mkdir(parents=True)
    write_clip(cards / models_prepare.DEMO, 6)
    put(cards, "small", GAZE_CARD, gaze_file())
    put(cards, "heads", HEADS_CARD, detector_file())
    return cards


def put(root: Path, name: str, card: dict[str, object], model: ModelProto) -> None:
    (root / f"configs/models/{name}.yaml").write_text(yaml.safe_dump(card))
    (root / f"models/fetched/{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_gaze_model_is_prepared_and_its_session_opens(checkout: Path, capsys: Caught) -> None:
    released = checkout / "models/fetched/small.onnx"
    before = sha256(released)

    assert program.main(["models", "prepare", "small"]) == 0

    (file,) = (checkout / "models/prepared").glob("*.onnx")
    said = capsys.readouterr().out
    assert said.splitlines()[:3] == [
        f"prepared: {file}",
        f"its card: {checkout}/models/prepared/small.prepared.yaml",
        "in a graph: --set NODE.model=small:prepared",
    ]
    card, path = load_card("small:prepared", checkout)
    assert path == file and card.name == "small:prepared" and card.prepared_from == before == sha256(released)
    assert card.sha256 == sha256(file) and card.bytes == file.stat().st_size
    assert card.gaze.source_cells_wh is None and card.gaze.peak_in_frame and card.gaze.peak_in_frame.even_at == 0.4
    assert card.published == () and card.licence == "MIT"
    session = open_session("small:prepared", CpuDevice(1), checkout)
    assert session.inputs == {
        "image_bgr": (("B", 16, 16, 3), "uint8"),
        "bboxes_x1y1x2y2": (("heads", 4), "float32"),
        "image_row": (("heads",), "int64"),
    }
    assert session.outputs == {"heatmap": (("heads", 8, 8), "float32"), "inout": (("heads",), "float32")}


def test_the_report_says_what_changed_and_is_kept(checkout: Path, capsys: Caught) -> None:
    assert program.main(["models", "prepare", "small"]) == 0

    said = capsys.readouterr().out
    (kept,) = (checkout / "models/prepared").glob("*.report.yaml")
    report = yaml.safe_load(kept.read_text())
    assert said.endswith(kept.read_text())
    assert (report["model"], report["variant"]) == ("small", "prepared")
    assert report["steps"]["resizes_taken_out"] == 1
    assert report["steps"]["map"]["cells_wh"] == [8, 8]
    assert report["steps"]["map"]["peak_error_prepared"] < report["steps"]["map"]["peak_error_released"] / 2
    assert max(report["from_released"][trial]["all_max"] for trial in ("made-up", "real")) <= 1e-4


def test_answers_are_those_of_the_released_file(checkout: Path) -> None:
    assert program.main(["models", "prepare", "small"]) == 0
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 256, (3, 16, 16, 3), np.uint8)
    boxes = np.array([[0.1, 0.1, 0.5, 0.6]] * 3, np.float32)
    session = open_session("small:prepared", CpuDevice(1), checkout)

    got = session.run({"image_bgr": pictures, "bboxes_x1y1x2y2": boxes, "image_row": np.array([2, 1, 0])})

    kept = [0, 1, 2, 4, 5, 6]
    engine = open_engine(gaze_file())
    for head, row in enumerate((2, 1, 0)):
        planes = pictures[row : row + 1].transpose(0, 3, 1, 2).astype(np.float32)
        maps, inout = run(engine, None, {"image_bgr": planes, "bboxes_x1y1x2y2": boxes[None, :1]})
        np.testing.assert_allclose(got["heatmap"][head][kept][:, kept], maps[0], atol=1e-6)
        np.testing.assert_allclose(got["inout"][head], inout[0], atol=1e-6)


def test_what_is_prepared_already_is_told_again(checkout: Path, capsys: Caught) -> None:
    assert program.main(["models", "prepare", "small"]) == 0
    first = capsys.readouterr().out
    (file,) = (checkout / "models/prepared").glob("*.onnx")
    made = file.stat().st_mtime_ns

    assert program.main(["models", "prepare", "small", "--report"]) == 0

    assert capsys.readouterr().out == first.replace("prepared:", "prepared already:", 1)
    assert file.stat().st_mtime_ns == made


def test_a_damaged_prepared_file_is_made_anew(checkout: Path, capsys: Caught) -> None:
    assert program.main(["models", "prepare", "small"]) == 0
    (file,) = (checkout / "models/prepared").glob("*.onnx")
    whole = sha256(file)
    file.write_bytes(b"gone")

    assert program.main(["models", "prepare", "small"]) == 0

    assert sha256(file) == whole


def test_half_precision_keeps_the_places_of_heads(checkout: Path) -> None:
    assert program.main(["models", "prepare", "small", "--as", "fp16"]) == 0

    (kept,) = (checkout / "models/prepared").glob("*.report.yaml")
    report = yaml.safe_load(kept.read_text())
    assert report["half_precision"]["single_precision_islands"]["places of heads"] > 5
    assert report["half_precision"]["from_single_precision"]["real"]["map_max"] < 0.03
    assert open_session("small:fp16", CpuDevice(1), checkout).outputs["heatmap"][1] == "float32"


def test_eight_bits_say_what_they_cost(checkout: Path) -> None:
    clip = write_clip(checkout / "mine.mp4", 8)

    assert program.main(["models", "prepare", "small", "--as", "int8", "--calibrate", str(clip)]) == 0

    (kept,) = (checkout / "models/prepared").glob("*.report.yaml")
    report = yaml.safe_load(kept.read_text())["eight_bits"]
    assert report["calibrated_on"] == {"frames": 8, "clips": ["mine.mp4"]}
    assert 0 < report["from_single_precision"]["calibration"]["map_max"] < 0.2
    open_session("small:int8", CpuDevice(1), checkout)


def test_a_detector_takes_bytes_and_makes_of_them_what_its_card_said(checkout: Path) -> None:
    assert program.main(["models", "prepare", "heads"]) == 0

    card, _ = load_card("heads:prepared", checkout)
    session = open_session("heads:prepared", CpuDevice(1), checkout)
    pixels = np.full((2, 16, 16, 3), (10, 20, 130), np.uint8)
    rows = session.run({"input_bgr": pixels})["label_xyxy_score"]
    assert session.inputs == {"input_bgr": (("N", 16, 16, 3), "uint8")}
    assert card.picture.colour == "bgr" and card.picture.mean == (0, 0, 0)
    # RGB less the mean: red 129 is first, green 18, blue 7 is third, which is what the model scores
    np.testing.assert_allclose(rows[:, :, 5], 7 / 255, rtol=1e-5)


def test_the_prepared_file_of_a_model_that_was_not_prepared_is_asked_for(checkout: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_card("small:fp16", checkout)

    assert str(caught.value) == (
        f"model 'small:fp16': expected a file that was prepared, got no card {checkout}/models/prepared/"
        "small.fp16.yaml; type: python run_graph.py models prepare small --as fp16"
    )


def test_a_prepared_file_that_is_gone_is_asked_for(checkout: Path) -> None:
    assert program.main(["models", "prepare", "small"]) == 0
    (file,) = (checkout / "models/prepared").glob("*.onnx")
    file.unlink()

    with pytest.raises(ModelError) as caught:
        open_session("small:prepared", CpuDevice(1), checkout)

    assert str(caught.value) == (
        f"model 'small:prepared': expected the file {file}, got none; it is gone: type: python run_graph.py models "
        "prepare small"
    )


def test_what_was_made_of_another_file_is_refused(checkout: Path) -> None:
    assert program.main(["models", "prepare", "small"]) == 0
    was, now = sha256(checkout / "models/fetched/small.onnx"), "0" * 64
    (checkout / "configs/models/small.yaml").write_text(yaml.safe_dump({**GAZE_CARD, "sha256": now}))

    with pytest.raises(ConfigError) as caught:
        load_card("small:prepared", checkout)

    assert str(caught.value) == (
        f"model 'small:prepared': expected one made of the file {now} of the card 'small', got one made of {was}; "
        "type: python run_graph.py models prepare small"
    )


REFUSED = {
    "small --report": (
        "model 'small': expected a file that was prepared, got none of this variant; leave out --report"
    ),
    "small --calibrate no.mp4": "--calibrate no.mp4: expected a video file, got none; correct the path",
    "lost": (
        "model 'lost': expected the file {root}/models/fetched/lost.onnx, got none; put the file there or correct "
        "`file` in the card 'lost'"
    ),
    "crops": (
        "model 'crops': expected a gaze model or a detector of whole pictures, got the family 'appearance'; models "
        "that look at one crop at a time are used as they are"
    ),
    "other": (
        "model 'other': expected 'image_bgr' of [1, 3, 32, 16], as input_size_wh of its card says, got [1, 3, 16, 16]; "
        "correct 'models/fetched/small.onnx' or the card"
    ),
    "garbage": (
        "model {root}/models/fetched/garbage.onnx: expected an ONNX file, got bytes that are none; get the file again"
    ),
}


@pytest.mark.parametrize(("arguments", "wanted"), REFUSED.items(), ids=list(REFUSED))
def test_refusals(checkout: Path, capsys: Caught, arguments: str, wanted: str) -> None:
    put(checkout, "crops", {**HEADS_CARD, "family": "appearance"}, detector_file())
    put(checkout, "garbage", {**GAZE_CARD, "file": "models/fetched/garbage.onnx"}, gaze_file())
    (checkout / "models/fetched/garbage.onnx").write_bytes(b"\xff\xff\xff")
    for name, change in (("lost", {"file": "models/fetched/lost.onnx"}), ("other", {"input_size_wh": [16, 32]})):
        (checkout / f"configs/models/{name}.yaml").write_text(yaml.safe_dump({**GAZE_CARD, **change}))

    assert program.main(["models", "prepare", *arguments.split()]) == 2

    assert capsys.readouterr().err == wanted.format(root=checkout) + "\n"
    assert not (checkout / "models/prepared").exists()


def test_without_the_package_onnx_the_cure_is_told(
    checkout: Path, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models_prepare.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ConfigError) as caught:
        models_prepare.main(["small"])

    assert str(caught.value) == "models prepare: expected the package onnx, got none; type: pip install onnx ml_dtypes"
