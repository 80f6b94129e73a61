"""The HTTP API: what it answers at which path. It knows a run only through `Steers`."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipeline.control import health
from pipeline.control.access import Access
from pipeline.control.bodies import read_object
from pipeline.control.guard import Guard
from pipeline.control.metrics import exposition
from pipeline.control.openapi import description
from pipeline.control.plain import of_run, of_stream, stream_of
from pipeline.control.problems import Problem, answer
from pipeline.control.process import process_figures
from pipeline.control.steers import Steers
from pipeline.errors import ConfigError, UnknownStreamError

logger = logging.getLogger(__name__)

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class HttpApi:
    """Answers requests about one run; changes are made one after another."""

    def __init__(self, run: Steers, access: Access, version: str, reading: Executor, changing: Executor) -> None:
        """Take the run, what is asked of who asks, our version, and what runs calls that may block."""
        self._run = run
        self._access = access
        self._version = version
        self._reading = reading
        self._changing = changing

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return method, path and answer of all there is."""
        return [
            ("GET", "/streams", self.streams),
            ("POST", "/streams", self.add),
            ("GET", "/streams/{id}", self.stream),
            ("DELETE", "/streams/{id}", self.remove),
            ("POST", "/streams/{id}/pause", self.pause),
            ("POST", "/streams/{id}/resume", self.resume),
            ("PATCH", "/config", self.configure),
            ("POST", "/reload", self.reload),
            ("GET", "/status", self.status),
            ("GET", "/health/live", self.live),
            ("GET", "/health/ready", self.ready),
            ("GET", "/metrics", self.metrics),
            ("GET", "/openapi.json", self.openapi),
        ]

    def app(self) -> ASGIApp:
        """Return the API as an ASGI application."""
        by_path: dict[str, dict[str, Handler]] = {}
        for method, path, handle in self.routes():
            by_path.setdefault(path, {})[method] = handle
        routes = [Route(path, _answering(handlers), methods=list(handlers)) for path, handlers in by_path.items()]
        app = Starlette(routes=routes, exception_handlers={HTTPException: _not_there})
        app.router.redirect_slashes = False
        return Guard(app, self._access)

    async def streams(self, request: Request) -> Response:
        """List all streams."""
        status = await self._read(self._run.status)
        return answer({"streams": [of_stream(stream) for stream in status.streams]})

    async def stream(self, request: Request) -> Response:
        """Tell of one stream."""
        return answer(of_stream(stream_of(await self._read(self._run.status), request.path_params["id"])))

    async def add(self, request: Request) -> Response:
        """Begin to read a stream."""
        values = await read_object(request)
        stream_id = values.pop("id", None)
        wrong = [
            f"{key}: expected text, got {'nothing' if value is None else 'something else'}"
            for key, value in (("id", stream_id), ("url", values.get("url")))
            if not isinstance(value, str)
        ]
        if wrong:
            raise Problem(422, *wrong)
        assert isinstance(stream_id, str)
        await self._change(self._run.add, stream_id, values)
        return await self._told(stream_id, 201, {"Location": f"/streams/{quote(stream_id)}"})

    async def remove(self, request: Request) -> Response:
        """End a stream and forget it."""
        await self._change(self._run.remove, request.path_params["id"])
        return Response(status_code=204)

    async def pause(self, request: Request) -> Response:
        """Stop reading a stream, but keep it."""
        await self._change(self._run.pause, request.path_params["id"])
        return await self._told(request.path_params["id"])

    async def resume(self, request: Request) -> Response:
        """Read a paused stream again."""
        await self._change(self._run.resume, request.path_params["id"])
        return await self._told(request.path_params["id"])

    async def configure(self, request: Request) -> Response:
        """Change values by dotted path."""
        values = await read_object(request)
        if not values:
            raise Problem(422, 'body: expected values by dotted path, such as {"looks.min_look_s": 0.5}, got none')
        return _changed(await self._change(self._run.configure, values))

    async def reload(self, request: Request) -> Response:
        """Read the configuration again and apply what changed."""
        return _changed(await self._change(self._run.reload))

    async def status(self, request: Request) -> Response:
        """Tell everything."""
        return answer(of_run(await self._read(self._run.status)))

    async def live(self, request: Request) -> Response:
        """Tell whether the run goes on."""
        told = health.live(await self._read(self._run.status))
        return answer(told.to_dict(), 200 if told.ok else 503)

    async def ready(self, request: Request) -> Response:
        """Tell whether frames of every stream, or of the one asked for, come out of the graph."""
        status = await self._read(self._run.status)
        told = health.ready(status, self._access.ready_s, request.query_params.get("stream"))
        return answer(told.to_dict(), 200 if told.ok else 503)

    async def metrics(self, request: Request) -> Response:
        """Answer a scrape by Prometheus."""
        return Response(await self._read(self._exposition), media_type=METRICS_TYPE)

    async def openapi(self, request: Request) -> Response:
        """Describe the API."""
        return answer(description(self._version))

    def _exposition(self) -> bytes:
        return exposition(self._run.status(), process_figures(), self._version, platform.python_version())

    async def _told(self, stream_id: str, code: int = 200, headers: dict[str, str] | None = None) -> Response:
        """Return what is known of a stream that was just changed; its id alone when it is gone already."""
        try:
            told = of_stream(stream_of(await self._read(self._run.status), stream_id))
        except UnknownStreamError:
            told = {"id": stream_id}
        return answer(told, code, headers)

    async def _read(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, call, *args)

    async def _change(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._changing, call, *args)


def _changed(paths: list[str]) -> Response:
    """Answer which values changed, and log it."""
    logger.info("changed: %s", ", ".join(paths) or "nothing", extra={"fields": {"changed": paths}})
    return answer({"changed": paths})


def _answering(handlers: dict[str, Handler]) -> Handler:
    """Return what calls the handler of a method, and whose errors are answers, too."""

    async def handled(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            response = await handlers[method](request)
        except Problem as problem:
            return problem.response()
        except ConfigError as error:
            return Problem.of(error).response()
        except Exception:
            logger.exception("%s %s: failed", method, request.url.path)
            return Problem(500, "the graph goes on, but this could not be answered; its log says why").response()
        if method != "GET":
            logger.info("%s %s: done", method, request.url.path, extra={"fields": {"status": response.status_code}})
        return response

    return handled


async def _not_there(request: Request, error: Exception) -> Response:
    """Answer for paths and methods that are none of ours."""
    status, headers = getattr(error, "status_code", 500), getattr(error, "headers", None)
    path = request.url.path
    reason = (
        f"{path}: expected a path of this API, got none of them; GET /openapi.json lists them"
        if status == 404
        else f"{path}: does not know {request.method}"
    )
    return Problem(status, reason, headers=headers).response()
