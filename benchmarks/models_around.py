"""What stages do before and behind a model, at 1920 x 1080: the processor's time of a stage less that of its model."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.graph_runs import shipped_stream
from benchmarks.models_calls import in_turns, ratio
from benchmarks.models_files import ModelFile
from benchmarks.results import ROOT, Figures
from nodes import resolve
from nodes.adapters.gaze_models import open_gaze_model
from nodes.types import Detections, Tracks
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.feed import batched
from pipeline.frames import FrameBatch, Picture
from pipeline.graph import Graph
from pipeline.inlet import Admitted
from pipeline.node import Context, Frame, Node
from pipeline.ports import config_of
from pipeline.session import Session

SIZE_WH = (1920, 1080)
FRAMES, ROUNDS = 6, 3
MOST_MS, MOST_SHARE = 1.0, 0.1
"""What may be spent around a model: the larger of milliseconds and a share of the model's own."""
_STEP = 25
_TICK_NS = 1_000_000_000
_ROUND_NS = FRAMES * _TICK_NS

STAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "gazelle": ("estimate_gaze", {"schedule": "every_frame"}),
    "head_pose": ("estimate_head_pose", {"faces_only": True}),
    "face_gaze": ("estimate_face_gaze", {}),
    "appearance": ("estimate_appearance", {}),
}
"""Stage and its values by family; all others are detectors."""
_DETECTOR: tuple[str, dict[str, Any]] = ("detect_parts", {})


