"""What can go wrong, as types.

    PipelineError
    ├── ConfigError    a configuration, card or command line is wrong      (before anything runs, exit 2)
    ├── GraphError     a graph file is wrong                               (before anything runs, exit 2)
    ├── SourceError    a stream cannot be opened or read on
    ├── ModelError     a model file is missing or breaks its contract      (at open, exit 2)
    └── NodeError      a node failed on a tick

A message reads ``where: expected …, got …; what to do``: values with ``!r``, no full stop at the end.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Anything gazegraph tells its user; the message is one paragraph and names the cure."""


class ConfigError(PipelineError):
    """A configuration value, model card or command-line value is wrong."""


class GraphError(PipelineError):
    """A graph file is wrong."""


class SourceError(PipelineError):
    """A stream cannot be opened, or broke while it was read."""


class ModelError(PipelineError):
    """A model file is missing, changed, or does not keep the contract its card promises."""


class NodeError(PipelineError):
    """A node failed while it processed a tick; the cause is chained."""
