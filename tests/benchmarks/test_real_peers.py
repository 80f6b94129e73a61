"""Other detectors beside ours: their table, and what is said of those whose files are not here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.real_labels import Heads, Persons
from benchmarks.real_peers import COLUMNS, PEERS, Known, _one, measure_peers, peer_table
from nodes.detect_people import Config
from scenes.still import render_still


@pytest.fixture(scope="module")
def known() -> list[Known]:
    """Return one rendered still as a labelled frame."""
    still = render_still(7, size_wh=(480, 288))
    heads = still.people.head_box[still.people.head_visible > 0] * np.array([480, 288] * 2)
    bodies = still.people.body_box[still.people.body_visible > 0]
    return [
        Known(
            "a.mp4",
            _one("a.mp4", still.bgr),
            Heads(heads, np.zeros(len(heads))),
            Persons(bodies, np.ones(len(bodies), np.bool_)),
        )
    ]


def test_peers_without_files_are_left_out_with_a_reason(
    known: list[Known], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GAZE_REAL_MODELS", raising=False)
    monkeypatch.setenv("GAZE_MODELS", str(tmp_path))
    monkeypatch.setattr("benchmarks.real_peers.PEERS", PEERS[1:2])

    rows, left_out = measure_peers(known, lambda _: Config())

    assert list(rows) == ["ours"]
    assert set(rows["ours"]) == set(COLUMNS)
    assert rows["ours"]["ms"] > 0
    assert left_out == [
        "yolox-nano-416: not measured, its file is not here; GAZE_REAL_MODELS may name a folder that has it"
    ]


def test_peers_are_told_by_what_they_find(
    known: list[Known], real_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAZE_REAL_MODELS", str(real_models))

    rows, left_out = measure_peers(known, lambda _: Config())

    assert list(rows) == ["ours", *(peer.card for peer in PEERS)] and left_out == []
    assert [rows[peer.card]["head_recall"] is None for peer in PEERS] == [True, True, False]
    assert [rows[peer.card]["person_recall"] is None for peer in PEERS] == [False, False, True]


def test_the_table_has_a_line_for_each_detector() -> None:
    figures = dict.fromkeys(COLUMNS, 0.5) | {"person_recall": None, "ms": 12.5}

    assert peer_table({"ours": figures}, ["b: not measured"]).splitlines() == [
        "the same frames, one by one  head recall  head recall facing  head false per 10 frames  person recall  "
        "person precision    ms",
        "ours                                 0.5                 0.5                       0.5              -  "
        "             0.5  12.5",
        "b: not measured",
    ]
