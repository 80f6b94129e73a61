"""What docs/training.md tells people to type is understood, and what it says of the recipe is so."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from tests.repository import ROOT
from training import __main__ as program
from training import data
from training.arguments import program_parser
from training.recipe import PROGRAMS, read_recipe

PAGE = (ROOT / "docs/training.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line, comments=True)[2:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python -m training")
]
OF_PROGRAMS = [(name.removeprefix("training."), rest) for name, *rest in COMMANDS if name.count(".")]


def test_the_page_has_commands_of_all_kinds() -> None:
    assert {name for name, *_ in COMMANDS} >= {"training", "training.data", "training.smoke", "training.detector"}


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, words in OF_PROGRAMS if name in PROGRAMS])
def test_programs_understand_what_is_typed(name: str, words: list[str]) -> None:
    options = program_parser(name).parse_args(words)

    assert all(data.SeedSet.parse("stills", text).count for text in options.stills)


@pytest.mark.parametrize("words", [words for name, words in OF_PROGRAMS if name == "data"])
def test_sets_are_rendered_as_typed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[str]] = {}
    monkeypatch.setattr(sys, "argv", ["data", *words])
    monkeypatch.setattr(data, "rendered", lambda kind, texts, processes: asked.update({kind: texts}))

    data.main()

    assert len(asked["stills"]) + len(asked["crops"]) == (
        1 if words else len(data.sets_of("stills") + data.sets_of("crops"))
    )


@pytest.mark.parametrize("words", [rest for name, *rest in COMMANDS if name == "training"])
def test_steps_are_taken_as_typed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(program, "finished", lambda step, root: None)
    monkeypatch.setattr(program, "take", lambda step, steps, root: done.append(step.name))
    monkeypatch.setattr(program, "ship", lambda steps, root: done.append("shipped"))

    assert program.main(words) == 0
    assert done == ([] if "--list" in words else [*(step.name for step in read_recipe()), "shipped"])


def test_fields_of_the_recipe_are_told() -> None:
    told = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")))
    )

    for step in read_recipe():
        assert set(step.arguments) <= told
