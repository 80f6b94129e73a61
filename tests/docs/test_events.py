"""What docs/events.md says of events is so: its examples, its words, its defaults and its way to read a log."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from nodes.measure_looks import Config as LooksConfig
from nodes.ops import cloud_events
from nodes.ops.cloud_events import Look, LookEvent
from nodes.write_events import Config as LogConfig
from pipeline.config import load_config
from tests.repository import ROOT

PAGE = (ROOT / "docs/events.md").read_text("utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
EXAMPLES = re.findall(r"```json\n(.*)\n```", SECTIONS["An event"])


def test_there_is_one_example_of_each_kind() -> None:
    events = [cloud_events.decode(line.encode()) for line in EXAMPLES]

    assert [event.type for event in events] == list(cloud_events.TYPES.values())
    assert len({event.data.visit for event in events[:3]}) == 1


@pytest.mark.parametrize("line", EXAMPLES, ids=list(cloud_events.TYPES))
def test_examples_are_what_the_program_writes(line: str) -> None:
    schema = json.loads((ROOT / "docs/event.schema.json").read_text("utf-8"))
    event = cloud_events.decode(line.encode())
    shop = load_config(ROOT / "configs/retail.yaml").streams["shop"]

    jsonschema.Draft202012Validator(schema).validate(json.loads(line))
    assert cloud_events.encode(event) == line.encode()
    assert event.source == "retail/shop" and event.data.target in shop.aois
    assert event.id.partition(f"{event.data.visit}/")[2].split("/")[0] == event.type.rpartition(".")[2]
    assert event.time == cloud_events.rfc3339(round(event.data.known_s * 1e9))
    assert sorted(event.data.models) == sorted(path.stem for path in (ROOT / "configs/models").glob("*-shop-480.yaml"))


def test_all_members_of_an_event_are_explained() -> None:
    rows = "".join(re.findall(r"^\| (`.*?) \|", SECTIONS["An event"], re.MULTILINE))
    envelope = [name for name in LookEvent.__struct_fields__ if name != "data"]

    assert set(re.findall(r"`(.+?)`", rows)) == {*envelope, *(f"data.{name}" for name in Look.__struct_fields__)}


def test_all_types_and_reasons_are_explained() -> None:
    told = re.findall(r"^\| `(\w+)` \| `(?:ended|retracted)` \|", SECTIONS["The life of a visit"], re.MULTILINE)

    assert ["", *told] == list(get_args(cloud_events.Reason))
    assert re.findall(r"^\| `(io\..*?)`", SECTIONS["The life of a visit"], re.MULTILINE) == list(
        cloud_events.TYPES.values()
    )


def test_defaults_are_those_of_the_nodes() -> None:
    said = re.findall(r"`(\w+_s)` \(([\d.]+) s\)", PAGE)

    assert len(said) >= 5
    assert {name: float(number) for name, number in said} == {name: getattr(LooksConfig(), name) for name in dict(said)}
    assert {"rotate_mb", "rotate_s", "fsync"} <= set(LogConfig.model_fields)
    assert set(re.findall(r"`log\.(\w+)", PAGE)) == {"rotate_mb", "rotate_s", "fsync"}


def test_a_log_can_be_read_as_the_page_says(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", SECTIONS["Reading a log"], re.DOTALL)
    log = tmp_path / "out/retail/shop/events.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"{line}\n" for line in EXAMPLES))

    assert code
    done = subprocess.run([sys.executable, "-c", code[1]], cwd=tmp_path, capture_output=True, text=True, check=True)

    first = json.loads(EXAMPLES[0])
    look = first["data"]
    assert len(done.stdout.splitlines()) == len(EXAMPLES)
    assert done.stdout.splitlines()[0] == f"{first['time']} started {look['track']} {look['target']} {look['dwell_s']}"


def test_pages_that_it_points_to_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)(.+?)\)", PAGE)

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
