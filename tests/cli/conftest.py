"""A recorded run of the made-up graph, made once for all tests of replays; a checkout with cards of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli.plan
import cli.replay_plan
from cli import model_store, program
from pipeline.model_files.transfer import Means
from tests.cli import made_up
from tests.cli.carded import GAZE
from tests.pipeline.model_files.web import Web, web


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


@pytest.fixture
def gaze_site() -> Iterator[Web]:
    """Serve a model that ships, so that there is one to fetch."""
    with web() as served:
        served.serve("gaze.onnx", GAZE.read_bytes())
        yield served


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout without cards, for a program that waits for nothing."""
    for name in [name for name in os.environ if name.startswith("GAZE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    (tmp_path / "configs/models").mkdir(parents=True)
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(model_store, "Means", lambda **how: Means(timeout_s=5, sleep=lambda s: None, **how))
    return tmp_path
