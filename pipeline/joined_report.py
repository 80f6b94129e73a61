"""One report of a run in two passes: what each node did stands in it once, what it cost is added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipeline.report import NodeReport, RunReport


def joined(order: Iterable[str], first: RunReport, second: RunReport, read_again: bool) -> RunReport:
    """Return the report of both passes.

    Frames are counted once: those of a node that ran in both, the source, are those that the pass counted which read
    them last.

    Args:
        order: names of the nodes, as in the graph.
        first: of the pass down to the cut.
        second: of the pass from there on.
        read_again: whether the second pass read the source, too; else it went by what the first had written down.
    """
    source = next(node.name for node in second.nodes if any(node.name == other.name for other in first.nodes))
    known = {node.name: node for node in first.nodes} | {node.name: node for node in second.nodes}
    pair = [next(node for node in each.nodes if node.name == source) for each in (first, second)]
    known[source] = _added(*(pair if read_again else reversed(pair)))
    edges = {**first.edges, **second.edges}
    if not read_again and source in first.edges:
        edges[source] = first.edges[source]
    status = "failed" if "failed" in (first.status, second.status) else second.status
    errors = [each.error for each in (first, second) if each.error]
    return replace(
        second,
        status=status,
        error="\n".join(dict.fromkeys(errors)) or None,
        bad_input=first.bad_input or second.bad_input,
        elapsed_s=first.elapsed_s + second.elapsed_s,
        nodes=tuple(known[name] for name in order if name in known),
        edges={name: edges[name] for name in order if name in edges},
        dropped=_dropped(edges),
        queues={**first.queues, **second.queues},
        node_cpu_s=first.node_cpu_s + second.node_cpu_s,
        engine_cpu_s=first.engine_cpu_s + second.engine_cpu_s,
        crossed=_crossed(first.crossed, second.crossed),
    )


def with_costs(report: RunReport, name: str, wall_s: float, cpu_s: float) -> RunReport:
    """Return a report in which a node has cost that much more."""
    nodes = tuple(_costlier(node, wall_s * 1e3, cpu_s * 1e3) if node.name == name else node for node in report.nodes)
    return replace(report, nodes=nodes, elapsed_s=report.elapsed_s + wall_s, node_cpu_s=report.node_cpu_s + cpu_s)


def _crossed(first: dict[str, dict[str, int]], second: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Return what crossed between host and device in both passes."""
    both = {way: Counter(first.get(way, {})) + Counter(second.get(way, {})) for way in {**first, **second}}
    return {way: dict(row) for way, row in both.items()}


def _added(before: NodeReport, last: NodeReport) -> NodeReport:
    """Return what a node did in the pass that counts, with what it cost in both."""
    frames = max(before.frames, 1)
    return _costlier(last, before.wall_ms_per_frame * frames, before.cpu_ms_per_frame * frames)


def _costlier(node: NodeReport, wall_ms: float, cpu_ms: float) -> NodeReport:
    frames = max(node.frames, 1)
    return replace(
        node,
        wall_ms_per_frame=node.wall_ms_per_frame + wall_ms / frames,
        cpu_ms_per_frame=node.cpu_ms_per_frame + cpu_ms / frames,
    )


def _dropped(edges: dict[str, Any]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for account in edges.values():
        total.update(account["dropped"])
    return {cause: count for cause, count in sorted(total.items()) if count}
