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

from nodes.measure_attention import Config as MeasuresConfig
from nodes.measure_looks import Config as LooksConfig
from nodes.ops import cloud_events, measure_events
from nodes.ops.attention import STREAM
from nodes.ops.attention_measures import Tally, figures
from nodes.ops.cloud_events import Look, LookEvent
from nodes.ops.measure_events import Figure, MeasureEvent, Report
from nodes.write_events import Config as LogConfig
from pipeline.config import load_config
from pipeline.streams import StreamConfig
from pipeline.yaml_source import parse_yaml
from tests.repository import ROOT

PAGE = (ROOT / "docs/events.md").read_text("utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
EXAMPLES = re.findall(r"```json\n(.*)\n```", SECTIONS["An event"])


def defaults(text: str) -> dict[str, float]:
    """Return what is said to be the value of settings: `name_s` (2 s)."""
    return {name: float(number) for name, number in re.findall(r"`(\w+_s)` \(([\d.]+) s\)", text)}


def test_areas_can_be_written_as_the_page_writes_them() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTIONS["What is looked at"], re.DOTALL)

    areas = StreamConfig(url="a.mp4", **parse_yaml(block, "page").data).aois

    assert {name: (len(area.holes), area.level) for name, area in areas.items()} == {
        "window": (1, 0),
        "shelf": (0, 0),
        "stand": (0, 1),
    }


def test_the_table_of_probabilities_marks_the_default() -> None:
    (marked,) = re.findall(r"\| `enter_score` \|.*\*\*(\S+)\*\*", SECTIONS["What is looked at"])

    assert float(marked) == LooksConfig().enter_score


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
    of_looks = defaults(PAGE.replace(SECTIONS["Measures"], ""))
    of_measures = defaults(SECTIONS["Measures"])

    assert len(of_looks) >= 5
    assert of_looks == {name: getattr(LooksConfig(), name) for name in of_looks}
    assert of_measures == MeasuresConfig().model_dump()
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


FORMULAS = [
    [cell.strip() for cell in row.split("|")]
    for row in re.findall(r"^\| `([a-z_]+\.\d+`.*) \|$", SECTIONS["Measures"], re.MULTILINE)
]
"""id, of what, unit, definition, when it is left out."""


def full() -> Tally:
    """Return a tally from which every figure can be made."""
    made = Tally()
    for target in (STREAM, "tea"):
        made.first_looks_ns[target].append(1)
        made.sums.update({(of, target, ""): 1 for of in ("ots", "watchers", "visits", "fixations")})
    made.sums["transitions", "tea", "tea"] = 1
    return made


def test_each_figure_has_its_formula_in_the_order_of_a_report() -> None:
    said = [id.strip("`") for id, *_ in FORMULAS]
    made = figures(full(), ["tea"], 1)

    assert {figure.measure for figure in made} == set(said) and len(said) == len(set(said))
    for target in ("", "tea"):
        measures = [figure.measure for figure in made if figure.target == target]
        assert measures == sorted(measures, key=said.index)
    for id, of, *_ in FORMULAS:
        targets = {(bool(figure.target), bool(figure.to)) for figure in made if figure.measure == id.strip("`")}
        kinds = {"stream": (False, False), "target": (True, False), "two targets": (True, True)}
        assert targets == {kinds[kind] for kind in of.split(", ")}, id


def test_figures_are_left_out_when_the_page_says_so() -> None:
    never = [id.strip("`") for id, _, _, _, left_out in FORMULAS if not left_out]

    assert {figure.measure for figure in figures(Tally(), ["tea"], 0)} == set(never)


def test_units_are_in_the_names_of_figures() -> None:
    units = {id.strip("`"): unit for id, _, unit, *_ in FORMULAS}

    assert {id for id, unit in units.items() if unit == "s"} == {id for id in units if id.endswith("_s.1")}


MEASURES = "".join(re.findall(r"```json\n(.*)\n```", SECTIONS["Measures"]))


def test_the_example_of_measures_is_what_the_program_writes() -> None:
    schema = json.loads((ROOT / "docs/measure.schema.json").read_text("utf-8"))
    event = measure_events.decode(MEASURES.encode())
    report = event.data

    jsonschema.Draft202012Validator(schema).validate(json.loads(MEASURES))
    assert measure_events.encode(event) == MEASURES.encode()
    bounds = f"{report.start_s * 1e9:.0f}/{report.end_s * 1e9:.0f}"
    assert event.id == f"{report.stream}/{report.generation}/{report.span}/{bounds}/{report.revision}"
    assert (event.source, event.subject, event.type) == ("retail/shop/measures", "whole", "io.gazegraph.measure.window")
    assert event.time == cloud_events.rfc3339(round(report.known_s * 1e9))
    assert sorted(report.models) == sorted(path.stem for path in (ROOT / "configs/models").glob("*-shop-480.yaml"))
    assert {figure.measure for figure in report.figures} == {id.strip("`") for id, *_ in FORMULAS}


def test_the_figures_of_the_example_agree_with_their_formulas() -> None:
    report = measure_events.decode(MEASURES.encode()).data
    value = {(figure.measure.removesuffix(".1"), figure.target): figure.value for figure in report.figures}
    steps = [figure for figure in report.figures if figure.measure == "transitions.1"]
    targets = sorted({target for _, target in value} - {""})

    assert targets == ["cereal", "coffee"]
    for target in ("", *targets):
        assert value["conversion", target] == pytest.approx(value["watchers", target] / value["ots", ""])
        assert value["visit_mean_s", target] == pytest.approx(value["attention_s", target] / value["visits", target])
        assert value["revisits", target] == value["visits", target] - sum(
            value["watchers", one] for one in targets if target in ("", one)
        )
    for name in ("attention_s", "visits", "glances", "fixations", "looking_now"):
        assert value[name, ""] == pytest.approx(sum(value[name, target] for target in targets))
    for target in targets:
        share = value["first_looks", target] / value["watchers", ""]
        assert value["first_look_share", target] == pytest.approx(share)
        arrived = value["first_looks", target] + sum(step.value for step in steps if step.to == target)
        assert arrived == value["visits", target]


def test_all_members_of_a_measure_event_are_explained() -> None:
    _, _, after = SECTIONS["Measures"].partition("| field |")
    rows = "".join(re.findall(r"^\| (`.*?) \|", after, re.MULTILINE))
    envelope = [name for name in MeasureEvent.__struct_fields__ if name != "data"]

    members = {*envelope, *(f"data.{name}" for name in Report.__struct_fields__), *Figure.__struct_fields__}
    assert set(re.findall(r"`(.+?)`", rows)) == members


def test_pages_that_it_points_to_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)(.+?)\)", PAGE)

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
