"""What can go wrong, as types.

    PipelineError
    ├── ConfigError    a configuration, card or command line is wrong      (before anything runs, exit 2)
    │   ├── UnknownStreamError   a running graph has no such stream
    │   └── RefusedError         a running graph cannot change that
    ├── GraphError     a graph file is wrong                               (before anything runs, exit 2)
    ├── SourceError    a stream cannot be opened or read on
    ├── ModelError     a model file is missing or breaks its contract      (at open, exit 2)
    ├── FetchError     a model file cannot be fetched                      (before anything runs, exit 1)
    └── NodeError      a node failed on a tick

A message reads ``where: expected …, got …; what to do``: values with ``!r``, no full stop at the end.
"""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "refused", "not_found", "unauthorised", "unreachable", "timeout", "tls", "codec", "corrupt", "ended", "failed"
]
"""Why a stream cannot be read, as one word: nobody listens; no such path there; wrong user or password; no way to the
host; no answer or no data in time; no secure connection; nobody here decodes it; bytes that make no sense; the sender
hung up; anything else."""


class PipelineError(Exception):
    """Anything gazegraph tells its user; the message is one paragraph and names the cure."""


class ConfigError(PipelineError):
    """A configuration value, model card or command-line value is wrong."""


class UnknownStreamError(ConfigError):
    """A running graph has no stream of that id."""


class RefusedError(ConfigError):
    """What is asked of a running graph can only be had by a restart; one line for each reason."""


class GraphError(PipelineError):
    """A graph file is wrong."""


class SourceError(PipelineError):
    """A stream cannot be opened, or broke while it was read; `reason` says why in one word."""

    def __init__(self, message: str, reason: Reason = "failed") -> None:
        super().__init__(message)
        self.reason: Reason = reason


class ModelError(PipelineError):
    """A model file is missing, changed, or does not keep the contract its card promises."""


class FetchError(PipelineError):
    """A model file cannot be had from where it should come."""


class NodeError(PipelineError):
    """A node failed while it processed a tick; the cause is chained."""
