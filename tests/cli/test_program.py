"""The way in: graphs and verbs are told apart, and every failure is a paragraph and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import program
from pipeline.errors import ConfigError, GraphError, ModelError, NodeError, PipelineError, SourceError
from tests.repository import ROOT


def run(*argv: str, cwd: Path = ROOT, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, str(ROOT / "run_graph.py"), *argv]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_help_needs_no_packages_and_lists_graphs_and_verbs() -> None:
    told = run("--help", flags=("-S", "-E"))

    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0] == "Who looked at what, for how long: runs a graph of stages on cameras and clips."
    assert [line.split()[0] for line in lines[lines.index("graphs") + 1 : lines.index("verbs") - 1]] == [
        path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "graphs").glob("*.yaml"))
    ]
    assert [line.split()[0] for line in lines[lines.index("verbs") + 1 :]] == list(program.VERBS)


def test_help_about_running_a_graph_needs_no_packages() -> None:
    told = run("graphs/retail.yaml", "--help", flags=("-S", "-E"))

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[0] == "usage: run_graph.py GRAPH [options]"


def test_nothing_at_all_is_answered_with_help() -> None:
    told = run(flags=("-S", "-E"))

    assert (told.returncode, told.stdout.splitlines()[0]) == (
        2,
        "Who looked at what, for how long: runs a graph of stages on cameras and clips.",
    )


@pytest.mark.parametrize("command", ["graphs/retail.yaml", "nodes"])
def test_without_packages_it_says_what_to_type(command: str) -> None:
    told = run(command, flags=("-S", "-E"))

    assert (told.returncode, told.stdout) == (2, "")
    head, cure = told.stderr.split("; ", maxsplit=1)
    assert head == f"{sys.executable}: expected installed packages, got none of {', '.join(program.PACKAGES.values())}"
    assert cure.startswith(("type: make demo, or: python3 -m venv .venv && ", "this checkout has an environment"))


def test_the_way_to_install_names_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkout").mkdir()

    assert program.how_to_install(["av", "pyyaml"]) == (
        "/usr/bin/python3: expected installed packages, got none of av, pyyaml; type: cd checkout && make demo, or: "
        "cd checkout && python3 -m venv .venv && .venv/bin/pip install -r requirements/run.txt && "
        ".venv/bin/python run_graph.py graphs/retail.yaml"
    )

    monkeypatch.chdir(tmp_path / "checkout")
    assert program.how_to_install(["av"]) == (
        "/usr/bin/python3: expected installed packages, got none of av; type: make demo, or: python3 -m venv .venv && "
        ".venv/bin/pip install -r requirements/run.txt && .venv/bin/python run_graph.py graphs/retail.yaml"
    )

    (tmp_path / "checkout/.venv/bin").mkdir(parents=True)
    (tmp_path / "checkout/.venv/bin/python").touch()
    assert program.how_to_install(["av"]) == (
        "/usr/bin/python3: expected installed packages, got none of av; this checkout has an environment with them: "
        "type .venv/bin/python run_graph.py ..."
    )


def test_the_list_of_packages_is_that_of_the_project() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["cpu"]]

    assert set(program.PACKAGES.values()) == {re.split(r"[^\w-]", line)[0] for line in wanted}


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(program, "OLDEST_PYTHON", (99, 0))

    assert program.main(["nodes"]) == 2

    assert capsys.readouterr().err == (
        f"{sys.executable}: expected Python 99.0 or newer, got {sys.version.split()[0]}; install one\n"
    )


def test_what_is_neither_graph_nor_verb_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["retail"]) == 2

    assert capsys.readouterr().err == (
        "'retail': expected a graph (a file that ends in .yaml) or a verb, got neither; type for example: "
        f"python run_graph.py graphs/retail.yaml (verbs: {', '.join(program.VERBS)})\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError, 2),
        (GraphError, 2),
        (ModelError, 2),
        (SourceError, 2),
        (NodeError, 1),
        (PipelineError, 1),
    ],
)
def test_failures_are_told_without_passwords(
    error: type[PipelineError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        raise error("rtsp://me:secret@cam/1: expected a stream, got none")

    monkeypatch.setattr("cli.explain.main", fail)

    assert program.main(["explain", "x"]) == code
    assert capsys.readouterr().err == "rtsp://me:***@cam/1: expected a stream, got none\n"


def test_ctrl_c_before_a_run_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(argv: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.explain.main", interrupted)

    assert program.main(["explain", "x"]) == 130


def test_a_reader_that_leaves_early_is_no_failure() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-u", str(ROOT / "run_graph.py"), "nodes"]

    with os.fdopen(writer, "w") as out:
        told = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)

    assert (told.returncode, told.stderr) == (0, "")
