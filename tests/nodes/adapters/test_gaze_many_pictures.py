"""Gaze files as they ship: many pictures a call, each head told its picture, directions beside the maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes.adapters.gaze_models import GazeModel, open_gaze_model
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.node import Context
from tests.helpers import frames
from tests.repository import ROOT
from tests.small_gaze import CARD, write_small_gaze

ROWS = np.array([0, 0, 1, 3, 3, 3])


def opened(card: str, **config: Any) -> GazeModel:
    return open_gaze_model(Context("gaze", CpuDevice(), ROOT, ROOT, Graph("", ())), card, "gaze.model", **config)


def shown() -> FrameBatch:
    rng = np.random.default_rng(4)
    return frames(4, pictures=[Picture((rng.integers(0, 255, (36, 64, 3), np.uint8),), "bgr") for _ in range(4)])


def boxes() -> np.ndarray:
    low = np.random.default_rng(5).random((6, 2)) * 0.6
    return np.concatenate([low, low + 0.3], axis=1).astype(np.float32)


def watch(model: GazeModel, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []
    session = model._calls._session
    run = session.run
    monkeypatch.setattr(session, "run", lambda given: asked.append(given) or run(given))
    return asked


@pytest.mark.parametrize(("heads_per_call", "calls"), [(6, [3]), (3, [2, 1]), (1, [1, 1, 1]), (None, [1, 1, 1])])
def test_heads_of_many_frames_get_what_each_gets_alone(
    heads_per_call: int | None, calls: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_small_gaze(tmp_path)
    model = opened(card, heads_per_call=heads_per_call)
    asked = watch(model, monkeypatch)

    maps, probs = model.look(shown(), ROWS, boxes())

    assert [len(call["image_bgr"]) for call in asked] == calls
    assert asked[-1]["image_row"].dtype == np.int64
    alone = [opened(card).look(shown(), ROWS[k : k + 1], boxes()[k : k + 1]) for k in range(6)]
    np.testing.assert_allclose(maps, np.concatenate([each[0] for each in alone]), atol=1e-6)
    np.testing.assert_allclose(probs, np.concatenate([each[1] for each in alone]), atol=1e-6)
    assert np.ptp(probs) > 0.1


def test_a_card_that_does_not_know_of_rows_asks_frame_by_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As clients of Gaze-LLE files do: the file then takes the first picture."""
    inputs = {name: spec for name, spec in CARD["contract"]["inputs"].items() if name != "image_row"}
    plain = opened(write_small_gaze(tmp_path, contract={**CARD["contract"], "inputs": inputs}))
    asked = watch(plain, monkeypatch)

    maps, _ = plain.look(shown(), ROWS, boxes())

    assert [call["image_bgr"].shape[0] for call in asked] == [1, 1, 1]
    assert all(set(call) == {"image_bgr", "bboxes_x1y1x2y2"} for call in asked)
    np.testing.assert_allclose(maps, opened(write_small_gaze(tmp_path)).look(shown(), ROWS, boxes())[0], atol=1e-6)


def test_a_card_with_the_wrong_rows_is_refused(tmp_path: Path) -> None:
    inputs = {**CARD["contract"]["inputs"], "image_row": {"shape": ["heads"], "dtype": "int32", "optional": True}}

    with pytest.raises(ModelError, match=r"expected input 'image_row' of int32 \[heads\], got inputs 'image_bgr'"):
        opened(write_small_gaze(tmp_path, contract={**CARD["contract"], "inputs": inputs}))
