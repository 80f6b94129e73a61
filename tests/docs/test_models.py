"""What docs/models.md and docs/model_cards.md say is so."""

from __future__ import annotations

import re
import shlex

import pytest

from cli.models import VERBS
from cli.program import main
from pipeline.cards import names_of_all
from pipeline.model_files.folders import OWN, READ_ONLY
from pipeline.model_files.pins import FILE as PINS
from pipeline.model_files.settings import MIRROR, OFFLINE
from pipeline.model_files.terms import FILE as ACCEPTED
from pipeline.model_files.terms import VARIABLE
from pipeline.model_files.transfer import Means
from tests.repository import ROOT

PAGE = (ROOT / "docs/models.md").read_text("utf-8")
COMMANDS = re.findall(r"^python run_graph.py models (\w+)([^#\n]*)", PAGE, re.MULTILINE)


def test_the_page_of_cards_is_what_the_program_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--markdown"]) == 0

    assert (ROOT / "docs/model_cards.md").read_text("utf-8") == capsys.readouterr().out, (
        "docs/model_cards.md is out of date; run: python run_graph.py models list --markdown > docs/model_cards.md"
    )


def test_settings_and_files_have_the_names_they_are_told_by() -> None:
    for name in (OWN, READ_ONLY, MIRROR, OFFLINE, VARIABLE, PINS, ACCEPTED):
        assert f"`{name}" in PAGE, name


def test_waits_are_those_that_are_told() -> None:
    assert Means().waits_s == (0.5, 1, 2, 4)
    assert "after 0.5, 1, 2 and 4 seconds" in " ".join(PAGE.split())


def test_commands_name_verbs_and_cards_that_there_are() -> None:
    known = {*names_of_all(ROOT), "gazelle"}

    assert len(COMMANDS) >= 5
    for verb, rest in COMMANDS:
        assert verb in VERBS
        assert {word for word in shlex.split(rest) if not word.startswith("--")} <= known


def test_a_detector_can_be_shown_the_size_that_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (command,) = re.findall(r"python run_graph.py (.*people.input_size_wh.*)", PAGE)
    monkeypatch.chdir(ROOT)

    assert main([*shlex.split(command), "--check"]) == 0, capsys.readouterr().err
