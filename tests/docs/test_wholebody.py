"""What docs/wholebody.md shows is what ships."""

from __future__ import annotations

import re

import yaml

from nodes.estimate_distance import Config
from pipeline.streams import StreamConfig
from tests.repository import ROOT

PAGE = (ROOT / "docs/wholebody.md").read_text("utf-8")
GRAPH = yaml.safe_load((ROOT / "graphs/wholebody.yaml").read_text("utf-8"))
BLOCKS = [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?m)(?:^    .*\n)+", PAGE)]


def test_the_lines_of_the_page_are_those_of_the_graph() -> None:
    wired = yaml.safe_load(next(block for block in BLOCKS if block.startswith("parts:")))

    assert len(wired) == 8
    assert {name: GRAPH[name] for name in wired} == wired


def test_the_camera_of_the_page_is_one() -> None:
    streams = yaml.safe_load(next(block for block in BLOCKS if block.startswith("streams:")))["streams"]

    assert StreamConfig(**streams["door"]).hfov_deg == 78


def test_sizes_of_heads_are_those_that_are_taken() -> None:
    config = Config()

    sizes = f"{config.head_width_m}, {config.head_depth_m} and {config.head_height_m} m"
    assert sizes in PAGE
