"""What cameras and networks do wrong, one fault a camera, and how long it takes until frames come again.

Real RTSP and HTTP through the whole engine; the graph decodes, measures, and does nothing else. `recovered_s` counts
from the moment at which the camera is all right again to the first frame at the sink that was sent after it.
"""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cameras.clips import Codec, make_clip, read_number
from benchmarks.cameras.process import CameraProcess
from benchmarks.graph_runs import shipped_graph
from benchmarks.live_run import LiveRun, live_stream
from benchmarks.live_sink import Eye
from benchmarks.live_tally import Clock
from benchmarks.live_watch import POLL_S, Watch, outcome
from benchmarks.results import Figures
from pipeline.errors import PipelineError

SIZE_WH, FPS, GOP, CLIP_FRAMES = (320, 180), 12.5, 12, 250
KEY_FRAME_S = GOP / FPS
OTHER: dict[str, tuple[tuple[int, int], Codec]] = {
    "other_size": ((480, 270), "h264"),
    "other_codec": (SIZE_WH, "hevc"),
}
"""Clips that a camera can change to."""
WITHIN_S = 90.0
SEEN_S = 1.0
"""Until what the run says of itself has been noted."""

Step = tuple[str, dict[str, Any]]
"""A command to the camera or its server, and its values."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong."""

    begin: tuple[Step, ...]
    end: tuple[Step, ...] = ()
    """What makes all right again; nothing: it is as soon as it has happened."""
    lasts_s: float = 0.0
    kind: str | None = None
    """How the camera sends over HTTP; None: over RTSP."""
    told_by_silence: bool = False
    """The camera is well and its connection stands, but nothing that comes of it can be decoded any more: that is known
    after `engine.stall_s` without a frame, which is allowed, too."""


def _does(what: str, **values: Any) -> Step:
    return what, values


STOP, START, DROP, RESUME = _does("stop"), _does("start"), _does("drop"), _does("resume")

OF_SERVERS: dict[str, Fault] = {
    "server_killed": Fault((STOP,), (START,), 4.0),
    "server_away_for_long": Fault((STOP,), (START,), 15.0),
    "server_restarted": Fault((STOP, START)),
}
OF_CAMERAS: dict[str, Fault] = {
    "connection_dropped": Fault((DROP,)),
    "said_goodbye": Fault((_does("end"),)),
    "stalled": Fault((_does("stall"),), (RESUME,), 5.0),
    "stalled_for_long": Fault((_does("stall"),), (RESUME,), 15.0),
    "trickle": Fault((_does("trickle"),), (RESUME,), 5.0),
    "truncated": Fault((_does("truncate"),)),
    "time_reset": Fault((_does("reset_time"),)),
    "time_jump": Fault((_does("jump_time", seconds=3600.0),)),
    "time_jump_back": Fault((_does("jump_time", seconds=-3600.0),)),
    "time_stands_still": Fault((_does("freeze_time"),), (RESUME,), 3.0),
    "wrong_password_for_a_while": Fault((_does("refuse_password"), DROP), (_does("refuse_password", on=False),), 5.0),
    "not_found_for_a_while": Fault((_does("not_found"), DROP), (_does("not_found", on=False),), 5.0),
    "answers_nothing": Fault((_does("answer_nothing"), DROP), (_does("answer_nothing", on=False), DROP), 5.0),
    "size_change": Fault((_does("change_codec", clip="other_size"),)),
    "codec_change": Fault((_does("change_codec", clip="other_codec"), DROP)),
    "codec_change_untold": Fault((_does("change_codec", clip="other_codec"),), told_by_silence=True),
    "garbage": Fault((_does("corrupt", share=0.5),), (_does("corrupt", share=0.0),), 3.0),
    "http_dropped": Fault((DROP,), kind="ts"),
    "http_stalled": Fault((_does("stall"),), (RESUME,), 5.0, kind="ts"),
    "mjpeg_not_found_for_a_while": Fault((_does("not_found"), DROP), (_does("not_found", on=False),), 5.0, "mjpeg"),
    "packet_loss": Fault((_does("lose_packets", share=0.2),), (_does("lose_packets", share=0.0),), 3.0),
}
FAULTS = {**OF_SERVERS, **OF_CAMERAS}


