"""The example that kills a graph and a listener, with a graph that runs from a recording: what it says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.chaos import write_graph
from examples.events_survive import LISTENER, looks_first, main

FORGETS = [
    "-c",
    "import sys\nfrom examples import listener\nlistener.last_ids = lambda _: []\nlistener.main(sys.argv[1:])",
]
"""A listener that does not look into its file when it is started again."""


@pytest.fixture
def graph(tmp_path: Path) -> list[str]:
    """Return the command of a graph of the event layer alone."""
    write_graph(tmp_path, seed=5)
    where = ["--config", f"{tmp_path}/values.yaml", "--replay", f"hits={tmp_path}/hits"]
    return ["run_graph.py", f"{tmp_path}/chaos.yaml", *where]


def test_kills_lose_and_double_nothing(tmp_path: Path, graph: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(tmp_path / "example")], graph, LISTENER)

    *said, last = capsys.readouterr().out.splitlines()
    assert (code, last) == (0, "gaps 0 duplicates 0")
    counts = [int(count) for line in said[:-1] for count in re.findall(r"(?:wrote|after|has|still has) (\d+)", line)]
    peace, first, second, third, end, still, late = counts
    assert 0 < first <= second <= third <= peace
    assert first < peace
    assert end == still == late == peace


def test_a_listener_that_forgets_what_it_had_is_found_out(
    tmp_path: Path, graph: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(tmp_path / "example")], graph, FORGETS)

    found = re.fullmatch(r"gaps \d+ duplicates (\d+)", capsys.readouterr().out.splitlines()[-1])
    assert code == 1
    assert found
    assert int(found[1]) > 0


def test_a_graph_that_fails_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)], ["-c", "import sys; sys.exit('no such clip')"], LISTENER) == 2
    assert capsys.readouterr().err == ("publisher: expected a run to its end, got exit code 1; it said: no such clip\n")


def test_a_folder_of_somebody_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    assert main([str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"{tmp_path}: expected a new or empty folder, got one with files; give another one\n"
    )
    assert (tmp_path / "thesis.txt").exists()


def test_looks_stand_before_measures_in_their_own_order() -> None:
    look, measure = b'{"type":"io.gazegraph.look.ended","n":%d}\n', b'{"type":"io.gazegraph.measure.window","n":%d}\n'

    assert looks_first(look % 1 + measure % 2 + look % 3 + measure % 4) == (
        look % 1 + look % 3 + measure % 2 + measure % 4
    )
