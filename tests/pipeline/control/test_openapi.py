"""The OpenAPI description says what there is: paths, schemas that fit what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.http_api import HttpApi
from pipeline.control.openapi import REF, description
from pipeline.control.server import serving
from pipeline.errors import RefusedError
from tests.pipeline.control.asking import ask
from tests.pipeline.control.fake_run import DOOR, RUN, FakeRun

OPENAPI = description("1.2.3")
VERBS = ("get", "post", "patch", "delete")
OPERATIONS = {
    (verb.upper(), path): item[verb] for path, item in OPENAPI["paths"].items() for verb in VERBS if verb in item
}
RUN_NOW = FakeRun()


@pytest.fixture(scope="module")
def at() -> Iterator[Address]:
    with serving(RUN_NOW, Access(Address(port=0), None, ready_s=10.0), "1.2.3") as address:
        yield address


def schema(name: str) -> dict[str, Any]:
    return {"$ref": REF + name, "components": OPENAPI["components"]}


def test_it_describes_the_routes_that_exist() -> None:
    with ThreadPoolExecutor() as pool:
        routes = HttpApi(FakeRun(), Access(Address(), None, 10.0), "1", pool, pool).routes()

    assert {(method, path) for method, path, _ in routes} == set(OPERATIONS)


def test_its_references_lead_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(OPENAPI))):
        found: Any = OPENAPI
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]


@pytest.mark.parametrize("name", OPENAPI["components"]["schemas"])
def test_its_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(OPENAPI["components"]["schemas"][name])


def test_operations_have_what_the_standard_asks_for() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    for (_, path), operation in OPERATIONS.items():
        assert set(operation) <= {"operationId", "summary", "responses", "requestBody", "security", "parameters"}
        declared = [*OPENAPI["paths"][path].get("parameters", []), *operation.get("parameters", [])]
        assert re.findall(r"{(\w+)}", path) == [each["name"] for each in declared if each["in"] == "path"]
        for code, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d", code) and ("$ref" in response or response["description"])


@pytest.mark.parametrize(
    ("method", "path", "content", "name"),
    [
        ("GET", "/streams", None, "Streams"),
        ("POST", "/streams", {"id": "till", "url": "x.mp4"}, "StreamStatus"),
        ("GET", "/streams/door", None, "StreamStatus"),
        ("POST", "/streams/door/pause", None, "StreamStatus"),
        ("PATCH", "/config", {"a.b": 1}, "Changed"),
        ("POST", "/reload", None, "Changed"),
        ("GET", "/status", None, "RunStatus"),
        ("GET", "/health/live", None, "Health"),
        ("GET", "/health/ready", None, "Health"),
        ("GET", "/nothing", None, "Problem"),
        ("POST", "/streams", {}, "Problem"),
    ],
)
def test_answers_fit_their_schemas(method: str, path: str, content: Any, name: str, at: Address) -> None:
    RUN_NOW.begin_again()

    told = ask(at, method, path, content)

    jsonschema.Draft202012Validator(schema(name)).validate(told.json)
    described = OPERATIONS.get((method, path.replace("door", "{id}")))
    assert described is None or str(told.status) in described["responses"]


def test_bad_health_and_refusals_fit_theirs(at: Address) -> None:
    RUN_NOW.begin_again()
    RUN_NOW.told = replace(RUN, streams=(replace(DOOR, state="backing_off", next_try_s=1.0, last_out_s=None),))
    RUN_NOW.error = RefusedError("a.b: needs a restart")

    jsonschema.Draft202012Validator(schema("Health")).validate(ask(at, "GET", "/health/ready").json)
    jsonschema.Draft202012Validator(schema("RunStatus")).validate(ask(at, "GET", "/status").json)
    jsonschema.Draft202012Validator(schema("Problem")).validate(ask(at, "POST", "/reload").json)


def test_a_new_stream_is_described_by_its_values() -> None:
    new = OPENAPI["components"]["schemas"]["NewStream"]

    assert new["required"] == ["id", "url"] and {"id", "url", "aois", "max_fps"} <= set(new["properties"])
    jsonschema.Draft202012Validator(schema("NewStream")).validate(
        {"id": "till", "url": "rtsp://h/x", "aois": {"shelf": [[0, 0], [1, 0], [1, 1]]}}
    )


def test_it_is_served(at: Address) -> None:
    assert ask(at, "GET", "/openapi.json").json == json.loads(json.dumps(OPENAPI))
