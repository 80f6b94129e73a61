"""Prepared gaze files say what the released ones say, of the heads of many frames in one call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from nodes.ops.heatmap import kept_cells
from nodes.surgery.gaze_job import GazeJob
from nodes.surgery.job import Source
from nodes.surgery.opening import read_model
from nodes.surgery.recipe import Prepared
from nodes.surgery.shelf import place
from pipeline.cards import load_card
from tests.nodes.adapters.test_gaze_architectures import ATTO, BOXES, ROWS, card_of, opened, shown
from tests.repository import ROOT
from tests.small_gaze import write_small_gaze


def prepared(card: str, folder: Path) -> str:
    """Prepare a file without the trials that `models prepare` makes of it; return the card."""
    released, path = load_card(card, ROOT)
    model, sha256 = read_model(path)
    job = GazeJob(Source(released, path, (), ROOT), model)
    made = job.rewrite().model
    fields = {**job.card_fields(made), "prepared_from": sha256}
    return str(place(Prepared(made.SerializeToString(), fields, {}), released, "prepared", "made", folder))


@pytest.mark.parametrize("name", [ATTO, f"{ATTO}-gazefollow", "gaze-shop-480"])
def test_one_call_says_what_released_files_say_frame_by_frame(name: str, tmp_path: Path) -> None:
    card = name if name == "gaze-shop-480" else card_of(name, tmp_path)
    many, released = opened(prepared(card, tmp_path / "prepared")), opened(card)

    maps, probs = many.look(shown(), ROWS, BOXES)

    one, told = released.look(shown(), ROWS, BOXES)
    alone = [many.look(shown(), ROWS[k : k + 1], BOXES[k : k + 1]) for k in range(3)]
    assert maps.shape == one.shape
    rows, columns = (kept_cells({40: 32}.get(cells, cells), cells) for cells in maps.shape[1:])
    np.testing.assert_allclose(maps[:, rows][:, :, columns], one[:, rows][:, :, columns], atol=1e-4)
    np.testing.assert_allclose(maps, np.concatenate([each[0] for each in alone]), atol=1e-4)
    np.testing.assert_allclose(probs, np.concatenate([each[1] for each in alone]), atol=1e-4)
    if released.tells_in_frame:
        np.testing.assert_allclose(probs, told, atol=1e-4)
    many.close()
    released.close()


def test_a_file_that_takes_many_pictures_already_takes_them_as_bytes(tmp_path: Path) -> None:
    card = write_small_gaze(tmp_path)
    made = prepared(card, tmp_path / "prepared")
    many, released = opened(made), opened(card)

    maps, probs = many.look(shown(), ROWS, BOXES)

    one, told = released.look(shown(), ROWS, BOXES)
    np.testing.assert_allclose(maps, one, atol=1e-6)
    np.testing.assert_allclose(probs, told, atol=1e-6)
    card_made, _ = load_card(made, ROOT)
    inputs = {name: (spec.dtype, spec.shape, spec.optional) for name, spec in card_made.contract.inputs.items()}
    assert inputs == {
        "image_bgr": ("uint8", ("B", "H", "W", 3), False),
        "bboxes_x1y1x2y2": ("float32", ("heads", 4), False),
        "image_row": ("int64", ("heads",), False),
    }
    assert card_made.contract.outputs["direction"].range == (-1, 1)
    assert (card_made.picture.shrink, card_made.head_pose) == ("linear", load_card(card, ROOT)[0].head_pose)


def test_all_heads_of_a_tick_are_one_run_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = opened(prepared("gaze-shop-480", tmp_path), heads_per_call=3)
    runs = []
    session = many._calls._session
    run = session.run
    monkeypatch.setattr(session, "run", lambda given: runs.append(given) or run(given))

    many.look(shown(), ROWS, BOXES)

    (given,) = runs
    assert {name: (each.shape, str(each.dtype)) for name, each in given.items()} == {
        "image_bgr": ((2, 288, 480, 3), "uint8"),
        "bboxes_x1y1x2y2": ((3, 4), "float32"),
        "image_row": ((3,), "int64"),
    }
