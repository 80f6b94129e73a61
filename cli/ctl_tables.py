"""What a running graph tells of itself, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.progress import clock_text


def of_streams(content: dict[str, Any]) -> str:
    """Return the streams as a table."""
    return streams_table(content["streams"]) if content["streams"] else "no streams"


def of_run(run: dict[str, Any]) -> str:
    """Return everything about a run."""
    state = f"failed: {run['failed']}" if run["failed"] else "running" if run["running"] else "opening, or over"
    dropped: dict[str, int] = {}
    for causes in run["dropped"].values():
        for cause, count in causes.items():
            dropped[cause] = dropped.get(cause, 0) + count
    return "\n".join([
        f"{run['graph']}: {state} for {clock_text(run['elapsed_s'])}, {run['frames_out']} frames out, "
        f"dropped: {_counts(dropped)}",
        "",
        streams_table(run["streams"]) if run["streams"] else "no streams",
        "",
        nodes_table(run),
    ])  # fmt: skip


def of_health(both: dict[str, Any]) -> str:
    """Return whether a run goes on, whether frames come out, and why not."""
    lines = [f"{name}: {'yes' if told['ok'] else 'no'}" for name, told in both.items()]
    return "\n".join([*lines, *(f"  {reason}" for told in both.values() for reason in told["reasons"])])


def streams_table(streams: Sequence[dict[str, Any]]) -> str:
    """Return one line for each stream."""
    rows = [
        [
            each["id"],
            each["state"],
            clock_text(each["state_s"]),
            each["frames_in"],
            each["frames_out"],
            _counts(each["dropped"]),
            each["connections"],
            _lost(each),
            each["url"],
        ]
        for each in streams
    ]
    return table(["stream", "state", "since", "in", "out", "dropped", "connected", "lost", "url"], rows)


def nodes_table(run: dict[str, Any]) -> str:
    """Return one line for each node."""
    rows = []
    for node in run["nodes"]:
        frames, queue = max(node["frames"], 1), run["queues"].get(node["name"])
        rows.append([
            node["name"],
            node["frames"],
            node["rows"],
            f"{node['wall_s'] / frames * 1e3:.2f}",
            f"{node['cpu_s'] / frames * 1e3:.2f}",
            f"{queue['waiting']} of {queue['capacity']}" if queue else "",
        ])  # fmt: skip
    return table(["node", "frames", "rows", "ms/frame", "cpu ms", "waiting"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return lines in columns: text on the left, numbers on the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    right = [all(_is_number(row[column]) for row in cells[1:]) and len(cells) > 1 for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if on_right else cell.ljust(width)
            for cell, width, on_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in cells
    )


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{cause} {count}" for cause, count in counts.items()) or "none"


def _lost(stream: dict[str, Any]) -> str:
    again = f", next try in {stream['next_try_s']:.0f} s" if stream["next_try_s"] is not None else ""
    return _counts(stream["losses"]) + again
