"""Model cards: found by name, by path, by the file they speak of; wrong ones are refused by key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.cards import ModelCard, card_problems, load_card
from pipeline.errors import ConfigError

CARD = {
    "file": "models/tiny.onnx",
    "family": "adder",
    "input_size_wh": [8, 4],
    "contract": {"inputs": {"x": {"shape": ["N", 3, "H", "W"]}}, "outputs": {"y": {"shape": ["N"], "range": [0, 1]}}},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_a_card(tmp_path)


def with_a_card(folder: Path) -> Path:
    (folder / "configs/models").mkdir(parents=True)
    write(folder / "configs/models/tiny.yaml")
    return folder


def write(path: Path, **changes: object) -> Path:
    path.write_text(yaml.safe_dump({**CARD, **changes}))
    return path


def refusal(card: str, root: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_card(card, root)
    return str(caught.value)


def test_a_card_is_found_by_name(root):
    card, path = load_card("tiny", root)

    assert (card.name, card.family, card.input_size_wh, card.sha256, card.classes) == (
        "tiny",
        "adder",
        (8, 4),
        None,
        {},
    )
    assert card.contract.inputs["x"].shape == ("N", 3, "H", "W")
    assert (card.contract.outputs["y"].dtype, card.contract.outputs["y"].range) == ("float32", (0, 1))
    assert path == root / "models/tiny.onnx"


def test_a_card_elsewhere_names_its_file_relative_to_itself(root):
    (root / "mine").mkdir()
    write(root / "mine/card.yaml", file="net.onnx")

    for given in ("mine/card.yaml", str(root / "mine/card.yaml")):
        assert load_card(given, root)[1] == root / "mine/net.onnx"


def test_classes_are_read_by_label(root):
    write(root / "configs/models/tiny.yaml", classes={0: "body", 7: "head"})

    assert load_card("tiny", root)[0].classes == {0: "body", 7: "head"}


def test_a_model_file_finds_its_card(root):
    write(root / "configs/models/other.yaml", file="models/other.onnx")
    (root / "mine").mkdir()
    write(root / "mine/net.yaml", file="net.onnx", name="net of mine")

    assert load_card("models/other.onnx", root)[0].name == "other"
    assert load_card("mine/net.onnx", root)[0].name == "net of mine"


def test_a_model_file_without_a_card_says_how_to_write_one(root):
    assert refusal("mine/net.onnx", root) == (
        "model 'mine/net.onnx': expected a card that names this file, got none; copy the card of the same family from "
        f"configs/models to {root}/mine/net.yaml and write there `file: net.onnx`, its input_size_wh, and no sha256"
    )


def test_an_unknown_name_suggests_a_known_one(root):
    assert refusal("tinny", root) == (
        f"model 'tinny': expected a card at {root}/configs/models/tinny.yaml, got no such file; did you mean 'tiny'? "
        "(configs/models: tiny)"
    )


def test_wrong_keys_are_named_with_their_lines_all_at_once(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text(
        "file: a.onnx\nfile: b.onnx\nlicnce: MIT\ninput_size_wh: big\n"
        "contract:\n  outputs: {}\n  inputs:\n    x: {shape: [1], rnge: [0, 1]}\n"
    )

    *lines, nested = sorted(refusal("tiny", root).splitlines(), key=lambda line: "rnge" in line)
    assert nested.startswith(f"{path}:8: tiny.contract.inputs.x.rnge: ")
    assert lines == [
        f"{path}:2: file: given twice, first in line 1; remove one",
        f"{path}: tiny.family: expected a value, got none; add it",
        f"{path}:4: tiny.input_size_wh: expected a list, got 'big'",
        f"{path}:3: tiny.licnce: unknown key; did you mean 'licence'? (keys: {', '.join(ModelCard.model_fields)})",
    ]


def test_a_card_that_is_no_table_is_refused(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text("- a\n")

    assert refusal("tiny", root) == f"{path}: expected the keys of a model card, got ['a']"


def test_yaml_that_would_run_code_is_refused(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text("file: !!python/object/apply:os.getcwd []\n")

    assert f"{path}:1: file: expected a plain value, got the tag" in refusal("tiny", root)


def test_what_is_missing_is_known_before_the_model_is_opened(root):
    path = root / "models/tiny.onnx"
    assert card_problems("tiny", root) == [
        f"model 'tiny': expected the file {path}, got none; put the file there or correct `file` in the card 'tiny'"
    ]

    path.parent.mkdir()
    path.touch()

    assert card_problems("tiny", root) == []
    assert card_problems("tinny", root) == [
        f"model 'tinny': expected a card at {root}/configs/models/tinny.yaml, got no such file; did you mean 'tiny'? "
        "(configs/models: tiny)"
    ]


def test_a_card_of_another_family_is_refused_before_its_file_is_wanted(root):
    assert card_problems("tiny", root, ("gazelle", "other")) == [
        "model 'tiny': expected a card of the family 'gazelle' or 'other', got one of 'adder'; choose another: "
        "python run_graph.py models list --family gazelle"
    ]
    write(root / "configs/models/far.yaml", url="https://example.org/tiny.onnx")

    assert card_problems("far", root, ("adder",)) == []


def test_of_many_cards_the_nearest_are_told(root):
    for number in range(10):
        write(root / f"configs/models/card-{number}.yaml")

    assert refusal("tinny", root).endswith(
        "did you mean 'tiny'? (configs/models: tiny, card-0, card-1, card-2, card-3, card-4, ... 11 in all)"
    )
