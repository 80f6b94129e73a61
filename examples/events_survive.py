#!/usr/bin/env python3
"""Kill the retail graph and a listener while events flow, and show that nothing is lost: `make example-events`.

    python -m examples.events_survive [FOLDER]

The graph runs once in peace. Then it publishes to `examples/listener.py`, which keeps what it hears in a file; the
listener, the graph and both are killed (kill -9) and started again. At last the graph runs once more with the log that
it has by then: the listener must hear nothing twice, and a second one, which comes late, gets everything out of that
log. All files stay in FOLDER (default: out/example-events). Exit codes: 0 no gaps, no duplicates; 1 some; 2 it failed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

from benchmarks.event_pair import BOTH, Pair, compare, run_alone
from benchmarks.results import ROOT
from pipeline.errors import PipelineError

FOLDER = ROOT / "out" / "example-events"
GRAPH = ["run_graph.py", "graphs/retail.yaml", "--set", "looks.update_s=0.1"]
"""As it ships, but for the time between two updates of a visit: hundreds of events in place of twenty."""
LISTENER = ["examples/listener.py"]
KILLS = ((0.2, ("consumer",)), (0.4, ("publisher",)), (0.7, BOTH))
"""Who is killed when the listener has what part of the events."""
NAMES = {"publisher": "graph", "consumer": "listener"}


def survive(folder: Path, bus: str, graph: Sequence[str], listener: Sequence[str]) -> Counter[str]:
    """Run a graph in peace and in trouble, say how it goes, and return the `gaps` and `duplicates` of what is left.

    Args:
        folder: an empty one.
        bus: address to publish at.
        graph: arguments with which Python runs a graph of one stream, `shop`, with the nodes `log` and `bus`.
        listener: the same for a listener; it is told address, topics and file.

    Raises:
        PipelineError: a process failed, or events ceased to come.
    """
    peace, trouble = folder / "peace", folder / "trouble"
    heard, late = folder / "heard.jsonl", folder / "late.jsonl"
    quiet, watched = ([*graph, "--set", f"bus.endpoint={bus}", "--out", str(out)] for out in (peace, trouble))

    run_alone(quiet, folder / "peace.txt")
    wanted = written(peace)
    say("in peace", f"the graph wrote {lines(wanted)} events")

    with Pair(folder, watched, [*listener, bus, "", str(heard)], heard, wanted) as pair:
        pair.start()
        for part, names in KILLS:
            left = len(wanted) - part * len(written(peace, "events.jsonl"))
            pair.run_until(lambda: pair.missing() <= left)  # noqa: B023
            pair.kill(names)
            victims = " and ".join(NAMES[name] for name in names)
            say("kill -9", f"{victims}, after {lines(heard.read_bytes())} of {lines(wanted)} events")
            pair.start()
        pair.run_to_end()
        say("in the end", f"the listener has {lines(heard.read_bytes())} events")

        (trouble / "shop" / "summary.json").unlink()  # else the clip counts as done and is skipped
        with Pair(folder, watched, [*listener, bus, "", str(late)], late, wanted) as again:
            again.start()
            again.run_to_end()
    say("once more", f"the listener still has {lines(heard.read_bytes())}, a late one has {lines(late.read_bytes())}")

    found: Counter[str] = Counter()
    for got in (looks_first(heard.read_bytes()), looks_first(late.read_bytes()), written(trouble)):
        found += compare(wanted.splitlines(), got.splitlines())
    return found


def written(out: Path, *names: str) -> bytes:
    """Return what a run wrote to its logs: events of looks, then measures where there are any."""
    paths = [out / "shop" / name for name in names or ("events.jsonl", "measures.jsonl")]
    return b"".join(path.read_bytes() for path in paths if path.exists())


def looks_first(heard: bytes) -> bytes:
    """Return the events of a listener in the order of `written`; it hears looks and measures as they become known."""
    events = [(b'"type":"io.gazegraph.look.' not in event, event) for event in heard.splitlines(keepends=True)]
    return b"".join(event for _, event in sorted(events, key=itemgetter(0)))


def lines(text: bytes) -> int:
    """Return the number of whole lines."""
    return text.count(b"\n")


def say(what: str, text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{what:<11} {text}\n")
    sys.stdout.flush()


def main(argv: Sequence[str], graph: Sequence[str] = GRAPH, listener: Sequence[str] = LISTENER) -> int:
    """Run the example in the folder named on the command line and return the exit code."""
    folder = Path(argv[0]).resolve() if argv else FOLDER
    if argv and folder.exists() and any(folder.iterdir()):
        sys.stderr.write(f"{folder}: expected a new or empty folder, got one with files; give another one\n")
        return 2
    if not argv:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as sockets:  # a socket's path must be short
            found = survive(folder, f"ipc://{sockets}/bus", graph, listener)
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    say("files", f"{folder}")
    sys.stdout.write(f"gaps {found['gaps']} duplicates {found['duplicates']}\n")
    return 1 if found["gaps"] or found["duplicates"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
