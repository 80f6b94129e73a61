"""A run that names a model which is not here: it is fetched before, or told how to get it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import model_store, program
from pipeline.model_files.transfer import Means
from tests.cli import made_up
from tests.pipeline.model_files.web import Web, web
from tests.repository import ROOT

NET = b"a model that nobody opens"
SHA256 = hashlib.sha256(NET).hexdigest()
CARD = yaml.safe_load((ROOT / "configs/models/gaze-shop-480.yaml").read_text())
Caught = pytest.CaptureFixture[str]


@pytest.fixture
def site() -> Iterator[Web]:
    with web() as served:
        served.serve("net.onnx", NET)
        yield served


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_up_nodes: None) -> Path:
    """Return the current folder, with a graph, and no model."""
    for name in [name for name in os.environ if name.startswith("GAZE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GAZE_MODELS", str(tmp_path / "own"))
    monkeypatch.setattr(model_store, "Means", lambda **how: Means(timeout_s=5, sleep=lambda s: None, **how))
    monkeypatch.chdir(tmp_path)
    made_up.write_graph(tmp_path, shop={"url": "made://1"})
    return tmp_path


def write(folder: Path, site: Web, **changes: Any) -> Path:
    card = {**CARD, "file": "net.onnx", "url": site.url("net.onnx"), "sha256": SHA256, "shipped": False, **changes}
    path = folder / "net.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def run(*options: str) -> int:
    return program.main(["graphs/two.yaml", "--set", "gaze.model=net.yaml", *options])


@pytest.fixture(autouse=True)
def from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cards given by path are found below the checkout."""
    for module in ("cli.program", "cli.plan", "cli.run"):
        monkeypatch.setattr(f"{module}.ROOT", tmp_path)


def test_a_check_tells_what_would_be_fetched_and_fetches_nothing(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, site, bytes=len(NET), forbids="For research only.")

    assert run("--check") == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("fetched before the run")
    assert lines[at + 1 : at + 4] == [
        f"  net.yaml  from {site.url('net.onnx')}, 0.0 kB, to {shop}/own/net.onnx",
        "    its licence must be accepted before: python run_graph.py models pull net.yaml --accept-licence",
        "streams",
    ]
    assert site.asked == []

    write(shop, site, url=site.url("all.zip"), member="net.onnx")
    run("--check")
    assert f"net.yaml  from {site.url('all.zip')}, in this archive, of unknown size, to" in capsys.readouterr().out


def test_what_is_missing_is_fetched_before_the_run(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, site)

    assert run() == 0
    assert capsys.readouterr().err.splitlines()[:2] == [
        f"net.yaml: fetched before the run, from {site.url('net.onnx')}",
        f"net.yaml: fetched to {shop}/own/net.onnx",
    ]
    assert (shop / "own/net.onnx").read_bytes() == NET
    assert (shop / "out/two/shop/events.jsonl").stat().st_size

    assert run("--out", "again") == 0
    assert "fetched" not in capsys.readouterr().err
    assert len(site.asked) == 1


def test_a_model_of_unknown_checksum_is_held_to_on_first_use(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, site, sha256=None)
    (shop / "own").mkdir()
    (shop / "own/net.onnx").write_bytes(NET)

    assert run() == 0
    assert capsys.readouterr().err.splitlines()[0] == (
        f"net.yaml: {shop}/own/net.onnx; its makers tell no checksum, so it is held to this one from now on: {SHA256} "
        f"({shop}/own/pins.yaml)"
    )
    assert run("--out", "again") == 0
    assert "held to" not in capsys.readouterr().err


def test_a_checksum_that_cannot_be_remembered_keeps_nothing_from_running(
    shop: Path, site: Web, capsys: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, site, sha256=None)
    (shop / "net.onnx").write_bytes(NET)
    (shop / "own").write_text("")

    assert run() == 0
    assert capsys.readouterr().err.splitlines()[0] == (
        f"net.yaml: its checksum is not kept to: {shop}/own: expected a folder for model files, got a file in its "
        "path; name another folder in GAZE_MODELS"
    )


@pytest.mark.parametrize(("options", "environ"), [(["--offline"], ""), ([], "1"), (["--offline", "--check"], "")])
def test_offline_a_run_tells_what_to_type(
    shop: Path, site: Web, capsys: Caught, monkeypatch: pytest.MonkeyPatch, options: list[str], environ: str
) -> None:
    write(shop, site)
    monkeypatch.setenv("GAZE_OFFLINE", environ)

    assert run(*options) == 2
    assert capsys.readouterr().err == (
        f"model 'net.yaml': expected the file {shop}/own/net.onnx, got none, and offline (GAZE_OFFLINE or --offline) "
        "nothing is fetched; type python run_graph.py models pull net.yaml where there is a network and bring the file "
        "here, or name a folder that has it in GAZE_MODELS_MIRROR\n"
    )
    (shop / "own").mkdir()
    (shop / "own/net.onnx").write_bytes(NET)
    assert run(*options) == 0
    assert site.asked == []


def test_a_licence_that_was_not_accepted_keeps_a_run_from_beginning(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, site, licence="MIT", forbids="For research only.")

    assert run() == 2
    assert capsys.readouterr().err == (
        "model 'net.yaml': expected its licence to be accepted before the file is fetched, got no answer yet: MIT: For "
        "research only; to accept it, type python run_graph.py models pull net.yaml --accept-licence\n"
    )
    assert not (shop / "out").exists()
    assert program.main(["models", "pull", "net.yaml", "--accept-licence"]) == 0
    assert run() == 0


def test_a_model_that_cannot_be_had_keeps_a_run_from_beginning(shop: Path, site: Web, capsys: Caught) -> None:
    write(shop, site, url=site.url("gone.onnx"))

    assert run() == 1
    assert capsys.readouterr().err.splitlines()[1].startswith(f"{site.url('gone.onnx')}: expected the file, got ")
    assert not (shop / "out").exists()


def test_nodes_that_a_recording_stands_in_for_need_no_models(shop: Path, site: Web, capsys: Caught) -> None:
    assert program.main(["graphs/two.yaml", "--record", "rec", "--set", "gaze.model=gaze.yaml"]) == 2
    write(shop, site)
    assert run("--record", "rec") == 0
    (shop / "own/net.onnx").unlink()
    site.asked.clear()

    assert program.main(["replay", "rec", "--assert"]) == 0
    assert run("--replay", "gaze=rec", "--offline", "--check") == 0
    assert site.asked == []
