"""What docs/live_api.md says is so: its verbs, errors, metrics, rules and log lines."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import yaml

from cli import ctl
from cli.log_format import OWN
from pipeline.control.access import LONGEST, SHORTEST, VARIABLE, Access
from pipeline.control.address import Address
from pipeline.control.bodies import MAX_BYTES, WITHIN_S
from pipeline.control.health import Health
from pipeline.control.http_api import HttpApi
from pipeline.control.metrics import METRICS, PREFIX
from pipeline.control.openapi import ERRORS
from pipeline.control.problems import problem_document
from pipeline.control.server import MOST_AT_ONCE
from pipeline.errors import Reason
from pipeline.settings import EngineConfig
from pipeline.status import StreamState
from tests.pipeline.control.fake_run import FakeRun
from tests.repository import ROOT

PAGE = (ROOT / "docs/live_api.md").read_text("utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])


def rows(section: str) -> list[list[str]]:
    """Return the cells of the tables of a section, without their heads."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| ")]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:] if not set(line) <= set("|- ")
    ]


def test_all_routes_are_named() -> None:
    with ThreadPoolExecutor() as pool:
        routes = HttpApi(FakeRun(), Access(Address(), None, 10.0), "1", pool, pool).routes()

    told = re.findall(r"`([A-Z]+) (/[^`]*)`", SECTIONS["Verbs"])

    assert set(told) == {(method, path) for method, path, _ in routes}


def test_verbs_can_be_typed() -> None:
    parser = ctl._parser()
    typed = re.findall(r"run_graph\.py ctl ([^\n]*)", PAGE)

    assert len(typed) >= 5
    for words in typed:
        assert parser.parse_args(re.sub(r"'[^']*'", "x", words).split("  ")[0].split()).act


def test_all_errors_are_named() -> None:
    told = [int(cells[0]) for cells in rows("Errors")]

    assert told == sorted({*ERRORS, 405, 503})
    assert f"{MAX_BYTES >> 20} MiB" in SECTIONS["Errors"] and f"within {WITHIN_S:.0f} s" in SECTIONS["Errors"]
    assert f"when {MOST_AT_ONCE} connections" in SECTIONS["Errors"]


def test_examples_of_answers_have_their_form() -> None:
    (error,) = re.findall(r"```json\n(.*?)```", SECTIONS["Errors"], re.DOTALL)
    (health,) = re.findall(r"```json\n(.*?)```", SECTIONS["Health"], re.DOTALL)

    assert json.loads(error) == problem_document(409, json.loads(error)["reasons"])
    assert Health(**json.loads(health)).to_dict() == json.loads(health)


def test_all_metrics_are_told_with_type_and_labels() -> None:
    told = [
        (cells[0].strip("`"), cells[1], tuple(re.findall(r"`(\w+)`", cells[2])), cells[3]) for cells in rows("Metrics")
    ]

    assert told == [(PREFIX + metric.name, metric.kind, metric.labels, metric.text) for metric in METRICS]


def test_rules_name_metrics_that_exist() -> None:
    prometheus, rules = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    names = {PREFIX + metric.name for metric in METRICS}
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]

    assert prometheus["scrape_configs"][0]["static_configs"]
    assert len(expressions) == 4
    for expression in expressions:
        used = {name.removesuffix("_bucket") for name in re.findall(r"gazegraph_\w+", expression)}
        assert used and used <= names
        for states in re.findall(r'state=~"([^"]+)"', expression):
            assert set(states.split("|")) <= set(get_args(StreamState))


def test_words_are_those_of_the_engine() -> None:
    states, reasons = re.findall(r"\*\*(?:States|Reasons)\*\* of a \w+ are(.*?)\.\s", PAGE, re.DOTALL)

    assert tuple(re.findall(r"`(\w+)`", states)) == get_args(StreamState)
    assert tuple(re.findall(r"`(\w+)`", reasons)) == get_args(Reason)


def test_defaults_are_those_of_the_program() -> None:
    assert f"`engine.ready_s` ({EngineConfig().ready_s:.0f} s)" in PAGE
    assert f"listens at `{Address().host}:{Address().port}`" in PAGE
    assert f"It has {SHORTEST} to {LONGEST} letters" in PAGE and VARIABLE in PAGE


def test_members_of_log_lines_are_told() -> None:
    (line,) = re.findall(r"```json\n(.*)\n```", SECTIONS["Logs"])

    assert tuple(json.loads(line))[: len(OWN)] == OWN
    assert [cells[0].strip("`") for cells in rows("Logs")] == [*OWN, "exception", "others"]
