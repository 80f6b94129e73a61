"""A recorded run of the made-up graph, made once for all tests of replays."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import cli.plan
import cli.replay_plan
from cli import program
from tests.cli import made_up


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the graph, its configuration, results in out/two and a recording in rec."""
    folder = tmp_path_factory.mktemp("recorded")
    made_up.write_graph(folder, shop={"url": "made://4"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(cli.plan, "resolve", made_up.resolve)
        assert program.main(["graphs/two.yaml", "--record", "rec"]) == 0
    return folder


@pytest.fixture
def made_up_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let made-up nodes be known."""
    monkeypatch.setattr(cli.plan, "resolve", made_up.resolve)
    monkeypatch.setattr(cli.replay_plan, "resolve", made_up.resolve)


@pytest.fixture
def shop(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up_nodes: None) -> Path:
    """Return the current folder: a copy of the recorded one, where made-up nodes are known."""
    shutil.copytree(recorded, tmp_path / "shop", ignore=shutil.ignore_patterns("bus*", "events.db*"))
    monkeypatch.chdir(tmp_path / "shop")
    return Path.cwd()