@dataclass
class Patient:
    """One camera that something happens to."""

    cameras: CameraProcess
    path: str
    clips: dict[str, Path]
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Shared by the cameras of one process: it answers one command at a time."""

    @property
    def url(self) -> str:
        """Its address."""
        return self.cameras.urls[self.path]

    def take(self, steps: Sequence[Step]) -> float:
        """Do what a fault is made of, one after another; return the unix time at which it was done."""
        done_s = 0.0
        with self.lock:
            for what, values in steps:
                named = {key: self.clips.get(value, value) for key, value in values.items()}
                done_s = self.cameras.do(what, self.path, **named)
        return done_s


def measure_faults(rounds: int, names: Sequence[str] = tuple(FAULTS)) -> Figures:
    """Let each of some faults happen a few times, because the wait before a try is drawn at random.

    Returns:
        `faults` by name, of each the round that kept its bound least; `key_frame_s`, `rounds`, `violations`.
    """
    found = [one_round(names) for _ in range(rounds)]
    return {
        "faults": {name: worst([each["faults"][name] for each in found]) for name in names},
        "key_frame_s": KEY_FRAME_S,
        "rounds": rounds,
        "violations": [line for each in found for line in each["violations"]],
    }


def worst(outcomes: Sequence[Figures]) -> Figures:
    """Return the outcome that was furthest beyond what was allowed, with the false ends of all, and `each_s`."""

    def beyond_s(outcome: Figures) -> float:
        recovered_s: float | None = outcome["recovered_s"]
        return math.inf if recovered_s is None else float(recovered_s - outcome["allowed_s"])

    least_kept = max(outcomes, key=beyond_s)
    return {
        **least_kept,
        "false_ends": sum(one["false_ends"] for one in outcomes),
        "each_s": [one["recovered_s"] for one in outcomes],
    }


def one_round(names: Sequence[str]) -> Figures:
    """Let each of some faults happen once, all in one run; return `faults` by name, and `violations`."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as processes:
        folder, eye = Path(name), Eye(read_number)
        eye.clocks = {fault: Clock(FPS, CLIP_FRAMES) for fault in names}
        patients = admitted(names, folder, processes)
        streams = [live_stream(fault, each.url) for fault, each in patients.items()]
        graph, settings = shipped_graph(["frames"])
        with LiveRun(graph, settings, streams, eye, folder) as run:
            with Watch(run) as watch, ThreadPoolExecutor(len(names)) as pool:
                done = {
                    fault: pool.submit(suffer, each, fault, eye, watch, settings.stall_s)
                    for fault, each in patients.items()
                }
            faults = {fault: each.result() for fault, each in done.items()}
            for fault in names:
                faults[fault]["false_ends"] += eye.ends().count(fault)
    return {"faults": faults, "violations": run.violations}


def admitted(names: Sequence[str], folder: Path, processes: ExitStack) -> dict[str, Patient]:
    """Start a camera for each fault; those whose server goes away have one for themselves.

    Args:
        names: of faults.
        folder: for clips.
        processes: ends the cameras.
    """
    clip = make_clip(folder, SIZE_WH, CLIP_FRAMES, FPS, GOP)
    others = {
        key: make_clip(folder, size_wh, CLIP_FRAMES, FPS, GOP, codec=codec)
        for key, (size_wh, codec) in OTHER.items()
        if any(("clip", key) in values.items() for name in names for _, values in FAULTS[name].begin)
    }
    clips = {key: other.path for key, other in others.items()}
    patients: dict[str, Patient] = {}
    together = [name for name in names if name in OF_CAMERAS]
    for group in [*([name] for name in names if name in OF_SERVERS), *([together] if together else [])]:
        cameras, lock = processes.enter_context(CameraProcess(clip.path, 0)), threading.Lock()
        for name in group:
            kind = FAULTS[name].kind
            cameras.add(name, fps=FPS, **({"kind": kind} if kind else {}))
            patients[name] = Patient(cameras, name, clips, lock)
    return patients


def suffer(patient: Patient, name: str, eye: Eye, watch: Watch, stall_s: float) -> Figures:
    """Let a fault happen to the stream of its name and return how it went; `stall_s` is that of the engine.

    Raises:
        PipelineError: it was never all right in the first place.
    """
    fault = FAULTS[name]
    if not _within(lambda: eye.first_sent(name, 0.0) is not None and watch.sees_live(name), WITHIN_S):
        raise PipelineError(f"stream {name!r}: expected frames before the fault within {WITHIN_S:g} s, got none")
    began_s = time.time()
    right_s = patient.take(fault.begin)
    if fault.end:
        time.sleep(fault.lasts_s)
        right_s = patient.take(fault.end)
    came = _within(lambda: eye.first_sent(name, right_s) is not None, WITHIN_S)
    first = eye.first_sent(name, right_s) if came else None
    time.sleep(5 * POLL_S)  # the watch looks again, and where the run was slow to tell, longer
    _within(lambda: watch.sees_live(name), SEEN_S)
    wait_s = KEY_FRAME_S + (stall_s if fault.told_by_silence else 0.0)
    return outcome(watch.since(name, began_s), right_s, None if first is None else first.unix_s, wait_s)


def _within(reached: Callable[[], bool], within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > until_s:
            return False
        time.sleep(POLL_S)
    return True
