"""Timing in turns, distances and tables of the benchmark of models, and one stage measured."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from benchmarks import models, models_around, models_gaze
from benchmarks.models_calls import in_turns, open_engine, ratio
from benchmarks.models_files import files_of
from benchmarks.models_gaze import largest_gap, line_through
from benchmarks.results import ROOT, TARGETS, guarded, read_targets
from nodes.surgery.gaze_trial import Answer
from pipeline.errors import ConfigError


def test_calls_are_timed_in_turns_and_back() -> None:
    made: list[str] = []
    ticks = itertools.count()

    times = in_turns({"a": lambda: made.append("a"), "b": lambda: made.append("b")}, 2, lambda: float(next(ticks)))

    assert made == ["a", "b", "b", "a"]
    assert times == {"a": [1000.0, 1000.0], "b": [1000.0, 1000.0]}


def test_ratios_are_taken_within_rounds() -> None:
    assert ratio({"a": [2.0, 30.0, 8.0], "b": [1.0, 10.0, 8.0]}, "a", "b") == 2


def test_gap_is_that_on_the_cells_which_the_released_file_puts_out() -> None:
    whole = np.zeros((1, 5, 5), np.float32)
    whole[0, 2], whole[0, 3, 1] = 9.0, 0.25  # of five rows, three are kept: 0, 1 and 3
    thin = np.zeros((1, 3, 3), np.float32)

    assert largest_gap(Answer(thin, np.array([0.5])), Answer(whole, np.array([0.625]))) == 0.25
    assert largest_gap(Answer(thin, None), Answer(np.zeros_like(whole), None)) == 0


def test_line_through_milliseconds_by_heads() -> None:
    assert line_through({1: {"ms": 3.0}, 2: {"ms": 5.0}, 3: {"ms": 7.0}}, "ms") == (1.0, 2.0)


def test_table_has_the_columns_of_upstreams() -> None:
    heads = {count: {"ms": 1.0 + count, "prepared_ms": 2.0 * count} for count in range(1, 11)}

    lines = models_gaze.table({"atto": {"heads": heads}}).splitlines()

    assert lines[0].split() == ["ms", "by", "heads", *map(str, range(1, 11)), "base", "+", "slope·N"]
    assert lines[1].split() == ["atto", *(f"{1 + n:.2f}" for n in range(1, 11)), "1.00", "+", "1.000", "N"]
    assert lines[2].split()[:3] == ["atto", "prepared", "2.00"]


def test_what_a_stage_does_around_its_model_is_its_time_without_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_around, "FRAMES", 1)
    monkeypatch.setattr(models_around, "ROUNDS", 1)
    scene = models_around.Scene(models_gaze.CLIP)
    (tick,) = scene.ticks
    (file,) = files_of(["people-shop-480"], ROOT / "unused").values()

    found = models_around.measure_around(file, scene)

    assert tick.pictures[0].size_wh == (1920, 1080)
    assert scene.heads > 0
    assert found["stage"] == "detect_parts" and found["released"]
    assert 0 < found["around_ms"] < found["ms"]
    assert found["around_ratio"] == pytest.approx(found["around_ms"] / found["ms"], rel=0.05)
    assert models_around.table({"people": found}).splitlines()[1].startswith("people")


def test_models_add_up_how_long_they_took(monkeypatch: pytest.MonkeyPatch) -> None:
    context = models_around.TimedContext()
    session = context.open_session("gaze-shop-480")
    context.take_spent_s()
    ticks = itertools.count()
    monkeypatch.setattr("benchmarks.models_around.time.process_time", lambda: float(next(ticks)))
    picture, boxes = np.zeros((1, 3, 288, 480), np.float32), np.array([[[0.1, 0.1, 0.2, 0.2]]], np.float32)

    for _ in range(3):
        session.run({"image_bgr": picture, "bboxes_x1y1x2y2": boxes})

    assert (context.take_spent_s(), context.take_spent_s()) == (3, 0)


def test_frames_are_enlarged_as_a_decoder_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_around, "FRAMES", 1)

    (picture,) = models_around._pictures(models_gaze.CLIP)

    assert picture.layout == "i420"
    assert [plane.shape for plane in picture.planes] == [(1080, 1920), (540, 960), (540, 960)]
    assert cv2.meanStdDev(picture.planes[0])[1][0, 0] > 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--models", "gazelle-dinov3-atto", "atto"],
            "--models: expected some of gazelle-dinov3-atto, gazelle-dinov3-femto, gazelle-dinov3-pico, "
            "gazelle-dinov3-s, gazelle-dinov3-n, gazelle-dinov3-m, gazelle-dinov3-l, gazelle-dinov3-x, "
            "gazelle-dinov3-xl, gazelle-dinov2-b, gazelle-dinov2-l, got atto\n",
        ),
        (["--device", "cuda", "--check"], "--check: expected --device cpu, which targets are about, got 'cuda'\n"),
    ],
)
def test_wrong_options_are_said(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: models.main(arguments)) == 2
    assert capsys.readouterr().err == message


def test_a_device_that_the_runtime_does_not_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])

    with pytest.raises(ConfigError) as caught:
        open_engine(ROOT / "models" / "people-shop-480.onnx", "cuda")

    assert str(caught.value) == (
        "--device cuda: expected CUDAExecutionProvider, got ONNX Runtime without it; see the extras"
    )


def test_every_target_is_a_bound() -> None:
    for target in read_targets(TARGETS, "models").values():
        assert set(target) <= {"at_least", "at_most"} and target
