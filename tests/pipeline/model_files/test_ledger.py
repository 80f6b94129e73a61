"""What is remembered beside fetched files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import yaml

from pipeline.errors import ConfigError
from pipeline.model_files import pins
from pipeline.model_files.ledger import Ledger
from tests.pipeline.model_files.carded import SHA256


def test_what_is_remembered_is_kept_by_many_at_once(tmp_path: Path) -> None:
    many = [
        threading.Thread(target=pins.pin, args=(f"https://host/{number}", None, SHA256, tmp_path))
        for number in range(8)
    ]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join(10)
    text = (tmp_path / "models/fetched/pins.yaml").read_text()

    assert text.startswith(f"# {pins.HEAD}\n")
    assert yaml.safe_load(text) == {f"https://host/{number}": SHA256 for number in range(8)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n", "{path}: expected a text for each name, got something else; mend or remove the file"),
        ("a: 1\n", "{path}: expected a text for each name, got something else; mend or remove the file"),
        (
            "a: b\na: c\n",
            "{path}: expected a text for each name, got {path}:2: a: given twice, first in line 1; remove one; mend or "
            "remove the file",
        ),
    ],
)
def test_a_list_that_makes_no_sense_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as caught:
        Ledger(path, "head").read()
    assert str(caught.value) == told.format(path=path)


def test_a_checksum_that_is_none_is_told(tmp_path: Path) -> None:
    pins.pin("https://host/net", None, "so long", tmp_path)

    with pytest.raises(ConfigError) as caught:
        pins.pinned("https://host/net", None, tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/models/fetched/pins.yaml: expected a sha256 for https://host/net, got 'so long'; remove the line"
    )
