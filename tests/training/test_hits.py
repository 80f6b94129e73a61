"""Weights of what is looked at are fitted to what the nodes say of rendered clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nodes.hit_aoi import Config, Weighed
from training.hits import FIELDS, choices_of, main


def weighed(own: list[list[bool]], evidence: np.ndarray) -> Weighed:
    heads, targets = np.array(own).shape
    return Weighed(
        track_id=np.arange(heads),
        names=[f"t{each}" for each in range(targets)],
        evidence=evidence,
        own=np.array(own),
        rivalry=np.ones((targets, targets)),
        grid=[],
        in_grid=np.zeros((heads, 0)),
    )


def test_each_head_chooses_among_all_but_itself() -> None:
    first = weighed([[True, False, False], [False, True, False]], np.arange(6.0).reshape(2, 3, 1))
    second = weighed([[False]], np.array([[[9.0]]]))

    choices = choices_of([(first, [2, -1]), (second, [0])])

    assert choices.evidence.ravel().tolist() == [1, 2, 3, 5, 9]
    assert choices.choice.tolist() == [0, 0, 1, 1, 2]
    assert choices.chosen.tolist() == [1, -1, 4]  # the third target of the first head is the second it can choose


def test_every_weight_is_a_field_of_the_node() -> None:
    assert set(FIELDS) <= set(Config.model_fields)


@pytest.mark.parametrize("more", [[], ["--truth"]])
def test_a_short_clip_gives_a_block_of_values(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--seeds", "9301", "--seconds", "0.8", "--out", str(tmp_path), *more]) == 0

    first, block, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("# ")
    assert block == "hits:"
    weights = {name.strip(): float(value) for name, _, value in (line.partition(": ") for line in lines)}
    assert tuple(weights) == FIELDS
    assert weights["mass_weight"] > 0
