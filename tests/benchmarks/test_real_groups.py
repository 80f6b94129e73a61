"""Which model each group of real clips is measured with."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import real_labels as labels
from benchmarks.real_groups import GROUPS, SHIPPED, group_of, models_by_group
from benchmarks.results import ROOT
from pipeline.cards import load_card
from pipeline.errors import ConfigError
from tests.conftest import folder_named_by


def refusal(model: str | None, *chosen: str, folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        models_by_group(model, chosen, folder)
    return str(caught.value)


def test_no_clip_is_in_two_groups_and_each_is_found() -> None:
    clips = [clip for group in GROUPS.values() for clip in group]

    assert len(clips) == len(set(clips))
    assert [group_of(clip) for clip in (labels.RETAIL, labels.ONE_BY_ONE, labels.CPC)] == ["A", "B", "D"]
    with pytest.raises(ConfigError, match=r"got 'new/clip\.mp4'; add it to a group"):
        group_of("new/clip.mp4")


@pytest.mark.needs_real_data
def test_every_real_clip_is_in_a_group() -> None:
    folder = folder_named_by("GAZE_REAL_DATA")

    assert {group_of(clip) for clip in labels.clips(folder)} == set(GROUPS)


def test_all_groups_have_the_shipped_detector_or_the_one_that_is_named(tmp_path: Path) -> None:
    assert models_by_group(None, [], tmp_path) == dict.fromkeys(GROUPS, SHIPPED)

    chosen = models_by_group("yunet-320", ["B=yunet-640"], tmp_path)

    assert chosen == {"A": "yunet-320", "B": "yunet-640", "C": "yunet-320", "D": "yunet-320"}


def test_a_file_without_a_card_is_taken_for_one_of_the_shipped_form(tmp_path: Path) -> None:
    file = tmp_path / "people.onnx"
    file.write_bytes(b"weights")
    (tmp_path / "cards").mkdir()

    chosen = models_by_group(str(file), [], tmp_path / "cards")

    card, path = load_card(chosen["C"], ROOT)
    assert (card.family, card.sha256, path) == ("wholebody34", None, file)


def test_a_choice_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    wanted = "--model-for: expected GROUP=MODEL with each of A, B, C, D once, got"
    assert refusal(None, "A", folder=tmp_path) == f"{wanted} 'A'; correct it"
    assert refusal(None, "E=yunet-320", folder=tmp_path) == f"{wanted} 'E=yunet-320'; correct it"
    assert refusal(None, "A=yunet-320", "A=yunet-640", folder=tmp_path) == f"{wanted} 'A=yunet-640'; correct it"
    assert refusal(None, "A=yunet-320", "C=yunet-640", folder=tmp_path) == (
        "--model-for: expected a model for each of A, B, C, D, got none for B, D; add it, or name the one for the rest "
        "with --model"
    )
    assert refusal("gone.onnx", folder=tmp_path) == (
        "--model: expected a card or an .onnx file, got 'gone.onnx', which is not there; correct it"
    )
