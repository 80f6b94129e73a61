"""The graph `wholebody`: with the models that ship, and with a made-up detector that knows all 34 classes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from cli import program
from nodes.draw_overlay import DrawOverlay
from nodes.ops.wholebody import NAMES
from nodes.types import Attributes, Bones, Distances, TrackedParts
from pipeline.frames import FrameBatch
from pipeline.recording import Recording
from pipeline.values import concat
from tests.pipeline.retail import FPS, SECONDS, render
from tests.repository import ROOT

GRAPH = str(ROOT / "graphs/wholebody.yaml")
FRAMES = round(SECONDS * FPS)
LOOKS = ("looks.min_look_s=0.15", "looks.max_gap_s=0.2", "looks.enter_score=0.2", "looks.keep_score=0.1")
SEEN = {
    "head": [(0.0, 0.07, 0.05, 0.07)],
    "front": [(0.0, 0.07, 0.05, 0.07)],
    "face": [(0.0, 0.08, 0.035, 0.045)],
    "eye": [(-0.015, 0.07, 0.008, 0.006), (0.015, 0.07, 0.008, 0.006)],
    "nose": [(0.0, 0.085, 0.008, 0.01)],
    "mouth": [(0.0, 0.105, 0.015, 0.006)],
    "ear": [(-0.045, 0.08, 0.008, 0.015), (0.045, 0.08, 0.008, 0.015)],
    "collarbone": [(0.0, 0.18, 0.01, 0.01)],
    "shoulder": [(-0.12, 0.18, 0.01, 0.01), (0.12, 0.18, 0.01, 0.01)],
    "solar_plexus": [(0.0, 0.28, 0.01, 0.01)],
    "elbow": [(-0.15, 0.36, 0.01, 0.01), (0.15, 0.36, 0.01, 0.01)],
    "wrist": [(-0.16, 0.49, 0.01, 0.01), (0.16, 0.49, 0.01, 0.01)],
    "hand": [(-0.16, 0.53, 0.03, 0.04), (0.16, 0.53, 0.03, 0.04)],
    "hand_right": [(-0.16, 0.53, 0.03, 0.04)],
    "hand_left": [(0.16, 0.53, 0.03, 0.04)],
    "abdomen": [(0.0, 0.4, 0.01, 0.01)],
    "hip_joint": [(-0.08, 0.48, 0.01, 0.01), (0.08, 0.48, 0.01, 0.01)],
    "knee": [(-0.08, 0.72, 0.01, 0.01), (0.08, 0.72, 0.01, 0.01)],
    "ankle": [(-0.08, 0.94, 0.01, 0.01), (0.08, 0.94, 0.01, 0.01)],
    "foot": [(-0.09, 0.96, 0.04, 0.03), (0.09, 0.96, 0.04, 0.03)],
}
"""Of somebody of height 1: centres beside the middle and below the top, and halves of sides."""
BONES_EACH = 16


def rows_of(x: float, top: float, height: float, aspect: float, attributes: tuple[str, ...]) -> list[list[float]]:
    """Return rows `label, x1, y1, x2, y2, score` of a person of a height, all in fractions of the frame."""
    body = (0.0, 0.5, 0.2, 0.5)
    places = [(name, place) for name, all_of in SEEN.items() for place in all_of]
    places += [("body", body), *((name, body) for name in attributes)]
    made = []
    for name, (aside, down, wide, high) in places:
        middle, half = x + aside * height / aspect, wide * height / aspect
        low, tall = top + down * height, high * height
        made.append([NAMES.index(name), middle - half, low - tall, middle + half, low + tall, 0.9])
    return made


def write_detector(folder: Path) -> str:
    """Write a model that sees the same two people whatever it looks at, and its card; return the card's path."""
    aspect = 320 / 192
    rows = rows_of(0.3, 0.15, 0.8, aspect, ("adult", "male"))
    rows += rows_of(0.6, 0.3, 0.6, aspect, ("child", "female", "body_with_wheelchair", "body_with_crutches"))
    rows += [[34, 0, 0, 1, 1, 0.99], [0, 0.9, 0.1, 0.95, 0.2, 0.05]]
    rows.sort(key=lambda row: -row[5])
    given = {
        "rows": np.array([rows], np.float32),
        "first": np.array([0]),
        "rest": np.array([len(rows), 6]),
        "axis": np.array([0]),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Shape", ["input_bgr"], ["shape"]),
            helper.make_node("Gather", ["shape", "first"], ["count"]),
            helper.make_node("Concat", ["count", "rest"], ["wanted"], axis=0),
            helper.make_node("Expand", ["rows", "wanted"], ["label_xyxy_score"]),
        ],
        "everything",
        [helper.make_tensor_value_info("input_bgr", TensorProto.FLOAT, ("N", 3, "H", "W"))],
        [helper.make_tensor_value_info("label_xyxy_score", TensorProto.FLOAT, ("N", len(rows), 6))],
        [numpy_helper.from_array(array, name) for name, array in given.items() if name != "axis"],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "all34.onnx"
    )
    card = {
        "title": "two people who stand still",
        "file": "all34.onnx",
        "family": "wholebody34",
        "input_size_wh": [64, 32],
        "classes": dict(enumerate(NAMES)),
        "contract": {
            "inputs": {"input_bgr": {"shape": ["N", 3, "H", "W"]}},
            "outputs": {"label_xyxy_score": {"shape": ["N", len(rows), 6]}},
        },
    }
    path = folder / "all34.yaml"
    path.write_text(yaml.safe_dump(card), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def run(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that runs the graph on a rendered clip and returns the folder of its results."""
    monkeypatch.chdir(tmp_path)

    def run(*sets: str, more: tuple[str, ...] = ()) -> Path:
        values = ("engine.device=cpu", "streams.shop.hfov_deg=70", *LOOKS, *sets)
        assert program.main([GRAPH, "--source", f"shop={clip}", "--out", "out", *more, "--set", *values]) == 0
        return tmp_path / "out/shop"

    return run


def recorded(edge: str, kind: type[Any]) -> Any:
    return concat([tick.value for tick in Recording(edge, kind, next(Path(f"rec-{edge}").rglob("*.ticks")).parent)])


def test_it_runs_with_the_models_that_ship(run: Callable[..., Path]) -> None:
    out = run(more=("--record", "far=rec-far", "--record", "whose=rec-whose"))

    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert (summary["frames"], summary["dropped"]) == (FRAMES, {})
    assert all(edge["in"] == edge["out"] == FRAMES for edge in summary["edges"].values())
    assert summary["nodes"]["kinds"]["rows"] == summary["nodes"]["bones"]["rows"] == 0
    parts, far = recorded("whose", TrackedParts), recorded("far", Distances)
    assert {NAMES[label] for label in parts.label.tolist()} == {"body", "head", "face"}
    assert (parts.track_id > 0).mean() > 0.8
    assert len(far) > FRAMES
    assert far.distance_m.min() > 0.5
    assert far.distance_m.max() < 15
    assert (out / "events.jsonl").read_text("utf-8").count("\n") > 0
    with av.open(str(out / "annotated.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == FRAMES


def test_all_34_classes_reach_the_overlay_and_the_events(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[dict[str, Any]] = []
    draw = DrawOverlay.process

    @wraps(draw)
    def note(self: Any, frames: FrameBatch, tracks: Any, **values: Any) -> FrameBatch:
        drawn.append(values)
        return draw(self, frames, tracks, **values)

    monkeypatch.setattr(DrawOverlay, "process", note)

    sure = ("streams.shop.aois={all: [[0, 0], [1, 0], [1, 1], [0, 1]]}", "hits.area_bias=4")
    # The stand-in sees the same whatever it is shown, so nothing may be mirrored.
    model = (f"parts.model={write_detector(tmp_path)}", "parts.mirror_every_other=false")
    out = run(*model, *sure, more=("--max-frames", "12"))

    def all_of(port: str, kind: type[Any]) -> Any:
        values = concat([one[port] for one in drawn])
        assert isinstance(values, kind)
        return values

    parts, bones = all_of("parts", TrackedParts), all_of("bones", Bones)
    per_person = sum(map(len, SEEN.values())) - 3 + 1  # without attributes, with the body
    assert len(parts) == 12 * (2 * per_person + 2)
    assert set(parts.track_id.tolist()) == {1, 2}
    tall = parts.take(parts.box[:, 1] < 0.29)
    assert len(set(tall.track_id.tolist())) == 1
    assert (np.bincount(bones.track_id) == [0, 12 * BONES_EACH, 12 * BONES_EACH]).all()
    hands = parts.take(parts.label == NAMES.index("hand"))
    assert (np.sort(hands.attribute_scores[:, 12:], axis=1) == np.float32([0, 0.9])).all()
    kinds, far = all_of("attributes", Attributes), all_of("distances", Distances)
    grown = int(tall.track_id[0])
    adult, child = (kinds.take((kinds.track_id == grown) == first) for first in (True, False))
    assert adult.child_prob[-1] < 0.3 < 0.7 < child.child_prob[-1]
    assert adult.female_prob[-1] < 0.3 < 0.7 < child.female_prob[-1]
    assert np.isnan(adult.wheelchair_prob).all()
    assert np.isnan(adult.crutches_prob).all()
    assert child.wheelchair_prob[-1] > 0.6
    assert child.crutches_prob[-1] > 0.6
    near = [far.distance_m[far.track_id == id][-1] for id in (grown, 3 - grown)]
    assert near[1] / near[0] == pytest.approx(0.8 / 0.6, rel=0.1)
    told = [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]
    assert {event["subject"].split("/")[1] for event in told} == {"1", "2"}


def test_parts_and_people_are_of_one_run_of_the_detector(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([GRAPH, "--check"]) == 0

    (detecting,) = (stage for stage in capsys.readouterr().out.split("stage ") if "detect_parts" in stage)
    assert "detect_people(frames, parts)" in detecting
    assert "track_parts(frames, tracks, parts)" in detecting
