"""`models verify`: what is checked and opened, through the program."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from cli import program
from tests.cli.carded import CARD, GAZE, SHA256, put, write

Caught = pytest.CaptureFixture[str]


def test_files_are_checked_and_opened(cards: Path, capsys: Caught) -> None:
    write(cards, "bad", sha256="0" * 64)
    write(cards, "far", url="https://host/far.onnx")
    write(cards, "free")
    write(cards, "net", sha256=SHA256)
    others = {"contract": {**CARD["contract"], "outputs": {"maps": {"shape": [1]}}}, "head_pose": None}
    write(cards, "other", sha256=SHA256, **others)
    for name in ("free", "net", "other"):
        put(cards, name, GAZE.read_bytes())

    assert program.main(["models", "verify"]) == 0
    assert capsys.readouterr().out == (
        "free: no checksum is known\nnet: right\nother: right\n3 right, 0 wrong, 2 not here\n"
    )
    put(cards, "bad", b"bad")
    assert program.main(["models", "verify", "--open"]) == 1
    bad, free, net, other, summary = capsys.readouterr().out.splitlines()
    assert bad == (
        f"bad: {cards}/models/fetched/bad.onnx: expected the sha256 {'0' * 64} of the card 'bad', got "
        f"{hashlib.sha256(b'bad').hexdigest()}; put the right file there, or write its own card if you mean it"
    )
    assert free == "free: no checksum is known, and opens under its contract"
    assert net == "net: right, and opens under its contract"
    assert other.startswith(f"other: model {cards}/models/fetched/other.onnx: expected output 'maps'")
    assert summary == "2 right, 2 wrong, 1 not here"


def test_a_named_file_that_is_missing_is_a_failure(cards: Path, capsys: Caught) -> None:
    write(cards, "far", url="https://host/far.onnx")

    assert program.main(["models", "verify", "far"]) == 1
    assert capsys.readouterr().out == (
        f"far: model 'far': expected the file {cards}/models/fetched/far.onnx, got none; it is not fetched yet: type "
        "python run_graph.py models pull far\n0 right, 1 wrong, 0 not here\n"
    )


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("GAZE_REAL_MODELS"):
        pytest.skip("GAZE_REAL_MODELS is not set")


def test_real_files_open_under_their_contracts(real: None, capsys: Caught) -> None:
    assert program.main(["models", "verify", "--open", "yunet-320", "fsanet-1x1"]) == 0
    assert capsys.readouterr().out.endswith("2 right, 0 wrong, 0 not here\n")
