"""Event logs of a process that is killed -9 again and again: whole to the last event, and gone on with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

from tests.processes import running
from tests.repository import ROOT

KILLS = 5


def kill_while_it_writes(folder: Path, generation: int, after: int) -> int:
    """Run a writer, kill it once it has told of so many ticks, and return how many events it told of."""
    command = [sys.executable, "-m", "tests.nodes.killed_writer", str(folder), str(generation)]
    with running(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        told = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        told += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]  # what it told before it died
    return told[-1]


def test_a_log_outlives_kill_9_at_any_moment(tmp_path: Path) -> None:
    rng = Random(9)
    told = {}
    for generation in range(1000, 1000 + KILLS):
        told[generation] = kill_while_it_writes(tmp_path, generation, rng.randint(1, 120))
        check(tmp_path / "shop", told)


def check(folder: Path, told: dict[int, int]) -> None:
    """Hold the log of a stream, just after a kill, to what the writers told of by generation."""
    parts = sorted(path for path in folder.iterdir() if path.name != "events.jsonl")
    current = (folder / "events.jsonl").read_bytes() if (folder / "events.jsonl").exists() else b""
    content = b"".join(path.read_bytes() for path in parts) + current[: current.rfind(b"\n") + 1]
    events = [json.loads(line) for line in content.splitlines()]
    counts: dict[int, list[int]] = defaultdict(list)
    visits: dict[str, list[str]] = defaultdict(list)
    for event in events:
        generation, count = map(int, event["sequence"].split("."))
        counts[generation].append(count)
        kind = event["type"].rsplit(".", 1)[1]
        visits[event["data"]["visit"]].append(f"{kind} {event['data'].get('reason', '')}")
    newest = max(told)

    assert all(path.read_bytes().endswith(b"\n") for path in parts)  # only the newest file can end in half a line
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
    assert [g for g, numbers in counts.items() if numbers != list(range(len(numbers)))] == []
    assert [g for g, number in told.items() if len(counts[g]) < number] == []
    for visit, story in visits.items():
        assert [kind.split()[0] for kind in story].count("started") == 1 and story[0].startswith("started")
        if visit.startswith("long/"):
            over = ["ended interrupted"] if visit != f"long/{newest}" else []
            assert story[1:] == ["updated "] * (len(story) - 1 - len(over)) + over
        elif not visit.startswith(f"{newest}/"):
            assert len(story) == 2 and story[1].startswith("ended")
