"""The HTTP API described in OpenAPI 3.1; schemas of what a run tells are those of the types themselves."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pipeline.control.problems import JSON, PROBLEM
from pipeline.status import RunStatus
from pipeline.streams import StreamConfig

REF = "#/components/schemas/"
PLACE = REF + "{model}"
ALWAYS = (401, 403, 500)
"""Errors that anything may be answered with."""
ERRORS = {
    400: "A value is wrong; nothing was changed",
    401: "The token is missing or another one",
    403: "A web page of others asks",
    404: "There is no such stream",
    408: "The body came too slowly",
    409: "That can only be had by a restart, or not now; nothing was changed",
    413: "The body is too large",
    415: "The body is not said to be JSON",
    422: "The JSON has another form than is expected",
    500: "Something failed here; the log says what",
}
BODY = (400, 408, 413, 415, 422)
"""Errors of whatever has a body."""
STREAM = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Id of the stream",
}  # fmt: skip


def description(version: str) -> dict[str, Any]:
    """Return the OpenAPI document of this version of gazegraph."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "gazegraph",
            "version": version,
            "description": "Watch and steer a graph while it runs. Changes are taken up between two ticks.",
        },
        "security": [{}, {"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
            "responses": {
                _name(code): {"description": text, "content": {PROBLEM: {"schema": {"$ref": f"{REF}Problem"}}}}
                for code, text in ERRORS.items()
            },
        },
    }


def _paths() -> dict[str, Any]:
    stream, changed = _json("StreamStatus"), _json("Changed")
    asked = {
        "name": "stream", "in": "query", "schema": {"type": "string"}, "description": "Ask for this stream alone",
    }  # fmt: skip
    return {
        "/streams": {
            "get": _verb("listStreams", "List all streams", {200: ("All streams", _json("Streams"))}),
            "post": _verb(
                "addStream", "Begin to read a stream", {201: ("It is added", stream)}, (*BODY, 409), body="NewStream"
            ),
        },
        "/streams/{id}": {
            "parameters": [STREAM],
            "get": _verb("getStream", "Tell of one stream", {200: ("The stream", stream)}, (404,)),
            "delete": _verb("removeStream", "End a stream and forget it", {204: ("It is gone", None)}, (404, 409)),
        },
        "/streams/{id}/pause": {
            "parameters": [STREAM],
            "post": _verb("pauseStream", "Stop reading a stream", {200: ("The stream", stream)}, (404, 409)),
        },
        "/streams/{id}/resume": {
            "parameters": [STREAM],
            "post": _verb("resumeStream", "Read a stream again", {200: ("The stream", stream)}, (404, 409)),
        },
        "/config": {
            "patch": _verb(
                "configure",
                "Change values by dotted path, all or none",
                {200: ("What changed", changed)},
                (*BODY, 404, 409),
                body="Values",
            ),
        },
        "/reload": {
            "post": _verb(
                "reload", "Apply what changed in the configuration", {200: ("What changed", changed)}, (400, 409)
            ),
        },
        "/status": {"get": _verb("getStatus", "Tell everything", {200: ("The run", _json("RunStatus"))})},
        "/health/live": {
            "get": _verb(
                "live",
                "Tell whether the run goes on",
                {200: ("It does", _json("Health")), 503: ("It does not", _json("Health"))},
                is_open=True,
            ),
        },
        "/health/ready": {
            "get": _verb(
                "ready",
                "Tell whether frames of every stream come out of the graph",
                {200: ("They do", _json("Health")), 503: ("Some do not", _json("Health"))},
                (404,),
                is_open=True,
            )
            | {"parameters": [asked]},
        },
        "/metrics": {
            "get": _verb(
                "metrics",
                "Answer a scrape by Prometheus",
                {200: ("Text format 0.0.4", {"text/plain": {"schema": {"type": "string"}}})},
            ),
        },
        "/openapi.json": {
            "get": _verb("describe", "Return this", {200: ("OpenAPI 3.1", {JSON: {"schema": {"type": "object"}}})}),
        },
    }


def _verb(
    name: str,
    summary: str,
    answers: dict[int, tuple[str, dict[str, Any] | None]],
    errors: tuple[int, ...] = (),
    *,
    body: str = "",
    is_open: bool = False,
) -> dict[str, Any]:
    """Return an operation; `body` is the schema of what is sent, and what `is_open` asks for no token."""
    told = {
        str(code): {"description": text} | ({"content": content} if content else {})
        for code, (text, content) in answers.items()
    }
    refused = {
        str(code): {"$ref": f"#/components/responses/{_name(code)}"}
        for code in sorted({*errors, *ALWAYS} - ({401} if is_open else set()))
    }
    return {
        "operationId": name,
        "summary": summary,
        "responses": told | refused,
        **({"requestBody": {"required": True, "content": _json(body)}} if body else {}),
        **({"security": [{}]} if is_open else {}),
    }


def _json(schema: str) -> dict[str, Any]:
    return {JSON: {"schema": {"$ref": REF + schema}}}


def _name(code: int) -> str:
    return f"Error{code}"


@cache
def _schemas() -> dict[str, Any]:
    """Return all schemas by name."""
    run = TypeAdapter(RunStatus).json_schema(mode="serialization", ref_template=PLACE)
    values = StreamConfig.model_json_schema(ref_template=PLACE)
    found = {**run.pop("$defs"), **values.pop("$defs")}
    text = {"type": "string"}
    texts = {"type": "array", "items": text}
    with_id = {"id": text, **values["properties"]}
    stream_health = _closed(
        ready={"type": "boolean"},
        state={"type": "string"},
        last_out_s={"type": ["number", "null"]},
        reason={"type": ["string", "null"]},
    )
    return {
        **found,
        "Area": {"anyOf": [found["Area"], found["Area"]["properties"]["polygon"]]},  # see Area: bare lists are taken
        "RunStatus": run,
        "NewStream": {**values, "title": "NewStream", "properties": with_id, "required": ["id", "url"]},
        "Streams": _closed(streams={"type": "array", "items": {"$ref": f"{REF}StreamStatus"}}),
        "Values": {
            "type": "object",
            "minProperties": 1,
            "description": "By dotted path, such as looks.min_look_s or streams.door.aois.shelf; null removes an area",
        },
        "Changed": _closed(changed=texts),
        "Health": _closed(
            ok={"type": "boolean"},
            reasons=texts,
            streams={"type": "object", "additionalProperties": stream_health},
        ),
        "Problem": _closed(title=text, detail=text, reasons=texts),
    }


def _closed(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
