"""What the README tells people to type works, and the graph it shows is a graph."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from cli import listen
from cli.ctl_client import Answer, Client
from cli.program import main
from pipeline.model_files import pulling
from tests.repository import ROOT

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    line.partition("   #")[0]
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("python run_graph.py")
]

LISTEN = [command for command in COMMANDS if command.startswith("python run_graph.py listen")]
STEER = [command for command in COMMANDS if command.startswith("python run_graph.py ctl")]
PULL = [command for command in COMMANDS if command.startswith("python run_graph.py models pull")]
PREPARE = [command for command in COMMANDS if command.startswith("python run_graph.py models prepare")]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder like somebody's checkout, with clips of theirs and the graph of the README."""
    for folder in ("graphs", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    graph = re.search(r"# graphs/quiet.yaml\n(.*?)```", README, re.DOTALL)
    assert graph
    (tmp_path / "graphs" / "quiet.yaml").write_text(graph[1])
    (tmp_path / "clips").mkdir()
    for clip in ("clip.mp4", "clips/first.mp4", "clips/second.mp4", "det.txt"):
        (tmp_path / clip).write_bytes(b"not read by a check")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_has_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in LISTEN + STEER + PULL + PREPARE])
def test_commands_of_the_readme_pass_their_check(
    command: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = shlex.split(command)[2:]
    if arguments[0].endswith(".yaml") and "--check" not in arguments:
        arguments.append("--check")

    assert main(arguments) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", LISTEN)
def test_commands_that_listen_ask_for_what_there_is(
    command: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = MagicMock()
    heard.return_value.__enter__.return_value = []
    monkeypatch.setattr(listen, "Subscriber", heard)

    assert main(shlex.split(command)[2:]) == 0
    heard.assert_called_once()


@pytest.mark.parametrize("command", STEER)
def test_commands_that_steer_are_answered(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = MagicMock(return_value=Answer(200, {"id": "yard", "changed": [], "streams": [], "removed": {}}))
    monkeypatch.setattr(Client, "ask", asked)

    assert main(shlex.split(command)[2:]) == 0
    asked.assert_called_once()


@pytest.mark.parametrize("command", PULL)
def test_commands_that_fetch_ask_for_what_is_published(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched = MagicMock(return_value="0" * 64)
    monkeypatch.setattr(pulling, "fetch", fetched)
    for name in ("GAZE_OFFLINE", "GAZE_MODELS_MIRROR", "GAZE_REAL_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GAZE_MODELS", str(tmp_path))

    assert main(shlex.split(command)[2:]) == 0, capsys.readouterr().err
    fetched.assert_called_once()


@pytest.mark.parametrize("command", PREPARE)
def test_commands_that_prepare_want_what_is_fetched_before(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GAZE_REAL_MODELS", raising=False)
    monkeypatch.setenv("GAZE_MODELS", str(tmp_path))
    name = shlex.split(command)[-1]

    assert main(shlex.split(command)[2:]) == 2
    assert f"type python run_graph.py models pull {name}" in capsys.readouterr().err


def test_configuration_of_the_readme_is_one(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = re.search(r"```yaml\n(streams:.*?)```", README, re.DOTALL)
    assert config
    (checkout / "door.yaml").write_text(config[1])

    assert main(["graphs/retail.yaml", "--config", "door.yaml", "--check"]) == 0
    assert "AOIs: coffee, checkout" in capsys.readouterr().out
