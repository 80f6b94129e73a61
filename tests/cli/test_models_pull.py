"""`models pull`: what is fetched, accepted, and gone on with, through the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import program
from tests.cli.carded import CARD, GAZE, SHA256, put, write
from tests.pipeline.model_files.web import Web, proxy
from tests.processes import running, until
from tests.repository import ROOT

Caught = pytest.CaptureFixture[str]


def test_files_are_pulled_and_failures_do_not_keep_others_away(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    write(cards, "gone", url=gaze_site.url("gone.onnx"), sha256=SHA256)
    write(cards, "net", url=gaze_site.url("gaze.onnx"), sha256=SHA256)

    assert program.main(["models", "pull", "gone", "net", "net"]) == 1
    out, err = capsys.readouterr()
    assert out == f"net: fetched to {cards}/models/fetched/net.onnx\n"
    assert err.startswith(f"{gaze_site.url('gone.onnx')}: expected the file, got the answer 404")
    assert program.main(["models", "pull", "net"]) == 0
    assert capsys.readouterr().out == f"net: here, {cards}/models/fetched/net.onnx\n"


def test_a_licence_is_accepted_by_hand(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    write(cards, "net", url=gaze_site.url("gaze.onnx"), sha256=SHA256, licence="MIT", forbids="For research only.")

    assert program.main(["models", "pull", "net"]) == 2
    assert capsys.readouterr().err == (
        "model 'net': expected its licence to be accepted before the file is fetched, got no answer yet: MIT: For "
        "research only; to accept it, type python run_graph.py models pull net --accept-licence\n"
    )
    assert program.main(["models", "pull", "net", "--accept-licence"]) == 0
    assert capsys.readouterr().err == (
        f"net: accepted, and remembered in {cards}/models/fetched/accepted.yaml: MIT: For research only\n"
    )


def test_a_changed_file_is_accepted_by_hand(cards: Path, gaze_site: Web, capsys: Caught) -> None:
    write(cards, "net", url=gaze_site.url("gaze.onnx"))
    program.main(["models", "pull", "net"])
    put(cards, "net", b"mine")
    capsys.readouterr()

    assert program.main(["models", "verify"]) == 1
    assert capsys.readouterr().out.splitlines()[0].endswith("python run_graph.py models pull net --accept-change")
    assert program.main(["models", "pull", "net", "--accept-change"]) == 0
    capsys.readouterr()
    assert program.main(["models", "verify"]) == 0
    assert capsys.readouterr().out == "net: as it first came\n1 right, 0 wrong, 0 not here\n"


def test_mirror_proxy_and_offline_are_taken_from_the_environment(
    cards: Path, gaze_site: Web, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(cards, "net", url="https://models.invalid/v1.onnx", sha256=SHA256)
    monkeypatch.setenv("GAZE_MODELS", str(cards / "own"))
    monkeypatch.setenv("GAZE_MODELS_MIRROR", "http://mirror.invalid/all")

    for options, environ in ((["--offline"], {}), ([], {"GAZE_OFFLINE": "1"})):
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            assert program.main(["models", "pull", "net", *options]) == 2
        assert "and offline (GAZE_OFFLINE or --offline) nothing is fetched" in capsys.readouterr().err
    with proxy() as between:
        monkeypatch.setenv("http_proxy", between.url(""))
        between.serve("x", GAZE.read_bytes())
        between.files["http://mirror.invalid/all/net.onnx"] = between.files["/x"]
        assert program.main(["models", "pull", "net"]) == 0
    assert capsys.readouterr().out == f"net: fetched to {cards}/own/net.onnx\n"


def checkout(folder: Path, gaze_site: Web, **changes: Any) -> dict[str, str]:
    """Write a card beside which its file will stand; return the environment of a program that keeps files there."""
    card = {**CARD, "file": "net.onnx", "url": gaze_site.url("gaze.onnx"), "shipped": False, **changes}
    (folder / "net.yaml").write_text(yaml.safe_dump(card))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAZE_")}
    return {**kept, "GAZE_MODELS": str(folder / "own"), "NO_PROXY": "*"}


def test_ctrl_c_leaves_what_came_to_be_gone_on_with(tmp_path: Path, gaze_site: Web) -> None:
    half = threading.Event()
    gaze_site.serve("gaze.onnx", GAZE.read_bytes(), held=half)
    environ = checkout(tmp_path, gaze_site)
    command = [sys.executable, str(ROOT / "run_graph.py"), "models", "pull", str(tmp_path / "net.yaml")]
    with running(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        part = tmp_path / "own/net.onnx.part"
        until(lambda: part.exists() and part.stat().st_size >= GAZE.stat().st_size // 2, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    half.set()

    assert (process.returncode, out) == (130, "")
    assert err == "ended; what was fetched is kept: type the same again to go on\n"
    kept = part.stat().st_size
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert gaze_site.ranges() == ["all", f"bytes={kept}-"]
