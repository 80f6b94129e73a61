"""Measure tracking beside others: `GAZE_REAL_DATA=DIR python -m benchmarks.tracking`.

Ours (`ours_online`: the node `tracks` of the shipped graph; `ours_offline`: with its second pass over the whole
sequence) and the trackers of the package `trackers` (`sort`, `bytetrack`, `ocsort`, `botsort`: as they come but for
the frame rate, without camera motion) follow people on the same detections. That package's evaluator scores all of
them: HOTA, AssA, IDF1 and MOTA in percent, and how often an identity is switched. `frames_per_cpu_s`: frames over the
CPU seconds of a tracker's own calls on detections already in memory; all take turns, and the best of `--repeat` runs
counts, each sequence for itself.

Figures at the top are of all sequences taken together, as the evaluator does it, those under `mot17` of those whose
name begins with MOT17, and those under `sequences` of each; `checked` holds what targets are about. `--crowds` measures
on made-up people, as settings are chosen.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.crowds import SECONDS, crowd_sequences
from benchmarks.machine import LoadOfOthers
from benchmarks.mot_sequences import MotSequence, find_sequences, parse_fps
from benchmarks.our_tracker import OFFLINE, ONLINE, OurTracker
from benchmarks.peer_process import PEERS, PYTHON, PeerProcess, write_detections, write_truth
from benchmarks.results import Figures, command_line, finish, guarded
from pipeline.errors import ConfigError
from scenes.sets import seed_set

KEYS = ("hota", "assa", "idf1", "mota", "idsw", "frames_per_cpu_s")
ALL, MOT17 = "all sequences", "MOT17"
STADTMITTE = "TUD-Stadtmitte"

Row = dict[str, float]
Rows = dict[str, dict[str, Row]]
"""Figures by sequence or group, then by tracker."""


def measure(
    sequences: Sequence[MotSequence], ours: OurTracker, peers: Any, names: Sequence[str], repeat: int, folder: Path
) -> Rows:
    """Run trackers by turns, score them and return their figures.

    Args:
        sequences: at least one.
        ours: the tracker measured.
        peers: a `PeerProcess`.
        names: of the peers to run.
        repeat: runs of each tracker over each sequence.
        folder: where files are exchanged.
    """
    cpu_s: dict[str, dict[str, float]] = {name: {} for name in (ONLINE, OFFLINE, *names)}
    tracks: dict[str, dict[str, Path]] = {name: {} for name in cpu_s}
    truth = {}
    for number, sequence in enumerate(sequences):
        truth[sequence.name] = folder / f"{number}-truth.txt"
        write_truth(sequence, truth[sequence.name])
        detections = folder / f"{number}.npz"
        write_detections(sequence, detections)
        for run in range(repeat):
            print(f"{sequence.name}: run {run + 1} of {repeat}", file=sys.stderr)
            for name in cpu_s:
                path = folder / f"{number}-{name}.txt"
                if name in (ONLINE, OFFLINE):
                    took = ours.track(name, sequence, path)
                else:
                    took = peers.track(name, sequence, detections, path)
                cpu_s[name][sequence.name] = min(took, cpu_s[name].get(sequence.name, took))
                tracks[name][sequence.name] = path
    groups = groups_of(sequences)
    scores = peers.score(tracks, truth, groups)
    frames = {sequence.name: sequence.frames for sequence in sequences}
    rows: Rows = {}
    for group, members in [*groups.items(), *((name, [name]) for name in frames)]:
        count = sum(frames[name] for name in members)
        rows[group] = {
            name: {**scores[name][group], "frames_per_cpu_s": round(count / sum(cpu_s[name][m] for m in members), 1)}
            for name in cpu_s
        }
    return rows


def groups_of(sequences: Sequence[MotSequence]) -> dict[str, list[str]]:
    """Return the names of the sequences that are scored together, by group."""
    names = [sequence.name for sequence in sequences]
    mot17 = [name for name in names if name.startswith(MOT17)]
    return {ALL: names, **({MOT17: mot17} if mot17 else {})}


def checked(rows: Rows) -> Figures:
    """Return what targets are about; None where a sequence or a tracker it takes was not run."""
    figures: Figures = {}
    mot17, stadtmitte = rows.get(MOT17, {}), rows.get(STADTMITTE, {})
    peers = [mot17[name] for name in PEERS if name in mot17]
    for name, row in ((ONLINE, mot17.get(ONLINE)), (OFFLINE, mot17.get(OFFLINE))):
        for key in ("hota", "idf1"):
            figures[f"checked.{name}_{key}"] = row[key] if row else None
    figures["checked.speed_ratio"] = None
    if peers:
        best = max(peers, key=lambda row: row["hota"])
        figures["checked.speed_ratio"] = round(mot17[ONLINE]["frames_per_cpu_s"] / best["frames_per_cpu_s"], 2)
    for key in ("hota", "idf1"):
        others = [stadtmitte[name][key] for name in PEERS if name in stadtmitte]
        gain = round(stadtmitte[ONLINE][key] - max(others), 2) if others else None
        figures[f"checked.stadtmitte_{key}_over_peers"] = gain
    each = [row for name, row in rows.items() if name not in (ALL, MOT17)]
    for key in ("hota", "idf1"):
        gains = [row[OFFLINE][key] - row[ONLINE][key] for row in each if OFFLINE in row]
        figures[f"checked.offline_{key}_over_online"] = round(min(gains), 2) if gains else None
    return figures


def shown(rows: Rows) -> str:
    """Return the figures as tables, one for each sequence and group."""
    lines = []
    for group, trackers in rows.items():
        lines.append(f"{group:<20}" + "".join(f"{key:>8}" for key in KEYS[:-1]) + "  frames a CPU second")
        lines += [
            f"{name:<20}" + "".join(f"{row[key]:>8g}" for key in KEYS[:-1]) + f"{row[KEYS[-1]]:>21.0f}"
            for name, row in trackers.items()
        ]
        lines.append("")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.repeat < 1:
        raise ConfigError(f"--repeat: expected 1 or more, got {options.repeat}")
    if options.crowds:
        sequences = crowd_sequences(seed_set(options.crowds, seconds=SECONDS).seeds)
    else:
        sequences = find_sequences(_root(options.root), options.seq, dict(options.fps))
    load = LoadOfOthers()
    with tempfile.TemporaryDirectory() as name, PeerProcess(options.peers) as peers:
        ours = OurTracker(options.set, Path(name))
        rows = measure(sequences, ours, peers, () if options.ours_only else PEERS, options.repeat, Path(name))
    print(shown(rows))
    details = {
        "values": options.set,
        "repeat": options.repeat,
        "load_of_others": load.cores(),
        "sequences": {s.name: {"frames": s.frames, "fps": s.fps, "size_wh": s.size_wh} for s in sequences},
    }
    beside: dict[str, Mapping[str, Any]] = dict(rows[ALL])
    if MOT17 in rows:
        beside["mot17"] = rows[MOT17]
    beside["sequences"] = {sequence.name: rows[sequence.name] for sequence in sequences}
    return finish("tracking", checked(rows), details, options, beside)


def _root(given: Path | None) -> Path:
    if given:
        return given
    named = os.environ.get("GAZE_REAL_DATA")
    if not named:
        raise ConfigError("GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it or give --root")
    return Path(named) / "mot"


def _parser() -> argparse.ArgumentParser:
    parser = command_line("tracking", "Measure tracking beside others.")
    parser.add_argument("--root", type=Path, metavar="DIR", help="folder of sequences; default: $GAZE_REAL_DATA/mot")
    parser.add_argument("--seq", nargs="+", default=[], metavar="NAME", help="only these sequences")
    parser.add_argument(
        "--fps", nargs="+", type=parse_fps, default=[], metavar="NAME=25", help="where there is no seqinfo.ini"
    )
    parser.add_argument("--crowds", metavar="5001-5032", help="made-up crowds in place of footage, by seed")
    parser.add_argument("--set", nargs="+", default=[], metavar="tracks.KEY=VALUE", help="values to measure with")
    parser.add_argument("--ours-only", action="store_true", help="run none of the others")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each, for the speed (default 3)")
    parser.add_argument("--peers", type=Path, default=PYTHON, metavar="PYTHON", help="default: .venv-bench/bin/python")
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