class TimedSession(Session):
    """A model that knows how long it took."""

    spent_s = 0.0

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model once."""
        begin = time.process_time()
        answer = super().run(inputs)
        self.spent_s += time.process_time() - begin
        return answer


class TimedContext(Context):
    """Lends nodes models that know how long they took."""

    def __init__(self) -> None:
        super().__init__("measured", CpuDevice(1), ROOT, ROOT, Graph("", ()))
        self.sessions: list[TimedSession] = []

    def open_session(self, card: str, outputs: Collection[str] = (), size_wh: tuple[int, int] | None = None) -> Session:
        """Open the model of a card."""
        self.sessions.append(TimedSession(*load_card(card, ROOT), self.device, outputs, size_wh))
        return self.sessions[-1]

    def take_spent_s(self) -> float:
        """Return seconds of all models since this was asked last."""
        spent_s = sum(session.spent_s for session in self.sessions)
        for session in self.sessions:
            session.spent_s = 0.0
        return spent_s


@dataclass
class Scene:
    """Frames of the demo clip at 1920 x 1080, one a tick, and the people that the shipped detector finds in them."""

    clip: Path
    admitted: list[Admitted] = field(default_factory=list)
    ticks: list[FrameBatch] = field(default_factory=list)
    people: list[Detections] = field(default_factory=list)

    def __post_init__(self) -> None:
        stream = shipped_stream(self.clip)
        for number, picture in enumerate(_pictures(self.clip)):
            self.admitted.append(Admitted(stream, Frame(picture, number * _TICK_NS), number, 0, 0))
        self.ticks = [batched([each]) for each in self.admitted]
        detector = _opened("detect_people", {}, TimedContext())
        self.people = [detector.process(tick) for tick in self.ticks]
        detector.close()

    @property
    def heads(self) -> float:
        """Heads of a frame, on average."""
        return sum(len(people) for people in self.people) / len(self.people)


def measure_around(file: ModelFile, scene: Scene, **values: Any) -> Figures:
    """Return milliseconds of a tick that a model takes, and what its stage takes around it.

    Args:
        file: the model.
        scene: what the stage is shown.
        **values: of the stage's configuration, beside the model.
    """
    stage, usual = STAGES.get(file.card.family, _DETECTOR)
    card: Any = str(file.card_path)
    context = TimedContext()
    node = _opened(stage, {**usual, **values, "model": [card] if stage == "estimate_head_pose" else card}, context)
    around, model, rows = [], [], 0
    for number in range(ROUNDS + 1):
        for tick, people in zip(scene.ticks, scene.people, strict=True):
            # Later in each round: a stage that remembers what it was asked is asked anew.
            given = _given(stage, replace(tick, pts_ns=tick.pts_ns + number * _ROUND_NS), people)
            context.take_spent_s()
            begin = time.process_time()
            made = node.process(**given)
            all_s, model_s = time.process_time() - begin, context.take_spent_s()
            if number:  # the first round warms up
                around.append(1e3 * (all_s - model_s))
                model.append(1e3 * model_s)
                rows += len(made.frame_row)
    node.close()
    around_ms, model_ms = median(around), median(model)
    return {
        "stage": stage,
        "ms": round(model_ms, 3),
        "around_ms": round(around_ms, 3),
        "around_ratio": round(around_ms / model_ms, 4),
        "around_over_limit": round(around_ms / max(MOST_MS, MOST_SHARE * model_ms), 3),
        "rows_per_tick": round(rows / len(around), 1),
        "released": file.released,
    }


def measure_together(released: ModelFile, prepared: ModelFile, scene: Scene) -> float:
    """Return how many times as fast a tick of all frames is with a prepared gaze file, as the stage calls both."""
    tick = batched(scene.admitted)
    rows = np.repeat(np.arange(len(scene.people)), [len(people) for people in scene.people])
    boxes = np.concatenate([people.head_box for people in scene.people])
    seen = ~np.isnan(boxes[:, 0])
    calls, models = {}, {}
    for name, file in (("released", released), ("prepared", prepared)):
        models[name] = open_gaze_model(TimedContext(), str(file.card_path), "models")
        calls[name] = partial(models[name].look, tick, rows[seen], boxes[seen])
    times = in_turns(calls, 2, time.process_time)
    for model in models.values():
        model.close()
    return round(ratio(times, "released", "prepared"), 3)


def table(found: dict[str, Figures]) -> str:
    """Return one line for each model."""
    width = max(map(len, found))
    lines = [f"{'1080p, ms':<{width}}    model  around   share  rows  of the limit"]
    for name, each in found.items():
        lines.append(
            f"{name:<{width}} {each['ms']:>8.2f}{each['around_ms']:>8.2f}{each['around_ratio']:>8.1%}"
            f"{each['rows_per_tick']:>6.0f}{each['around_over_limit']:>8.2f}"
            + ("" if each["released"] else "  random weights")
        )
    return "\n".join(lines)


def _given(stage: str, tick: FrameBatch, people: Detections) -> dict[str, Any]:
    if stage == "detect_parts":
        return {"frames": tick}
    if stage == "estimate_appearance":
        return {"frames": tick, "people": people}
    return {"frames": tick, "tracks": _tracks(people)}


def _tracks(people: Detections) -> Tracks:
    """Return people as tracks numbered in their order."""
    count = len(people)
    return Tracks(
        frame_row=people.frame_row,
        track_id=np.arange(1, count + 1),
        head_box=people.head_box,
        head_score=people.head_score,
        body_box=people.body_box,
        body_score=people.body_score,
        direction_scores=people.direction_scores,
        observed=np.ones(count, np.bool_),
        taken_from=np.zeros(count, np.int64),
        taken_since_ns=np.zeros(count, np.int64),
    )


def _opened(stage: str, values: dict[str, Any], context: Context) -> Node[Any]:
    cls = resolve(stage)
    node = cls(config_of(cls)(**values), context)
    node.open()
    return node


def _pictures(clip: Path) -> Iterator[Picture]:
    """Yield frames of a clip, enlarged to 1920 x 1080 as a decoder would leave them."""
    import av
    import cv2

    from pipeline.av_pictures import PictureMaker

    maker, sizes = PictureMaker(), (SIZE_WH, (960, 540), (960, 540))
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == FRAMES * _STEP:
                return
            if number % _STEP == 0:
                planes = zip(maker.picture(frame).planes, sizes, strict=True)
                yield Picture(tuple(cv2.resize(plane, size) for plane, size in planes), "i420")
