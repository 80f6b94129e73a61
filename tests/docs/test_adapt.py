"""What docs/adapt.md says of options is so."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from tests.repository import ROOT
from training.adapt import FILE, command_line
from training.labelled_footage import MOST_IN_ALL

PAGE = (ROOT / "docs/adapt.md").read_text("utf-8")


def test_options_and_their_defaults_are_those_of_the_program() -> None:
    parser = command_line()
    named = set(re.findall(r"(--[a-z][a-z-]+)", PAGE)) - {"--set"}
    told = re.findall(r"`--([a-z-]+)`, ([\d.]*\d)", PAGE)

    assert named <= {option for action in parser._actions for option in action.option_strings}
    assert {name for name, _ in told} == {"per-second", "most", "accept", "ignore", "still-s", "steps", "rate", "share",
                                          "margin"}  # fmt: skip
    for name, value in told:
        assert parser.get_default(name.replace("-", "_")) == float(value), name
    assert f"and {MOST_IN_ALL} in all" in PAGE
    assert f"people.model=out/adapted/{FILE}" in PAGE
