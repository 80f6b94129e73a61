"""Who may steer: what is refused before a run begins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.control import access as module
from pipeline.control.access import NEW_TOKEN, access, read_token
from pipeline.control.address import Address
from pipeline.errors import ConfigError
from pipeline.settings import EngineConfig

TOKEN = "0123456789abcdef"


def test_nobody_is_served_unless_asked_for() -> None:
    assert access(EngineConfig(), None, {"GAZEGRAPH_TOKEN": TOKEN}) is None


def test_this_machine_needs_no_token() -> None:
    served = access(EngineConfig(ready_s=3), "8700", {})

    assert served and (served.address, served.token, served.ready_s) == (Address(), None, 3.0)


def test_the_option_stands_above_the_configuration() -> None:
    settings = EngineConfig(serve="127.0.0.1:9000")

    assert [access(settings, option, {}).address.port for option in (None, "8701")] == [9000, 8701]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("settings", "option", "said"),
    [({}, "0.0.0.0:8700", "--serve"), ({"serve": "0.0.0.0:8700"}, None, "engine.serve")],
)
def test_others_need_a_token(settings: dict[str, Any], option: str | None, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        access(EngineConfig(**settings), option, {})

    assert str(caught.value) == (
        f"{said} 0.0.0.0:8700: expected a token, because other machines reach this address, got none; type: "
        f"export GAZEGRAPH_TOKEN=$({NEW_TOKEN}), or name a file that holds one: --set engine.serve_token_file=FILE"
    )


def test_a_token_is_read_from_a_file_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    settings = EngineConfig(serve="0.0.0.0", serve_token_file=tmp_path / "token")

    assert access(settings, None, {"GAZEGRAPH_TOKEN": "another token, long"}).token == TOKEN  # type: ignore[union-attr]
    assert access(EngineConfig(serve="0.0.0.0"), None, {"GAZEGRAPH_TOKEN": TOKEN}).token == TOKEN  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("token", "got"),
    [
        ("short", "5"),
        ("", "0"),
        ("x" * 1025, "1025"),
        ("with a blank inside", "other characters"),
        ("é" * 20, "other characters"),
    ],
)
def test_a_bad_token_is_refused_without_being_told(token: str, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_token(None, "--token-file", {"GAZEGRAPH_TOKEN": token})

    assert str(caught.value) == (
        f"GAZEGRAPH_TOKEN: expected a token of 16 to 1024 letters, digits and signs, got {got}; make one: {NEW_TOKEN}"
    )


def test_a_file_without_a_token_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff" * 40)

    with pytest.raises(ConfigError) as missing:
        read_token(tmp_path / "none", "--token-file", {})
    with pytest.raises(ConfigError, match="got other characters; make one"):
        read_token(tmp_path / "binary", "--token-file", {})

    assert str(missing.value) == (
        f"--token-file {tmp_path / 'none'}: cannot be read (No such file or directory); check the path"
    )


def test_packages_that_are_missing_are_told_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", {"uvicorn": "uvicorn", "not_there_at_all": "not-there", "nor_this": "nor"})

    with pytest.raises(ConfigError) as caught:
        access(EngineConfig(), "8700", {})

    assert str(caught.value) == (
        "--serve: expected installed packages, got none of not-there, nor; "
        f"type: {sys.executable} -m pip install not-there nor"
    )


def test_the_list_of_packages_is_that_of_the_project() -> None:
    import tomllib

    from tests.repository import ROOT, package_names

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]

    assert set(module.PACKAGES.values()) == package_names(extras["serve"])
