"""Run the nodes of one stage on one tick after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.dropping import drop_failing, renumbered
from pipeline.ledger import Ledger
from pipeline.running import RunningNode, explained
from pipeline.tick import Tick


@dataclass(frozen=True)
class Policy:
    """What happens when a node fails on a tick."""

    drop: bool
    """True: the failing stream's frames leave the tick and the run goes on. False: the run stops."""
    after_node: Callable[[str, Tick], None] = lambda name, tick: None
    """Called with each node's name when its slot is filled: where edges are recorded."""


def run_stage(running: list[RunningNode], tick: Tick, policy: Policy, ledger: Ledger) -> Tick:
    """Return the tick with a slot for every node of the stage.

    Raises:
        NodeError: a node failed and the policy is to stop.
        PipelineError: an edge could not be recorded.
    """
    for one in running:
        name, cause = one.spec.name, f"error:{one.spec.name}"
        tick = renumbered(tick, one.restarts)
        before, came = tick.frames.stream_id, len(tick.frames)
        ledger.came(name, came)
        try:
            tick, dropped = _applied(one, tick, policy)
            policy.after_node(name, tick)
        except BaseException:
            ledger.dropped(name, cause, came)
            ledger.lost(before, (), cause)
            raise
        if dropped:
            ledger.dropped(name, cause, dropped)
            ledger.lost(before, tick.frames.stream_id, cause)
        ledger.went(name, came - dropped)
    return tick


def _applied(one: RunningNode, tick: Tick, policy: Policy) -> tuple[Tick, int]:
    """Return the tick after a node, and how many frames the node dropped."""
    try:
        value = one.call(tick)
    except BaseException as error:  # a node that calls sys.exit() must not leave the other threads waiting
        failure = explained(one.spec, tick, error)
        if policy.drop:
            return drop_failing(one, tick, failure)
        raise failure from error
    if one.failures:
        for stream_id in tick.streams():
            one.failures.pop(stream_id, None)
    return one.filled(tick, value), 0
