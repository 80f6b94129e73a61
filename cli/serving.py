"""Serve a run over HTTP while it goes on, where that was asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cli.plan import Plan
from cli.program import ROOT
from pipeline.config import RunConfig
from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.steers import OnlyTells, Steers
from pipeline.frames import Stream
from pipeline.graph import Graph
from pipeline.passes import TwoPasses
from pipeline.runtime import Runtime

OF_FILES = "the run: expected live streams, got a file, whose results depend on nothing but what it began with; end it"
OF_RECORDINGS = "the run: expected live streams, got a recording, which holds what happened; run the graph on cameras"


@dataclass(frozen=True)
class Serving:
    """Where runs are served, and what is needed to change them."""

    access: Access
    plan: Plan
    plan_again: Callable[[], Plan]
    """Reads graph, configuration and options again."""

    def around(self, run: Runtime | TwoPasses) -> AbstractContextManager[Address]:
        """Return a context in which a run is served.

        Raises:
            ConfigError: the address is taken.
        """
        from pipeline.control.server import serving  # brings packages that other runs do without

        return serving(self._steers(run), self.access, version())

    def _steers(self, run: Runtime | TwoPasses) -> Steers:
        if self.plan.replay:
            return OnlyTells(run.status, OF_RECORDINGS)
        if isinstance(run, TwoPasses) or not any(stream.live for stream in run.streams().values()):
            return OnlyTells(run.status, OF_FILES)
        from pipeline.control.steering import Steering

        plan = self.plan
        return Steering(run, plan.graph, plan.config, self._read, streams=plan.streams, root=ROOT)

    def _read(self) -> tuple[Graph, RunConfig, list[Stream]]:
        again = self.plan_again()
        return again.graph, again.config, again.streams


def version() -> str:
    """Return the version of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])
