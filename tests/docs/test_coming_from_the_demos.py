"""The page for those who know the upstream demos: every value it names is one of the whole-body graph."""

import re

import pytest

from nodes import resolve
from pipeline.ports import config_of
from pipeline.streams import StreamConfig
from pipeline.yaml_source import read_yaml
from tests.repository import ROOT

PAGE = (ROOT / "docs/coming-from-the-demos.md").read_text("utf-8")
BLOCKS = {name: node["type"] for name, node in read_yaml(ROOT / "graphs/wholebody.yaml").data.items()}
NAMED = sorted(set(re.findall(r"\b([a-z]+)\.([a-z_]+)\b(?=[`=:,\s])", PAGE)))


@pytest.mark.parametrize(("block", "value"), [pair for pair in NAMED if pair[0] in BLOCKS])
def test_values_are_those_of_the_graph(block: str, value: str) -> None:
    assert value in config_of(resolve(BLOCKS[block])).model_fields


def test_the_page_speaks_of_the_graph() -> None:
    assert {"parts", "gaze", "overlay"} <= {block for block, _ in NAMED}
    assert len(NAMED) > 20


@pytest.mark.parametrize("value", re.findall(r"streams\.<id>\.([a-z_]+)", PAGE))
def test_values_of_cameras_are_known(value: str) -> None:
    assert value in StreamConfig.model_fields


@pytest.mark.parametrize(
    "option",
    [
        "-m", "-v", "-i", "-ep", "-it", "-dvw", "-dwk", "-ost", "-ast", "-kst", "-kdm", "-ebm", "-dnm", "-dgm", "-dlr",
        "-dhm", "-drc", "-efm", "-dtk", "-dti", "-dhd", "-oyt", "-bblw", "-chf", "--gazelle_model", "-om", "-gm",
        "-cst", "-dah", "--gazelle_heatmap_alpha", "--disable_gazelle_heatmap",
    ],
)  # fmt: skip
def test_every_option_of_the_demos_has_a_line(option: str) -> None:
    assert re.search(rf"^\|.*`{option}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize("key", ["ESC", *"BNGPHKRTMA"])
def test_every_key_of_the_demos_has_a_line(key: str) -> None:
    assert re.search(rf"^\| (.*, )?{key} ", PAGE, re.MULTILINE)
