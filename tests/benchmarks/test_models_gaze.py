"""A gaze file of upstream's architecture through the benchmark: prepared, timed, compared, its peaks looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

from benchmarks import models_around, models_gaze
from benchmarks.models_files import files_of, prepared
from benchmarks.models_peaks import peak_errors

ATTO = "gazelle-dinov3-atto"


def test_prepared_files_say_the_same_and_place_peaks_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_gaze, "HEADS", (1, 2))
    monkeypatch.setattr(models_gaze, "FRAMES", 2)
    (file,) = files_of([ATTO], tmp_path).values()
    made = prepared(file)

    monkeypatch.setattr(models_around, "FRAMES", 2)
    found = models_gaze.measure_gaze(file, made, 1, "cpu")
    errors = peak_errors(file.path, made.path, (40, 40), (32, 32))

    assert set(found["heads"]) == {1, 2} and found["heads"][2]["prepared_ms"] > 0
    assert found["batch_max_abs"] <= 1e-4
    assert models_around.measure_together(file, made, models_around.Scene(models_gaze.CLIP)) > 0
    assert errors["prepared_hill"] < errors["released_upstream"] / 2
    assert errors["prepared_cell"] < errors["released_cell"] / 2
    assert errors["released_hill"] < errors["released_upstream"] / 2
    assert errors["reference_from_truth"] < 0.001
