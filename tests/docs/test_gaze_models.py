"""What docs/gaze_models.md says of cards is what the cards say, and its block is one that a card takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from nodes.adapters.gaze_calls import USUAL_CELL_PX
from nodes.adapters.gaze_files import GazeFile
from pipeline.card_fields import GazeOutputs, PeakInFrame
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.session import open_session
from tests.repository import ROOT
from tests.small_gaze import CARD, write_small_gaze

PAGE = (ROOT / "docs/gaze_models.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `gaze")
]


def names(cell: str) -> list[str]:
    """Return the cards of a cell: the first in full, of the others the end."""
    first, *others = re.findall(r"`([^`]+)`", cell)
    return [first, *(first.rpartition("-")[0] + end for end in others)]


def size(cell: str) -> tuple[int, int]:
    width, height = re.fullmatch(r"(\d+) × (\d+)", cell).groups()  # type: ignore[union-attr]
    return int(width), int(height)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_table_is_that_of_the_cards(row: list[str]) -> None:
    cards = names(row[0])
    released = [f"{name}-gazefollow" for name in cards if (ROOT / f"configs/models/{name}-gazefollow.yaml").is_file()]

    for name in [*cards, *released]:
        card, _ = load_card(name, ROOT)
        cell_px = USUAL_CELL_PX if card.box_cell_px is None else card.box_cell_px
        width, height = card.input_size_wh or (0, 0)
        assert (width, height) == size(row[1])
        assert row[2] == (f"{width // cell_px} × {height // cell_px}" if cell_px else "as it is")
        assert card.contract.outputs["heatmap"].shape[1:] == size(row[3])[::-1]
        assert (card.gaze.source_cells_wh or size(row[3])) == size(row[4])


def test_every_gaze_model_is_in_the_table() -> None:
    known = {path.stem.removesuffix("-gazefollow") for path in (ROOT / "configs/models").glob("gaze[-l]*.yaml")}
    gazelle = {name for name in known if load_card(name, ROOT)[0].family == "gazelle"}

    assert {name for row in ROWS for name in names(row[0])} == gazelle


def test_the_block_is_the_usual_one() -> None:
    (block,) = re.findall(r"```yaml\n(gaze:.*?)```", PAGE, re.DOTALL)

    assert GazeOutputs(**yaml.safe_load(block)["gaze"]).peak_in_frame == PeakInFrame()


def test_the_contract_of_many_pictures_is_one_that_such_a_file_keeps(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(contract:.*?)```", PAGE, re.DOTALL)
    contract = yaml.safe_load(block)["contract"]
    contract["outputs"]["heatmap"]["shape"][1:] = CARD["contract"]["outputs"]["heatmap"]["shape"][1:]
    card = write_small_gaze(tmp_path, contract=contract, head_pose=None)

    session = open_session(card, CpuDevice(), ROOT)

    assert session.optional == {"image_row"}
    assert GazeFile.of(session, card, "gaze.model").many
