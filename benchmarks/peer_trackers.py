"""The trackers that ours is compared with, and what scores all of them: the package `trackers`.

A program for an environment of its own (`requirements/bench.txt`): that package brings an OpenCV that writes the same
folder as the one we use. It answers each line of JSON on standard input with one on standard output:

    {"track": "sort", "detections": "<npz>", "fps": 30, "tracks": "<txt>"}    → {"cpu_s": 0.8}
    {"score": {"sort": {"<sequence>": "<txt>"}}, "truth": {"<sequence>": "<txt>"}, "groups": {"all": ["<sequence>"]}}
                             → {"sort": {"<sequence> or <group>": {"hota": 51.8, ...}}}
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from trackers import BoTSORTTracker, ByteTrackTracker, OCSORTTracker, SORTTracker
from trackers.eval import (
    aggregate_clear_metrics,
    aggregate_hota_metrics,
    aggregate_identity_metrics,
    evaluate_mot_sequence,
)

TRACKERS: dict[str, Callable[[float], Any]] = {
    "sort": lambda fps: SORTTracker(frame_rate=fps),
    "bytetrack": lambda fps: ByteTrackTracker(frame_rate=fps),
    "ocsort": lambda fps: OCSORTTracker(frame_rate=fps),
    "botsort": lambda fps: BoTSORTTracker(frame_rate=fps, enable_cmc=False),
}
METRICS = ["CLEAR", "HOTA", "Identity"]


def track(name: str, detections: Path, fps: float, tracks: Path) -> float:
    """Run one tracker, as it comes, over one sequence; return the CPU seconds of its own calls.

    Args:
        name: of the tracker.
        detections: arrays `box_px` (N, 4) x1, y1, x2, y2, `score` (N,) and `first` (frames + 1,): the rows of the
            k-th frame are those from `first[k]` until `first[k + 1]`.
        fps: frames a second.
        tracks: where the tracks go, as MOT text.
    """
    arrays = np.load(detections)
    box_px, score, first = arrays["box_px"], arrays["score"], arrays["first"]
    frames = [
        sv.Detections(xyxy=box_px[a:b], confidence=score[a:b], class_id=np.zeros(b - a, np.int64))
        for a, b in pairwise(first)
    ]
    tracker = TRACKERS[name](fps)
    began = time.process_time()
    followed = [tracker.update(frame) for frame in frames]
    cpu_s = time.process_time() - began
    with tracks.open("w", encoding="ascii") as file:
        for number, frame in enumerate(followed, 1):
            for (x1, y1, x2, y2), track_id in zip(frame.xyxy, frame.tracker_id, strict=True):
                if track_id >= 0:  # others are not confirmed
                    file.write(f"{number},{track_id},{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f},1,-1,-1,-1\n")
    return cpu_s


def score(tracks: dict[str, str], truth: dict[str, str], groups: dict[str, list[str]]) -> dict[str, dict[str, float]]:
    """Score the tracks of one tracker by sequence and, taken together, by group of sequences."""
    by_sequence = {}
    for name, path in tracks.items():
        if not Path(path).stat().st_size:
            # The evaluator refuses an empty file; a row of nobody is one it leaves out.
            Path(path).write_text("1,-1,0,0,1,1,0,-1,-1,-1\n", encoding="ascii")
        by_sequence[name] = evaluate_mot_sequence(truth[name], path, METRICS)
    figures = {}
    for name, result in by_sequence.items():
        figures[name] = _figures(result.CLEAR.to_dict(), result.HOTA.to_dict(), result.Identity.to_dict())
    for group, names in groups.items():
        results = [by_sequence[name] for name in names]
        figures[group] = _figures(
            aggregate_clear_metrics([result.CLEAR.to_dict() for result in results]),
            aggregate_hota_metrics([result.HOTA.to_dict(True, False) for result in results]),  # with arrays, not lists
            aggregate_identity_metrics([result.Identity.to_dict() for result in results]),
        )
    return figures


def _figures(clear: dict[str, Any], hota: dict[str, Any], identity: dict[str, Any]) -> dict[str, float]:
    """Return what is told, in percent but for the number of switches."""
    shares = {"hota": hota["HOTA"], "assa": hota["AssA"], "idf1": identity["IDF1"], "mota": clear["MOTA"]}
    return {**{key: round(100 * float(value), 2) for key, value in shares.items()}, "idsw": int(clear["IDSW"])}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "track" in asked:
            cpu_s = track(asked["track"], Path(asked["detections"]), asked["fps"], Path(asked["tracks"]))
            answer: dict[str, Any] = {"cpu_s": cpu_s}
        else:
            answer = {name: score(tracks, asked["truth"], asked["groups"]) for name, tracks in asked["score"].items()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
