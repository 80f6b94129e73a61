"""Licences are accepted before anything is fetched; what offline keeps from being fetched is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.model_files import terms
from tests.pipeline.model_files.carded import NET, SHA256, refusal, store, write
from tests.pipeline.model_files.web import Web

RESTRICTED = {"licence": "MIT", "forbids": "For research only."}
WANTED = (
    "model 'net': expected its licence to be accepted before the file is fetched, got no answer yet: MIT: For research "
    "only; to accept it, type python run_graph.py models pull net --accept-licence"
)


def test_a_licence_is_accepted_before_and_once_for_all_with_the_same_words(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url, **RESTRICTED)
    write(tmp_path, "twin", url=url, file="models/fetched/twin.onnx", **RESTRICTED)
    write(tmp_path, "other", url=url, file="models/fetched/other.onnx", licence="MIT", forbids="For babies only.")

    assert refusal(store(tmp_path)) == WANTED
    assert site.asked == []

    ledger = tmp_path / "models/fetched/accepted.yaml"
    assert store(tmp_path).accept("net") == f"net: accepted, and remembered in {ledger}: MIT: For research only"
    store(tmp_path).pull("net")
    store(tmp_path).pull("twin")
    assert "For babies only" in refusal(store(tmp_path), "other")
    assert list(yaml.safe_load(ledger.read_text()).values()) == ["MIT: For research only."]

    write(tmp_path, "twin", url=url, file="models/fetched/new.onnx", licence="MIT", forbids="For research, not in May.")
    assert "not in May" in refusal(store(tmp_path), "twin")


def test_a_file_that_is_here_was_accepted_by_whoever_put_it_there(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url, sha256=SHA256, **RESTRICTED)
    path = tmp_path / "models/fetched/net.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(NET)

    assert store(tmp_path).pull("net") == f"net: here, {path}"
    assert store(tmp_path).missing(["net"]) == []


@pytest.mark.parametrize(
    ("named", "accepted"), [("net", True), ("a, n*", True), ("*", True), ("MIT", False), ("", False)]
)
def test_licences_are_accepted_where_nobody_can_be_asked(tmp_path: Path, url: str, named: str, accepted: bool) -> None:
    write(tmp_path, url=url, **RESTRICTED)

    assert terms.is_accepted("net", "MIT", "For research only.", tmp_path, {terms.VARIABLE: named}) is accepted
    if accepted:
        store(tmp_path, {terms.VARIABLE: named}).pull("net")
        assert not (tmp_path / "models/fetched/accepted.yaml").exists()


def test_what_forbids_nothing_needs_no_acceptance(tmp_path: Path, url: str) -> None:
    write(tmp_path, url=url, licence="MIT")

    assert store(tmp_path).accept("net") is None


def test_offline_it_is_told_what_to_type_where(tmp_path: Path, site: Web, url: str) -> None:
    write(tmp_path, url=url, **RESTRICTED)
    path = tmp_path / "models/fetched/net.onnx"

    assert refusal(store(tmp_path, offline=True)) == (
        f"model 'net': expected the file {path}, got none, and offline (GAZE_OFFLINE or --offline) nothing is fetched; "
        "type python run_graph.py models pull net where there is a network and bring the file here, or name a folder "
        "that has it in GAZE_MODELS_MIRROR"
    )
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb/net.onnx").write_bytes(NET)
    offline = store(tmp_path, offline=True, mirror=tmp_path / "usb")
    assert refusal(offline) == WANTED
    offline.accept("net")
    offline.pull("net")
    assert path.read_bytes() == NET
    assert site.asked == []
