"""Serve a run over HTTP while it goes on, if that was asked for."""

from __future__ import annotations

import tomllib
from contextlib import AbstractContextManager

from cli.plan import Plan
from cli.program import ROOT
from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.steers import OnlyTells, Steers
from pipeline.frames import Stream
from pipeline.passes import TwoPasses
from pipeline.runtime import Runtime

OF_FILES = "the run: expected live streams, got a file, whose results depend on nothing but what it began with; end it"


def served(
    run: Runtime | TwoPasses, plan: Plan, streams: list[Stream], open_to: Access
) -> AbstractContextManager[Address]:
    """Return a context in which a run is served.

    Raises:
        ConfigError: the address is taken.
    """
    from pipeline.control.server import serving  # brings packages that other runs do without

    return serving(_steers(run, plan, streams), open_to, version())


def version() -> str:
    """Return the version of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def _steers(run: Runtime | TwoPasses, plan: Plan, streams: list[Stream]) -> Steers:
    return OnlyTells(run.status, OF_FILES)
