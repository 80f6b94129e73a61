"""Kill publisher and consumer of events at random, again and again, and compare what the consumer has in the end.

A graph runs from a recording and publishes; `run_graph.py listen --append`, or the listener among the examples, keeps
what it hears in a file. One of them, or both, are killed (-9) and started again: while events flow, after a random
number of them, or at a random moment, such as while they start. In the end the file must hold what a run without
disturbance writes: all events, in order, each once; and so must the publisher's own file.

    python -m benchmarks.chaos --kills 200 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.event_pair import BOTH, Pair, compare, run_alone
from benchmarks.made_up_hits import write_hits
from benchmarks.results import DONE, MISSED, Figures, guarded

GRAPH = """\
frames: {type: decode_video}
people: {type: detect_people,  in: {frames: frames}}
tracks: {type: track_people,   in: {frames: frames, people: people}}
gaze:   {type: estimate_gaze,  in: {frames: frames, tracks: tracks}}
points: {type: locate_gaze,    in: {gaze: gaze}}
hits:   {type: hit_aoi,        in: {frames: frames, gaze: gaze, points: points, tracks: tracks}}
looks:  {type: measure_looks,  in: {frames: frames, hits: hits}}
log:    {type: write_events,   in: {frames: frames, looks: looks}}
bus:    {type: publish_events, in: {frames: frames, looks: looks}}
"""
CONFIG = """\
streams: {shop: {url: shop.mp4}}
people: {model: people-shop-480}
gaze: {model: gaze-shop-480}
looks: {min_look_s: 0.2, max_gap_s: 0.3, min_visit_s: 0.3, update_s: 0.3}
"""
FRAMES, PEOPLE = 1000, 5
"""Length of the recording, and how many look around in each frame of it."""
BLIND = 0.2
"""Share of kills that do not wait for events."""
BLIND_S, DOWN_S, JITTER_S = 0.5, 0.2, 0.005
"""Longest time from a start to a blind kill, from a kill to the next start, and from events to the kill they cause."""
PARTS = 8
"""A kill waits for an eighth of all events at most."""
VICTIMS = (("consumer",), ("publisher",), BOTH)


def measure_chaos(kills: int, seed: int) -> Figures:
    """Kill processes and return what became of the events. A consumer that has heard all begins a new file.

    Args:
        kills: how often.
        seed: of the events, and of whom to kill when.

    Returns:
        `kills`; `gaps`, events that a file lacks or has in another place; `duplicates`, events that it has too often;
        and for judging the proof: `events` of each file, `logs`, how many files were begun, kills by victim, and
        `kills_while_flowing`, those within 50 ms after an event and before the last one.

    Raises:
        PipelineError: a process failed, or events ceased to come.
    """
    chance = random.Random(seed)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_graph(folder, seed)
        undisturbed = new_folder(folder / "undisturbed")
        run_alone(publisher(undisturbed), undisturbed / "publisher.txt")
        wanted = written(undisturbed)
        while found["kills"] < kills:
            found["logs"] += 1
            own = new_folder(folder / f"{found['logs']}")
            ear = consumer(own, found["logs"])
            with Pair(own, publisher(own), ear, own / "heard.jsonl", wanted) as pair:
                found += disturb(pair, kills - found["kills"], chance)
            found += pair.found() + compare(wanted.splitlines(), written(own).splitlines())
    always = {"kills": 0, "gaps": 0, "duplicates": 0, "events": len(wanted.splitlines()), "kills_while_flowing": 0}
    return {**always, **dict(sorted(found.items()))}


def disturb(pair: Pair, kills: int, chance: random.Random) -> Counter[str]:
    """Kill processes of a pair until its consumer has all events, then no more; count the kills."""
    found: Counter[str] = Counter()
    pair.start()
    while found["kills"] < kills:
        victims = chance.choice(VICTIMS)
        blind_s = chance.uniform(0, BLIND_S) if chance.random() < BLIND else None
        left = pair.missing() - chance.randint(1, len(pair.wanted) // PARTS)
        pair.run_until(after(blind_s) if blind_s is not None else lambda: pair.missing() <= left)  # noqa: B023
        if pair.missing() <= 0:
            break
        time.sleep(chance.uniform(0, JITTER_S))
        flowing = pair.flowing()
        pair.kill(victims)
        found += Counter({"kills": 1, f"kills_of_{'_and_'.join(victims)}": 1, "kills_while_flowing": int(flowing)})
        pair.run_until(after(chance.choice([0, chance.uniform(0, DOWN_S)])))
        pair.start(chance.sample(BOTH, 2))
    pair.run_to_end()
    return found


def after(wait_s: float) -> Callable[[], bool]:
    """Return what tells whether a time is over."""
    until_s = time.monotonic() + wait_s
    return lambda: time.monotonic() >= until_s


def write_graph(folder: Path, seed: int) -> None:
    """Write the graph of the event layer, its values, and the recording it runs from."""
    (folder / "chaos.yaml").write_text(GRAPH, "utf-8")
    (folder / "values.yaml").write_text(CONFIG, "utf-8")
    write_hits("hits", "shop", FRAMES, PEOPLE, seed, folder / "hits" / "shop")


def publisher(folder: Path) -> list[str]:
    """Return the command of a graph that writes into a folder; the graph stands beside that."""
    beside = folder.parent
    values = ["--config", f"{beside}/values.yaml", "--set", f"bus.endpoint={_bus(folder)}"]
    return [
        "run_graph.py",
        f"{beside}/chaos.yaml",
        *values,
        "--replay",
        f"hits={beside}/hits",
        "--out",
        f"{folder}/out",
    ]


def consumer(folder: Path, number: int) -> list[str]:
    """Return the command of a consumer of that graph: by turns the verb and the example."""
    if number % 2:
        return ["run_graph.py", "listen", _bus(folder), "--since", "start", "--append", f"{folder}/heard.jsonl"]
    return ["examples/listener.py", _bus(folder), "look/", f"{folder}/heard.jsonl"]


def written(folder: Path) -> bytes:
    """Return what that graph has written."""
    return (folder / "out" / "shop" / "events.jsonl").read_bytes()


def new_folder(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder


def _bus(folder: Path) -> str:
    return f"ipc://{folder}/bus"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print what was found; 1 when an event was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description="Kill publishers and consumers.")
    parser.add_argument("--kills", type=int, default=200, help="default 200")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    options = parser.parse_args(arguments)
    found = measure_chaos(options.kills, options.seed)
    for key, count in found.items():
        print(f"{key:<32}{count:>8}")
    return MISSED if found["gaps"] or found["duplicates"] else DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
